"""Precomputed sequences come back as they were stored, a row at a time, and need no media."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ugcl.config import load
from ugcl.config.features import Sequences
from ugcl.errors import UgclError
from ugcl.features.encoder import info
from ugcl.features.encoders.sequences import SequencesEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

CONFIG = Sequences(kind="sequences", path="x.npz", rate=50.0, pool=4)
NAMES = ["a", "b", "c", "d"]


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).integers(-100, 100, (4, 3, 10)).astype(np.int8)


def encoder(path: Path, compress: bool = True, **arrays: Any) -> SequencesEncoder:
    (np.savez_compressed if compress else np.savez)(path / "x.npz", **arrays)
    return SequencesEncoder("stored", CONFIG, path / "x.npz")


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("order", ["abcd", "dcba", "caab"])
def test_rows_are_read_in_any_order(tmp_path: Path, x: np.ndarray, compress: bool, order: str) -> None:
    stored = encoder(tmp_path, compress, name=NAMES, x=x, scale=np.float32(24))
    assert (stored.dim, info(stored, 4).rate) == (3, 12.5)
    for clip in order:
        found = stored.encode(Clip(clip))
        assert found.dtype == np.float32 and found.shape == (10, 3)
        np.testing.assert_allclose(found, x[NAMES.index(clip)].T / 24, rtol=1e-6)


def test_floats_need_no_scale(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 5))
    found = encoder(tmp_path, name=["a", "b"], x=x).encode(Clip("b", Path("no/such.wav")))
    np.testing.assert_allclose(found, x[1].T, rtol=1e-6)


def test_a_clip_without_a_row_a_constant_and_a_broken_row_are_failures(tmp_path: Path) -> None:
    x = np.ones((3, 2, 4), np.float32)
    x[1, 0, 0] = np.nan
    x[2, 0, 0] = 2
    stored = encoder(tmp_path, name=["flat", "nan", "good"], x=x)
    for clip, failure in (("nobody", "missing"), ("flat", "silent"), ("nan", "unreadable")):
        with pytest.raises(MediaError) as caught:
            stored.encode(Clip(clip))
        assert caught.value.failure == failure
    assert stored.encode(Clip("good"))[0, 0] == 2


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"name": NAMES}, "no array 'x'"),
        ({"x": np.zeros((4, 3, 10))}, "no array 'name'"),
        ({"name": NAMES, "x": np.zeros((4, 30))}, r"shape \(4, 30\)"),
        ({"name": NAMES[:3], "x": np.zeros((4, 3, 10))}, "for 3 names"),
        ({"name": ["a", "a"], "x": np.zeros((2, 3, 10))}, "named twice"),
        ({"name": ["a"], "x": np.zeros((1, 3, 10)), "scale": 0.0}, "give numbers and a scale"),
        ({"name": ["a"], "x": np.full((1, 3, 10), "x")}, "give numbers"),
    ],
)
def test_an_archive_that_does_not_fit_is_refused(tmp_path: Path, arrays: dict, words: str) -> None:
    with pytest.raises(UgclError, match=words):
        encoder(tmp_path, **arrays)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match="not found"):
        SequencesEncoder("stored", CONFIG, tmp_path / "x.npz")
    (tmp_path / "x.npz").write_bytes(b"text")
    with pytest.raises(UgclError, match="not a readable"):
        SequencesEncoder("stored", CONFIG, tmp_path / "x.npz")


def test_the_settings_change_with_the_archive(tmp_path: Path, x: np.ndarray) -> None:
    first = encoder(tmp_path, name=NAMES, x=x).settings
    assert encoder(tmp_path, name=NAMES, x=x + 1).settings["sha256"] != first["sha256"]


def test_the_shared_log_mels_are_read_without_holding_them(mirror: Path, project: Path) -> None:
    path = mirror / "crema_d/logmel128x130_int8.npz"
    config = load(project / "params.yaml").encoders["logmel-22k"]
    stored = SequencesEncoder("logmel-22k", config, path)
    assert (stored.dim, stored.frames, len(stored.row)) == (128, 130, 7442)
    found = stored.encode(Clip("1001_DFA_ANG_XX"))
    assert found.mean() == pytest.approx(0, abs=0.02) and found.std() == pytest.approx(1, abs=0.02)
    with pytest.raises(MediaError, match="never changes"):
        stored.encode(Clip("1076_MTI_SAD_XX"))
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("x.npy").file_size > 100e6


def test_arrays_of_numbered_clips(tmp_path: Path) -> None:
    """As official features of three parts come: one array per part, frames first, no names."""
    arrays = {"train": "sound_train", "test": "sound_test"}
    config = CONFIG.model_copy(update={"arrays": arrays, "frames_first": True, "pool": 1})
    random = np.random.default_rng(0)
    values = {"sound_train": random.normal(size=(12, 5, 3)), "sound_test": random.normal(size=(2, 6, 3))}
    np.savez_compressed(tmp_path / "x.npz", **values)
    stored = SequencesEncoder("stored", config, tmp_path / "x.npz")
    assert stored.dim == 3
    for clip, row in (
        ("train-0011", values["sound_train"][11]),
        ("test-0001", values["sound_test"][1]),
        ("train-0000", values["sound_train"][0]),
    ):
        np.testing.assert_allclose(stored.encode(Clip(clip)), row, rtol=1e-6)
    with pytest.raises(MediaError, match="no sequence of this clip"):
        stored.encode(Clip("test-0002"))
    np.savez_compressed(tmp_path / "x.npz", sound_train=np.ones((1, 5, 3)), sound_test=np.ones((1, 5, 4)))
    with pytest.raises(UgclError, match="sound_test has 4 columns, the first array 3"):
        SequencesEncoder("stored", config, tmp_path / "x.npz")
    np.savez_compressed(tmp_path / "x.npz", sound_train=np.ones((1, 5, 3)))
    with pytest.raises(UgclError, match="no array 'sound_test'"):
        SequencesEncoder("stored", config, tmp_path / "x.npz")


@pytest.mark.parametrize("order", ["C", "F"])
def test_one_vector_per_clip_named_by_several_arrays(tmp_path: Path, order: str) -> None:
    """As features per utterance come: a video's id, the place in it, and columns written column by column."""
    facts = {"rate": 0, "pool": 1, "array": "text", "names": ["video", "place"], "modality": "text"}
    config = Sequences(kind="sequences", path="x.npz", **facts)
    values = np.asarray(np.random.default_rng(0).normal(size=(3, 4)), order=order)
    names = {"video": ["v", "v", "w"], "place": [10, 2, 2]}
    np.savez(tmp_path / "x.npz", text=values, **names)
    stored = SequencesEncoder("stored", config, tmp_path / "x.npz")
    assert (stored.dim, stored.frames, info(stored, 1).rate) == (4, 1, 0)
    for clip, row in (("w_2", 2), ("v_10", 0), ("v_2", 1)):
        np.testing.assert_allclose(stored.encode(Clip(clip)), values[row][None], rtol=1e-6)
    with pytest.raises(MediaError, match="no sequence of this clip"):
        stored.encode(Clip("w_10"))
    np.savez(tmp_path / "x.npz", text=np.zeros((3, 4, 5)), **names)
    with pytest.raises(UgclError, match=r"text has the shape \(3, 4, 5\).*for its rate is 0"):
        SequencesEncoder("stored", config, tmp_path / "x.npz")


def test_sequences_in_column_order_are_read_too(tmp_path: Path, x: np.ndarray) -> None:
    stored = encoder(tmp_path, name=NAMES, x=np.asfortranarray(x))
    np.testing.assert_allclose(stored.encode(Clip("c")), x[2].T, rtol=1e-6)
