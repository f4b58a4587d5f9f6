"""Speech seconds by energy: pauses are left out, steady sound is not, silence is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from ugcl.features.media.activity import active, speech_seconds

RATE = 16000


def noise(seconds: float, level: float) -> np.ndarray:
    return (level * np.random.default_rng(0).normal(size=round(seconds * RATE))).astype(np.float32)


def test_pauses_with_room_noise_do_not_count() -> None:
    samples = noise(3.0, 0.002)
    samples[RATE : 2 * RATE] += noise(1.0, 0.2)
    assert speech_seconds(samples) == pytest.approx(1.0, abs=0.05)
    assert not active(samples)[:95].any() and active(samples)[105:195].all()


def test_steady_sound_counts_whole_and_silence_not_at_all() -> None:
    assert speech_seconds(noise(1.0, 0.1)) == pytest.approx(1.0, abs=0.03)
    assert speech_seconds(np.zeros(RATE, np.float32)) == 0
    assert speech_seconds(np.zeros(0, np.float32)) == 0


def test_another_gain_changes_nothing() -> None:
    samples = noise(2.0, 0.003)
    samples[: RATE // 2] += noise(0.5, 0.3)
    assert speech_seconds(samples) == speech_seconds(samples / 8)
