"""The MMMO's scores, in official parts, become two classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ugcl.config import load
from ugcl.data.corpora import mfn, release
from ugcl.errors import UgclError


@pytest.fixture
def corpus(project: Path):
    return load(project / "params.yaml").corpora["mmmo"]


def test_rows_are_named_by_part_and_place(tmp_path: Path, corpus) -> None:
    np.savez(tmp_path / "mmmo.npz", y_train=[1, 3.5, 4.0], y_valid=[5.0], y_test=[3.0, 3.75])
    frame = mfn.rows(tmp_path, corpus).set_index("clip")
    assert list(frame.index) == [
        "train-0000", "train-0001", "train-0002", "valid-0000", "test-0000", "test-0001",
    ]  # fmt: skip
    assert list(frame["part"]) == ["train"] * 3 + ["dev"] + ["test"] * 2
    assert list(frame["opinion"]) == [
        "negative", "negative", "positive", "positive", "negative", "positive",
    ]  # fmt: skip
    assert frame["speaker"].is_unique and list(frame["score"][:2]) == ["1", "3.5"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"y_train": [1.0], "y_valid": [2.0]}, "not an archive with y_train, y_valid, y_test"),
        ({"y_train": [[1.0, 2.0]], "y_valid": [2.0], "y_test": [1.0]}, "y_train has the shape"),
        ({"y_train": [np.nan], "y_valid": [2.0], "y_test": [1.0]}, "a number per clip"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, corpus, arrays: dict, words: str) -> None:
    np.savez(tmp_path / "mmmo.npz", **arrays)
    with pytest.raises(UgclError, match=words):
        mfn.rows(tmp_path, corpus)


def test_the_release(mirror: Path, corpus) -> None:
    """Published: 220, 40 and 80 clips; 51 of 80 test clips are positive (.638)."""
    frame = mfn.rows(mirror / "mfn", corpus)
    release.check(frame, mfn.RELEASE, "mmmo")
    assert len(frame) == mfn.RELEASE.clips
    test = frame[frame["part"] == "test"]
    assert (test["opinion"] == "positive").mean() == pytest.approx(51 / 80)
