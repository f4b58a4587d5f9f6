"""Names of the corpus of dialogues: the workflow lists every file before anything is made."""

from __future__ import annotations

import itertools
import subprocess
import sys

from ugcl import config
from ugcl.plan import data
from ugcl.plan.demo import actor_ids
from ugcl.plan.demo import dialogues as names
from ugcl.provenance.code import reachable


def test_pairs_of_actors_take_turns_in_dialogues_of_six_to_ten() -> None:
    clips = names.clip_names(12)
    assert clips == sorted(set(clips)) and len(clips) == 318
    for session in names.sessions(12):
        pair = {1001 + 2 * (session - 1), 1002 + 2 * (session - 1)}
        for dialogue in names.dialogues(session):
            assert 6 <= len(dialogue) <= 10
            told = [names.parse(clip) for clip in dialogue]
            assert [number for _, _, number, _ in told] == list(range(1, len(dialogue) + 1))
            actors = [actor for *_, actor in told]
            assert set(actors) == pair and all(a != b for a, b in itertools.pairwise(actors))


def test_every_clip_is_made_by_the_job_of_its_speaker() -> None:
    made = [clip for actor in actor_ids(12) for clip in names.actor_clips(actor)]
    assert sorted(made) == names.clip_names(12)
    assert names.media_paths(1001)[0] == "VideoMP4/s1d1t01_1001.mp4"


def test_the_workflow_knows_the_files_of_the_corpus(project) -> None:
    tree = config.load(project / "params.yaml").model_copy(update={"active": ["demo_dialogues"]})
    files = data.raw_files(tree, "demo_dialogues")
    assert len(files) == 2 * 318 == len(set(files))
    assert len(data.made_actors(tree)) == 12


def test_the_clips_of_the_other_synthetic_corpus_do_not_depend_on_these() -> None:
    modules = reachable(["ugcl.demo.clip"])
    assert "ugcl.demo.voice.speech" in modules
    assert [name for name in modules if "dialogues" in name] == []


def test_listing_the_files_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ugcl.plan.demo import dialogues as names; names.clip_names(12);"
        "heavy = {'numpy', 'numba', 'cv2', 'av', 'parselmouth', 'pandas'} & set(sys.modules);"
        "sys.exit(','.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
