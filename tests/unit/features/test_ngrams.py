"""Hashed n-grams: one vector per clip, from the words alone and the same in every process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from ugcl.config.features import Ngrams
from ugcl.features.encoder import info
from ugcl.features.encoders.ngrams import NgramsEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError


def make(**settings) -> NgramsEncoder:
    return NgramsEncoder("n", Ngrams(kind="ngrams", **settings))


def vector(text: str, **settings) -> np.ndarray:
    return make(**settings).encode(Clip("a", transcript=text))[0]


def test_a_clip_has_one_vector_and_each_half_has_length_one() -> None:
    encoder = make()
    found = encoder.encode(Clip("a", transcript="No, no, no! Not again."))
    assert found.shape == (1, 512) and found.dtype == np.float32
    assert (encoder.dim, info(encoder, 1).rate, Ngrams(kind="ngrams").runs_network) == (512, 0.0, False)
    assert np.linalg.norm(found.reshape(2, 256), axis=1) == pytest.approx([1, 1], abs=1e-6)


def test_counts_are_logarithms() -> None:
    """Of "no no no well" the words' half has log 4 and log 2 before it gets length 1."""
    words = vector("no no no well", dim=2**16)[: 2**15]
    expected = np.log([4, 2]) / np.hypot(*np.log([4, 2]))
    assert sorted(np.abs(words[words != 0]), reverse=True) == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_text_is_nearer_to_one_with_its_words_than_to_another() -> None:
    a, b, c = (vector(text) for text in ("I am so happy!", "i am SO happy today!", "Close that door."))
    assert a @ b > 1.0 > 0.5 > abs(a @ c)
    assert not np.array_equal(vector("really?"), vector("really!"))


def test_another_process_gives_the_same_bytes() -> None:
    """Python's own hash of a text differs from process to process."""
    code = (
        "from tests.unit.features.test_ngrams import vector; import hashlib;"
        "print(hashlib.sha256(vector('it is eleven o\\'clock').tobytes()).hexdigest())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in "ab"]
    assert runs[0].stdout == runs[1].stdout != b""


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_clip_without_words_fails_by_that_name(text: str) -> None:
    with pytest.raises(MediaError) as caught:
        vector(text)
    assert caught.value.failure == "no_text"


@pytest.mark.parametrize("text", ["?", "…", "ja", "你好", "x" * 5000])
def test_any_text_gives_finite_values(text: str) -> None:
    found = vector(text, dim=8)
    assert np.isfinite(found).all() and found.any()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dim": 511}, "multiple of 2"),
        ({"words": [2, 1]}, "shortest first"),
        ({"characters": [3]}, "2 items"),
    ],
)
def test_settings_that_give_nothing_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make(**settings)
