"""What each clip shows in voice and face: clear, faint, mixed with a neighbour, or plainly something else.

People act unevenly: often one channel carries the emotion and the other does not. Each clip draws one of
four cases from the seed, so that either modality alone misleads at times and the two together seldom do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ugcl.demo.actors import stream
from ugcl.plan.demo import EMOTIONS, SENTENCES

CASES = {"both": 0.42, "face": 0.26, "voice": 0.30, "neither": 0.02}  # which channel carries the emotion
FAULTS = {"faint": 0.55, "mixed": 0.27, "other": 0.18}  # how the other channel fails
LEVEL = {"LO": 0.62, "MD": 0.85, "HI": 1.1, "XX": 0.92}

# The class that each is taken for, most likely first: near in arousal (voice) or in facial action.
VOICE_NEIGHBOURS = {
    "ANG": ("HAP", "FEA"),
    "DIS": ("SAD", "NEU"),
    "FEA": ("HAP", "ANG"),
    "HAP": ("ANG", "FEA"),
    "NEU": ("SAD", "DIS"),
    "SAD": ("DIS", "NEU"),
}
FACE_NEIGHBOURS = {
    "ANG": ("DIS", "NEU"),
    "DIS": ("ANG", "SAD"),
    "FEA": ("SAD", "HAP"),
    "HAP": ("NEU", "DIS"),
    "NEU": ("SAD", "ANG"),
    "SAD": ("FEA", "NEU"),
}


@dataclass(frozen=True)
class Channel:
    """What one modality shows: shares of emotions that sum to 1, and how strongly (about 0..1.2)."""

    mix: dict[str, float]
    strength: float

    def seen(self) -> np.ndarray:
        """Shares over EMOTIONS (6,), where lack of strength reads as neutral."""
        shares = np.array([self.mix.get(emotion, 0.0) for emotion in EMOTIONS])
        clarity = min(1.0, self.strength / 0.8)
        return clarity * shares + (1 - clarity) * (np.array(EMOTIONS) == "NEU")


@dataclass(frozen=True)
class Performance:
    """One clip: who says what, meaning which emotion, and what voice and face show of it."""

    clip: str
    sentence: str
    emotion: str
    level: str
    voice: Channel
    face: Channel


def performance(clip: str, seed: int) -> Performance:
    """The performance of a clip; depends on the seed and the clip's name alone."""
    actor, sentence, emotion, level = clip.split("_")
    rng = stream(seed, "performance", clip)
    # One draw in each quarter of the unit interval for an actor's four sentences: every actor gets all cases.
    quarters = stream(seed, "cases", actor, emotion).permutation(len(SENTENCES))
    place = (quarters[list(SENTENCES).index(sentence)] + rng.uniform()) / len(SENTENCES)
    case = list(CASES)[int(np.searchsorted(np.cumsum(list(CASES.values()))[:-1], place, side="right"))]
    force = LEVEL[level] * rng.uniform(0.85, 1.12)
    voice = _channel(rng, emotion, force, case in ("both", "voice"), VOICE_NEIGHBOURS)
    face = _channel(rng, emotion, force, case in ("both", "face"), FACE_NEIGHBOURS)
    return Performance(clip, sentence, emotion, level, voice, face)


def _channel(
    rng: np.random.Generator,
    emotion: str,
    force: float,
    carries: bool,
    neighbours: dict[str, tuple[str, str]],
) -> Channel:
    fault = rng.choice(list(FAULTS), p=list(FAULTS.values()))
    other = neighbours[emotion][int(rng.uniform() < 0.35)]
    share, weak = rng.uniform(0.4, 0.6), rng.uniform(0.1, 0.35)
    if carries:
        return Channel({emotion: 1.0}, force)
    if fault == "faint":
        return Channel({emotion: 1.0}, force * weak)
    if fault == "mixed":
        return Channel({emotion: 1 - share, other: share}, 0.85 * force)
    return Channel({other: 1.0}, 0.9 * force)
