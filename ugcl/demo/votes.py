"""Simulated raters: ten votes per clip and channel, drawn from what the channel shows."""

from __future__ import annotations

import numpy as np

from ugcl.demo.actors import stream
from ugcl.demo.performance import Performance
from ugcl.plan.demo import EMOTIONS

CHANNELS = ("voice", "face", "multimodal")
RATERS = 10
DOUBT = {"voice": 0.30, "face": 0.16}  # share of votes that a channel's usual confusions take

# How doubt is spread, in the order of EMOTIONS; rows sum to 1. Voices confuse arousal, faces confuse actions.
CONFUSION = {
    "voice": [
        [0.00, 0.15, 0.20, 0.35, 0.30, 0.00],
        [0.15, 0.00, 0.05, 0.00, 0.50, 0.30],
        [0.15, 0.05, 0.00, 0.30, 0.20, 0.30],
        [0.35, 0.00, 0.25, 0.00, 0.40, 0.00],
        [0.10, 0.35, 0.05, 0.10, 0.00, 0.40],
        [0.00, 0.25, 0.10, 0.00, 0.65, 0.00],
    ],
    "face": [
        [0.00, 0.50, 0.05, 0.00, 0.40, 0.05],
        [0.55, 0.00, 0.05, 0.00, 0.20, 0.20],
        [0.05, 0.10, 0.00, 0.05, 0.30, 0.50],
        [0.00, 0.10, 0.10, 0.00, 0.80, 0.00],
        [0.25, 0.15, 0.10, 0.15, 0.00, 0.35],
        [0.05, 0.15, 0.40, 0.00, 0.40, 0.00],
    ],
}


def beliefs(act: Performance) -> dict[str, np.ndarray]:
    """What a rater of each channel is likely to choose: probabilities over EMOTIONS (6,)."""
    result = {}
    for channel, shown in (("voice", act.voice), ("face", act.face)):
        seen = shown.seen()
        result[channel] = (1 - DOUBT[channel]) * seen + DOUBT[channel] * seen @ np.array(CONFUSION[channel])
    # A neutral channel says little: raters of both channels follow the one that shows something.
    neutral = EMOTIONS.index("NEU")
    trust = {channel: 1.05 - result[channel][neutral] for channel in result}
    mean = sum(trust[channel] * result[channel] for channel in result) / sum(trust.values())
    joint = mean**1.5
    result["multimodal"] = joint / joint.sum()
    return result


def votes(act: Performance, seed: int) -> dict[str, np.ndarray]:
    """Counts of the raters' choices over EMOTIONS (6,) for every channel; each sums to RATERS."""
    rng = stream(seed, "votes", act.clip)
    return {channel: rng.multinomial(RATERS, chances) for channel, chances in beliefs(act).items()}


def majority(counts: np.ndarray) -> str:
    """The emotion code with most votes, "" when two or more tie."""
    best = np.flatnonzero(counts == counts.max())
    return EMOTIONS[best[0]] if len(best) == 1 else ""
