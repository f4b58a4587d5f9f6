"""Clips of like length go through a network together, and each comes out as it does alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.small_networks import speech_model, whisper_model
from ugcl.config.features import Speech, Whisper
from ugcl.features.encoders.speech import SpeechEncoder
from ugcl.features.encoders.whisper import WhisperEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.networks.sequences import SequenceNetwork, by_length

SECONDS = [0.4, 1.3, 0.4, 2.0, 0.02, 1.31, 3.2]
FAMILIES = [
    ("wav2vec2", {}),
    ("wav2vec2", {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}),
    ("wav2vec2", {"feat_extract_norm": "layer", "conv_bias": True}),
    ("hubert", {"feat_extract_norm": "layer", "conv_bias": True}),
    ("wavlm", {}),
    ("wavlm", {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}),
]


@given(st.lists(st.integers(1, 100), max_size=40), st.integers(1, 300), st.booleans())
def test_batches_hold_like_lengths_within_the_budget(lengths: list[int], budget: int, equal: bool) -> None:
    batches = by_length(lengths, budget, equal)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert [lengths[i] for batch in batches for i in batch] == sorted(lengths, reverse=True)
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget
        assert not equal or min(lengths[i] for i in batch) == longest
    for before, after in pairwise(batches):  # no batch is closed too early
        longest, first = lengths[before[0]], lengths[after[0]]
        assert (len(before) + 1) * longest > budget or (equal and first != longest)


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    """Noise of several lengths and loudnesses; one clip is not there."""
    rng, made = np.random.default_rng(0), []
    for number, seconds in enumerate(SECONDS):
        path = tmp_path / f"{number}.wav"
        samples = rng.normal(0, 0.02 * (number + 1), round(seconds * 16000)) + 0.01 * number
        soundfile.write(path, samples, 16000, subtype="FLOAT")
        made.append(Clip(f"c{number}", path))
    return [*made[:3], Clip("gone", tmp_path / "gone.wav"), *made[3:]]


def check(encoder: SequenceNetwork, clips: list[Clip], together: int) -> None:
    """All at once is each alone, and that many clips passed through the network at once."""
    sizes, real = [], encoder.states
    encoder.states = lambda pieces: (sizes.append(len(pieces)), real(pieces))[1]
    found = {clip.name: vectors for clip, vectors in encoder.encode_all(clips)}
    assert max(sizes) == together and set(found) == {clip.name for clip in clips}
    assert isinstance(found["gone"], MediaError) and found.pop("gone").failure == "missing"
    for clip in clips:
        if clip.name in found:
            alone = encoder.encode(clip)
            assert alone.shape == found[clip.name].shape
            np.testing.assert_allclose(found[clip.name], alone, atol=2e-5)


@pytest.mark.parametrize(("kind", "settings"), FAMILIES)
def test_speech_networks_give_a_clip_the_same_in_a_batch(tmp_path, clips, kind, settings) -> None:
    """A network that norms over time would see the padding: only equal lengths go together there."""
    speech_model(kind, tmp_path, **settings)
    encoder = SpeechEncoder("s", Speech(kind="speech", weights="", window=2.5, batch=8.0), tmp_path)
    check(encoder, clips, together=2 if not settings else 5)


def test_whisper_gives_a_clip_the_same_in_a_batch(tmp_path, clips) -> None:
    encoder = WhisperEncoder("w", Whisper(kind="whisper", weights="", batch=8.0), whisper_model(tmp_path))
    check(encoder, clips, together=5)


def test_real_whisper_gives_real_speech_the_same_in_a_batch(mirror: Path) -> None:
    folder = mirror / "models/whisper-tiny.en-encoder"
    encoder = WhisperEncoder("w", Whisper(kind="whisper", weights=""), folder)
    clips = [Clip(p.stem, p) for p in sorted((mirror / "clips/AudioWAV").glob("*.wav"))[:4]]
    for clip, vectors in encoder.encode_all(clips):
        alone = encoder.encode(clip)
        assert np.abs(vectors - alone).max() < 1e-3 * np.abs(alone).max()
