"""The corpus of dialogues: what shows an emotion is where the script says, and the folds keep pairs apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

pytest.importorskip("parselmouth", reason="the demo corpus needs the extra `demo`")
pytest.importorskip("numba", reason="the demo corpus needs the extra `demo`")

import itertools

from ugcl import config
from ugcl.cli.data import app
from ugcl.config.corpora import DemoCorpus
from ugcl.data import tables
from ugcl.data.corpora import demo
from ugcl.data.splits.build import make_fold
from ugcl.demo.contact_sheet import dialogue_sheet
from ugcl.demo.dialogues.clip import make_actor
from ugcl.demo.dialogues.lines import CODES
from ugcl.demo.dialogues.script import script
from ugcl.errors import UgclError
from ugcl.plan.demo import dialogues as names

SEED = 2026
SESSIONS = names.sessions(12)
TURNS = [turn for session in SESSIONS for turn in script(session, SEED).values()]
CLIPS = [names.actor_clips(1002)[0], names.actor_clips(1002)[3]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dialogues")
    make_actor(1002, folder, actors=2, seed=SEED, size=128, clips=CLIPS)
    return folder


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory, project: Path) -> pd.DataFrame:
    """The whole corpus, with empty files in place of media."""
    folder = tmp_path_factory.mktemp("whole")
    for actor in range(1001, 1013):
        for name in names.media_paths(actor):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
    frame = demo.rows(folder, config.load(project / "params.yaml").corpora["demo_dialogues"])
    absent = frame.assign(sentence="", level="", duration=1.0, audio_sha256="", video_sha256="")
    return tables.validate(absent.astype({"age": "Int64", "turn": "Int64"}), tables.MANIFEST, "dialogues")


def test_the_script_depends_on_the_seed_alone() -> None:
    script.cache_clear()
    again = [turn for session in reversed(SESSIONS) for turn in script(session, SEED).values()]
    assert sorted(again, key=lambda turn: turn.clip) == TURNS
    assert list(script(1, SEED + 1).values()) != TURNS[: len(script(1, SEED))]


def test_every_session_has_every_emotion_and_every_kind_of_evidence() -> None:
    for session in SESSIONS:
        turns = script(session, SEED).values()
        assert min(Counter(turn.emotion for turn in turns)[code] for code in CODES) >= 7
        assert min(Counter(turn.evidence for turn in turns)[kind] for kind in names.EVIDENCE) >= 4
    shares = Counter(turn.emotion for turn in TURNS)
    assert max(shares.values()) < 1.25 * min(shares.values())


def test_an_emotion_stays_until_a_turn_shows_another() -> None:
    for before, turn in itertools.pairwise(TURNS):
        if turn.evidence == "context":
            assert turn.dialogue == before.dialogue and turn.emotion == before.emotion
    changes = [b for a, b in itertools.pairwise(TURNS) if a.emotion != b.emotion]
    assert {turn.evidence for turn in changes} == {"words", "voice", "face"}


def test_a_channel_shows_the_emotion_where_it_is_the_evidence_faintly_with_words_and_else_not() -> None:
    for turn in TURNS:
        for kind, channel in (("voice", turn.voice), ("face", turn.face)):
            assert channel.mix == {turn.emotion if turn.evidence in (kind, "words") else "NEU": 1.0}
            assert (channel.strength < 0.6) == (turn.evidence == "words")
        assert (turn.evidence in ("voice", "face")) <= (turn.emotion != "NEU")


def accuracy(before: int) -> dict[str, float]:
    """Accuracy of a linear classifier of n-grams, by evidence, each session tested by the others.

    Args:
        before: of how many turns before it a turn's classifier has the n-grams too.
    """
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    hashing = HashingVectorizer(n_features=256, analyzer="char_wb", ngram_range=(2, 3))
    own = hashing.transform([turn.transcript for turn in TURNS]).toarray()
    place = {(turn.dialogue, turn.number): i for i, turn in enumerate(TURNS)}
    columns = [own]
    for lag in range(1, before + 1):
        earlier = [place.get((turn.dialogue, turn.number - lag)) for turn in TURNS]
        columns.append(np.stack([np.zeros(256) if i is None else own[i] for i in earlier]))
    x, y = np.hstack(columns), np.array([turn.emotion for turn in TURNS])
    session = np.array([names.parse(turn.clip)[0] for turn in TURNS])
    right = np.zeros(len(y), bool)
    for tested in SESSIONS:
        model = LogisticRegression(C=10, max_iter=2000).fit(x[session != tested], y[session != tested])
        right[session == tested] = model.predict(x[session == tested]) == y[session == tested]
    evidence = np.array([turn.evidence for turn in TURNS])
    return {kind: float(right[evidence == kind].mean()) for kind in names.EVIDENCE}


def test_words_decide_their_turns_and_say_nothing_of_the_others_without_those_before() -> None:
    alone, context = accuracy(0), accuracy(2)
    assert alone["words"] > 0.9
    assert max(alone["voice"], alone["face"], alone["context"]) < 0.4  # chance is 1/4 of four classes
    assert context["context"] > alone["context"] + 0.25


def test_the_bytes_depend_on_the_arguments_alone(root: Path, tmp_path: Path) -> None:
    alone = make_actor(1002, tmp_path, actors=2, seed=SEED, size=128, clips=CLIPS[1:])
    assert [path.relative_to(tmp_path).as_posix() for path in alone] == [
        f"VideoMP4/{CLIPS[1]}.mp4",
        f"AudioWAV/{CLIPS[1]}.wav",
    ]
    for path in alone:
        assert path.read_bytes() == (root / path.relative_to(tmp_path)).read_bytes()


def test_sound_and_picture_are_of_one_length(root: Path) -> None:
    import av
    import soundfile

    for clip in CLIPS:
        info = soundfile.info(root / names.audio_path(clip))
        assert (info.samplerate, info.channels) == (16000, 1)
        assert 0.8 < info.duration < 4.5
        with av.open(str(root / names.video_path(clip))) as container:
            frames = sum(1 for _ in container.decode(video=0))
        assert frames == round(info.duration * 25)


def test_rows_say_what_is_said_when_and_what_shows_it(manifest: pd.DataFrame) -> None:
    assert len(manifest) == 318 and manifest["transcript"].str.len().min() > 10
    row = manifest.set_index("clip").loc["s1d3t04_1002"]
    turn = script(1, SEED)["s1d3t04_1002"]
    assert (row.dialogue, row.turn, row.session, row.speaker) == ("s1d3", 4, "1", "1002")
    assert (row.transcript, row.evidence) == (turn.transcript, turn.evidence)
    assert set(manifest["evidence"]) == set(names.EVIDENCE)


def test_parts_share_no_pair_and_no_dialogue_and_have_every_class(
    manifest: pd.DataFrame, project: Path
) -> None:
    protocol = config.load(project / "params.yaml").corpora["demo_dialogues"].protocols["intended"]
    for fold in protocol.fold_numbers:
        table = make_fold(manifest, protocol, Path(), fold).merge(manifest, on="clip")
        assert len(table) == len(manifest)
        for column in ("session", "speaker", "dialogue"):
            assert (table.groupby(column)["part"].nunique() == 1).all()
        counts = table.groupby("part")["intended"].value_counts().unstack()
        assert counts.shape == (3, 4) and counts.min().min() >= 7


def test_the_contact_sheet_shows_what_faces_show(tmp_path: Path) -> None:
    from PIL import Image

    with pytest.raises(UgclError, match="no turn of a dialogue"):
        dialogue_sheet(tmp_path, tmp_path / "none.png", SEED)
    face = next(t for t in TURNS if t.actor == 1002 and t.evidence == "face")
    make_actor(1002, tmp_path, seed=SEED, size=128, clips=[face.clip])
    with Image.open(dialogue_sheet(tmp_path, tmp_path / "sheet.png", SEED, side=64)) as sheet:
        assert sheet.size == (44 + 4 * 64, 22 + 64)
        cells = np.asarray(sheet.convert("L"), float)[22:, 44:].reshape(64, 4, 64).std(axis=(0, 2))
    assert [bool(cell > 15) for cell in cells] == [code == face.emotion for code in CODES]


def test_faults_are_named(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UgclError, match="not a clip of actor 1001"):
        make_actor(1001, tmp_path, clips=["s1d1t02_1002"])
    with pytest.raises(UgclError, match="not in 1001"):
        make_actor(1003, tmp_path, actors=2)
    with pytest.raises(UgclError, match="even number of pixels"):
        make_actor(1001, tmp_path, size=129)
    with pytest.raises(ValidationError, match="make no pairs"):
        DemoCorpus(adapter="demo", form="dialogues", actors=7, protocols={})
    monkeypatch.chdir(project)
    result = CliRunner().invoke(app, ["demo", "ravdess", "1001"])
    assert isinstance(result.exception, UgclError) and "no synthetic corpus" in str(result.exception)
