"""Estimated duration of speech from the energy of the sound alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ugcl.features.media.sound import RATE

HOP, WINDOW = 0.010, 0.025  # seconds
RISE = 1 / 3  # of the way from the quiet to the loud frames (5th and 95th percentile, dB)
BELOW_LOUD = 30.0  # dB under the loud frames: quieter ones never count
STEADY = 6.0  # dB between quiet and loud frames: with less there are no pauses, and all of it counts
QUIET = -60.0  # dBFS: nothing below counts


@dataclass(frozen=True)
class Sound:
    """What is kept of a clip's sound: minutes of it need no more room than a picture.

    Attributes:
        low, high: (blocks,) smallest and largest sample of blocks of `step` seconds, for drawing.
    """

    seconds: float  # its length
    active: np.ndarray  # (frames,) bool, see :func:`active`
    low: np.ndarray
    high: np.ndarray
    step: float  # seconds

    @property
    def speech(self) -> float:
        """Seconds of sound that stands out from the clip's quiet frames: an estimate of time of speech."""
        return min(float(self.active.sum() * HOP), self.seconds)


def listen(stretches: Iterable[np.ndarray], rate: int = RATE) -> Sound:
    """Go through a sound stretch by stretch.

    Args:
        stretches: (samples,) each, full scale ±1.
        rate: sampling rate, Hz.
    """
    block = math.gcd(round(HOP * rate), round(WINDOW * rate))
    energy, low, high, rest, count = [], [], [], np.zeros(0, np.float32), 0
    for samples in stretches:
        count += len(samples)
        rest = np.concatenate([rest, samples])
        blocks, rest = np.split(rest, [len(rest) // block * block])
        blocks = blocks.reshape(-1, block)
        energy.append(np.square(blocks, dtype=np.float64).sum(axis=1))
        low.append(blocks.min(axis=1))
        high.append(blocks.max(axis=1))
    if len(rest):
        energy.append(np.array([np.square(rest, dtype=np.float64).sum()]))
        low.append(rest.min(keepdims=True))
        high.append(rest.max(keepdims=True))
    joined = [np.concatenate(parts) if parts else np.zeros(0) for parts in (energy, low, high)]
    return Sound(count / rate, _active(joined[0], block, count, rate), joined[1], joined[2], block / rate)


def active(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Which frames are loud enough to be speech; steady noise and music count too.

    Args:
        samples: (samples,) full scale ±1.
        rate: sampling rate, Hz.

    Returns:
        (frames,) bool, one every 10 ms; frame i covers 25 ms from i × 10 ms.
    """
    return listen([samples], rate).active


def speech_seconds(samples: np.ndarray, rate: int = RATE) -> float:
    """Seconds of sound that stands out from the clip's quiet frames; see :attr:`Sound.speech`."""
    return listen([samples], rate).speech


def _active(energy: np.ndarray, block: int, count: int, rate: int) -> np.ndarray:
    """Loud frames by the energy of blocks (blocks,) of a sound of `count` samples."""
    if count == 0:
        return np.zeros(0, dtype=bool)
    hop, window = round(HOP * rate), round(WINDOW * rate)
    summed = np.concatenate([[0.0], np.cumsum(energy)])
    starts = np.arange(0, count, hop)
    ends = np.minimum(starts + window, count)
    inside = summed[-(-ends // block)] - summed[starts // block]
    level = 10 * np.log10(inside / (ends - starts) + 1e-12)
    quiet, loud = np.percentile(level, [5, 95])
    rise = quiet + RISE * (loud - quiet) if loud - quiet >= STEADY else quiet - STEADY
    return level > max(rise, loud - BELOW_LOUD, QUIET)
