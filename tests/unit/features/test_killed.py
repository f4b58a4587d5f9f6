"""Extraction that is killed at any moment comes to the same bytes as one that is left alone."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.fixtures.small_networks import speech_model
from tests.unit.features.test_extract import TREE
from ugcl import config as parameters
from ugcl.data import tables
from ugcl.data.shards import FeatureStore
from ugcl.features import extract
from ugcl.plan import paths

FOLDER = Path(__file__).parent


@pytest.fixture
def corpus(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six small clips, one without its sound, in one shard, and a speech network."""
    monkeypatch.chdir(tmp_path)
    tree = copy.deepcopy(TREE)
    tree["corpora"]["c"] |= {"shards": 1, "root": str(project / "tests/fixtures/tiny")}
    tree["encoders"]["network"] = {"kind": "speech", "weights": "network", "pool": 2, "batch": 6.0}
    speech_model("wav2vec2", tmp_path / "network", feat_extract_norm="layer", conv_bias=True)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    names = sorted(path.stem for path in (project / "tests/fixtures/tiny/AudioWAV").glob("*.wav"))[:6]
    frame = pd.DataFrame({"clip": names})
    frame["audio"] = [f"AudioWAV/{name}.wav" for name in names]
    frame.loc[3, "audio"] = "AudioWAV/gone.wav"
    frame["video"] = [f"VideoMP4/{name}.mp4" for name in names]
    for column in ("sex", "age", "sentence", "session", "level", "audio_sha256", "video_sha256"):
        frame[column] = ""
    frame["duration"], frame["speaker"], frame["intended"] = 1.0, "s", "x"
    tables.write(frame, paths.manifest("c"))
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_killed_at_random_it_ends_with_the_same_bytes(corpus: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "killed_shards.py"), str(corpus)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert sum(map(len, told.values())) >= 4, told
    for sizes in told.values():
        assert sizes == sorted(set(sizes))  # what is done stays done
    for part in ("faces", "features"):
        whole, again = content(corpus / "whole" / part), content(corpus / "data" / part)
        assert whole == again and not any("partial" in name for name in again)
    assert len(whole) == 4


class Stop(BaseException):
    """Ends a process as a signal does."""


def stopped(config, encoder: str, after: int, monkeypatch, lineage: str = "") -> list[str]:
    """Which clips are encoded before the extraction ends, of itself or after a number of them."""
    real, seen = extract.encoded, []

    def watched(*arguments):
        for clip, vectors in real(*arguments):
            seen.append(clip.name)
            yield clip, vectors
            if len(seen) == after:
                raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(extract, "encoded", watched)
        with contextlib.suppress(Stop):
            extract.encode_shard(config, "c", encoder, 1, lineage)
    return seen


def test_only_what_is_missing_is_done_and_nothing_of_other_settings_or_code_is_taken(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parameters.load()
    first = stopped(config, "logmel", 5, monkeypatch)
    assert len(first) == 5
    tree = yaml.safe_load((corpus / "params.yaml").read_text())
    tree["encoders"]["logmel"]["bands"] = 40
    other = parameters.parse(tree)
    journal = next((corpus / "data/features/c/logmel").glob("*.journal.partial"))
    kept = journal.read_bytes()
    for changed, lineage in ((config, "other code"), (other, "")):
        assert len(stopped(changed, "logmel", 0, monkeypatch, lineage)) == 6
        journal.write_bytes(kept)
    second = stopped(config, "logmel", 0, monkeypatch)
    assert first == sorted(first) and [*first, *second] == sorted({*first, *second}) and len(second) == 1
    extract.build_index(config, "c", "logmel")
    assert len(FeatureStore(paths.features("c", "logmel")).clips) == 5


def test_clips_that_go_together_go_together_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding depends on what else is in the batch: a group that lacks a clip is done again whole."""
    monkeypatch.setattr("ugcl.features.networks.sequences.SequenceNetwork.TOGETHER", 4)
    config = parameters.load()
    whole = extract.encode_shard(config, "c", "network", 1)
    expected = whole.read_bytes()
    first = stopped(config, "network", 5, monkeypatch)
    second = stopped(config, "network", 0, monkeypatch)
    names = sorted({*first, *second})
    assert set(first[:4]) == set(names[:4]) and set(second) == set(names[4:])
    assert whole.read_bytes() == expected
