"""How long somebody seems to speak, by the energy of the sound alone."""

from __future__ import annotations

import numpy as np

from ugcl.features.media.sound import RATE

HOP, WINDOW = 0.010, 0.025  # seconds
RISE = 1 / 3  # of the way from the quiet to the loud frames (5th and 95th percentile, dB)
BELOW_LOUD = 30.0  # dB under the loud frames: quieter ones never count
STEADY = 6.0  # dB between quiet and loud frames: with less there are no pauses, and all of it counts
QUIET = -60.0  # dBFS: nothing below counts


def active(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Which frames are loud enough to be speech; steady noise and music count too.

    Args:
        samples: (samples,) full scale ±1.
        rate: sampling rate, Hz.

    Returns:
        (frames,) bool, one every 10 ms; frame i covers 25 ms from i × 10 ms.
    """
    hop, window = round(HOP * rate), round(WINDOW * rate)
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples), hop)
    ends = np.minimum(starts + window, len(samples))
    level = 10 * np.log10((energy[ends] - energy[starts]) / (ends - starts) + 1e-12)
    if len(level) == 0:
        return np.zeros(0, dtype=bool)
    quiet, loud = np.percentile(level, [5, 95])
    rise = quiet + RISE * (loud - quiet) if loud - quiet >= STEADY else quiet - STEADY
    return level > max(rise, loud - BELOW_LOUD, QUIET)


def speech_seconds(samples: np.ndarray, rate: int = RATE) -> float:
    """Seconds of sound that stands out from the clip's quiet frames: an estimate of the time of speech."""
    return min(float(active(samples, rate).sum() * HOP), len(samples) / rate)
