"""Prosody by plain signal processing, and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ugcl.features.media.activity import active
from ugcl.features.media.sound import RATE

HOP, WINDOW = 0.010, 0.040  # seconds; three periods of the lowest pitch
LOWEST, HIGHEST = 75.0, 600.0  # Hz
VOICED = 0.45  # least normalised autocorrelation of a voiced frame (Boersma 1993)
SILENT = 0.03  # share of the clip's peak that a voiced frame reaches (Boersma 1993)
OCTAVE = 0.03  # cost of an octave down; 0.01 in Boersma (1993), where a path through the frames does the rest
DIP, BELOW = 2.0, 25.0  # dB: between syllables, and from the loudest (de Jong and Wempe 2009)
BLOCK = 1000  # frames that are held at a time

HEIGHTS = ((110.0, "very low"), (160.0, "low"), (220.0, "of medium pitch"), (300.0, "high"))
VARIATIONS = ((5.0, "monotonous"), (10.0, "moderately varied"))
LEVELS = ((-45.0, "very quiet"), (-35.0, "quiet"), (-25.0, "of medium loudness"))
SPEEDS = ((3.0, "slow"), (5.0, "of medium speed"))
"""Upper bounds → words; a word of its own above the last. The bounds are this project's, the same for all
corpora and speakers: pitch of men is about 120 Hz and of women about 210 Hz, speech has about four syllables
per second, and levels depend on the recording."""


@dataclass(frozen=True)
class Prosody:
    """Prosody of a clip.

    Attributes:
        pitch: median over voiced frames, Hz; NaN where no frame is voiced.
        variation: from the 10th to the 90th percentile of the pitch, semitones; NaN likewise.
        level: root mean square of the frames that stand out from the quiet ones, dB of full scale.
        rate: syllables per second of these frames.
    """

    pitch: float
    variation: float
    level: float
    rate: float


def prosody(samples: np.ndarray) -> Prosody:
    """Measure a clip.

    Args:
        samples: (samples,) mono at 16 kHz, full scale ±1.
    """
    loud = active(samples)
    pitch = pitches(samples)
    voiced = pitch[pitch > 0]
    middle, variation = np.nan, np.nan
    if len(voiced):
        low, middle, high = np.percentile(voiced, [10, 50, 90])
        variation = 12 * np.log2(high / low)
    power = _frames(np.square(samples, dtype=np.float64)).mean(axis=1)[: len(loud)]
    chosen = power[loud[: len(power)]] if loud[: len(power)].any() else power
    level = 10 * float(np.log10(max(float(chosen.mean()), 1e-12)))
    seconds = max(float(loud.sum()) * HOP, WINDOW)
    return Prosody(float(middle), float(variation), level, _syllables(power, pitch) / seconds)


def pitches(samples: np.ndarray) -> np.ndarray:
    """Pitch of each frame by normalised autocorrelation (Boersma 1993, Proc. Inst. Phonetic Sciences 17).

    The autocorrelation of the windowed frame is divided by that of the window. The lag with the highest
    value, less a small cost of lower octaves, is the period. Each frame is decided by itself.

    Args:
        samples: (samples,) mono at 16 kHz.

    Returns:
        (frames,) Hz, 0 where unvoiced; a frame every 10 ms.
    """
    frames = _frames(samples)
    size, window = frames.shape[1], np.hanning(frames.shape[1] + 2)[1:-1]
    points = 1 << (2 * size - 1).bit_length()
    lags = np.arange(int(RATE / HIGHEST) - 1, int(np.ceil(RATE / LOWEST)) + 2)  # one more at each end
    of_window = _correlation(window, points)[lags] / np.square(window).sum()
    cost, peak = OCTAVE * np.log2(LOWEST * lags[1:-1] / RATE), float(np.abs(samples).max(initial=0.0))
    found = []
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK].astype(np.float64)
        loud = np.abs(block).max(axis=1) >= SILENT * peak
        block = (block - block.mean(axis=1, keepdims=True)) * window
        energy = np.maximum(np.square(block).sum(axis=1, keepdims=True), 1e-12)
        r = _correlation(block, points)[:, lags] / energy / of_window
        before, at, after = r[:, :-2], r[:, 1:-1], r[:, 2:]
        peaks = (at >= before) & (at > after) & (at > VOICED)
        bend = np.where(peaks, before - 2 * at + after, -1.0)  # a parabola through three points
        height = at - np.square(before - after) / (8 * bend)
        best = np.where(peaks, height - cost, -np.inf).argmax(axis=1)[:, None]
        shift = np.take_along_axis((before - after) / (2 * bend), best, axis=1)[:, 0]
        voiced = peaks.any(axis=1) & loud
        found.append(np.where(voiced, RATE / (lags[1:-1][best[:, 0]] + shift), 0.0))
    return np.concatenate(found)


def _correlation(x: np.ndarray, points: int) -> np.ndarray:
    """Autocorrelation along the last axis, by a Fourier transform of so many points."""
    return np.fft.irfft(np.abs(np.fft.rfft(x, points)) ** 2, points)


def _frames(samples: np.ndarray) -> np.ndarray:
    """(frames, window) view of a sound, which is padded by zeros to one window at least."""
    size, hop = round(WINDOW * RATE), round(HOP * RATE)
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]


def _syllables(power: np.ndarray, pitch: np.ndarray) -> int:
    """Voiced peaks of intensity with a dip before and after each (de Jong and Wempe 2009, Behavior Research
    Methods 41, without the pause rules)."""
    from scipy.signal import find_peaks

    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    padded = np.pad(decibels, 1, constant_values=-120.0)
    peaks, _ = find_peaks(padded, height=decibels.max() - BELOW, prominence=DIP)
    return int((pitch[peaks - 1] > 0).sum())


def in_words(found: Prosody) -> str:
    """Prosody as a sentence, such as "The voice is high, monotonous, quiet and slow." """
    level, speed = _word(found.level, LEVELS, "loud"), _word(found.rate, SPEEDS, "fast")
    if np.isnan(found.pitch):
        return f"The voice is without pitch, {level} and {speed}."
    height = _word(found.pitch, HEIGHTS, "very high")
    return f"The voice is {height}, {_word(found.variation, VARIATIONS, 'lively')}, {level} and {speed}."


def _word(value: float, bounds: tuple[tuple[float, str], ...], above: str) -> str:
    return next((word for bound, word in bounds if value < bound), above)
