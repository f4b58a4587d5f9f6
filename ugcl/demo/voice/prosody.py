"""How emotions change a voice: pitch, rate, effort, voice quality.

Directions follow Scherer (2003, Speech Communication 40, Table 2) and Juslin and Laukka (2003, Psychological
Bulletin 129): anger and joy high, loud, wide and quick; fear high and quick with tremor; sadness low, soft,
slow and narrow; disgust low and slow with creak. Arousal has more effect than valence.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ugcl.demo.actors import Actor
from ugcl.demo.performance import Channel


@dataclass(frozen=True)
class Prosody:
    """Settings of one utterance relative to the actor's plain speech.

    Attributes:
        pitch: semitones added to F0. span: ratio of the F0 range. slope: semitones gained from start to end.
    """

    pitch: float = 0.0
    span: float = 1.0
    slope: float = -1.0
    rate: float = 1.0  # ratio of the speech rate
    gain: float = 0.0  # dB
    tilt: float = 0.0  # dB added per octave above 500 Hz
    formants: float = 1.0  # ratio of the formant frequencies
    breath: float = 0.05  # 0..1
    creak: float = 0.0  # 0..1
    tremor: float = 0.05  # semitones at 6 Hz


RECIPES = {
    "ANG": Prosody(3.0, 1.5, -3.5, 1.10, 6.5, 3.6, 0.96, 0.0, 0.10, 0.05),
    "DIS": Prosody(-3.0, 1.1, -3.5, 0.82, 0.5, 1.6, 0.89, 0.0, 0.95, 0.05),
    "FEA": Prosody(5.5, 0.8, 1.5, 1.20, 1.0, 0.6, 1.03, 0.40, 0.0, 0.85),
    "HAP": Prosody(5.5, 1.8, 2.0, 1.05, 3.0, 1.2, 1.08, 0.05, 0.0, 0.05),
    "NEU": Prosody(),
    "SAD": Prosody(-1.5, 0.5, -1.5, 0.80, -5.0, -3.0, 0.98, 0.40, 0.05, 0.15),
}
SPREAD = Prosody(0.8, 0.15, 0.8, 0.04, 1.2, 0.5, 0.012, 0.05, 0.05, 0.05)  # take-to-take deviation


def prosody(actor: Actor, channel: Channel, rng: np.random.Generator) -> Prosody:
    """The prosody of one take: plain speech moved towards the shown emotions, plus the take's deviation."""
    plain = Prosody()
    values = {}
    for field in fields(Prosody):
        rest = getattr(plain, field.name)
        mix = sorted(channel.mix.items())
        shift = sum(share * (getattr(RECIPES[emotion], field.name) - rest) for emotion, share in mix)
        value = rest + channel.strength * actor.expressive * shift
        values[field.name] = float(value + rng.normal(0, getattr(SPREAD, field.name)))
    for name in ("breath", "creak", "tremor"):
        values[name] = float(np.clip(values[name], 0, 1))
    values["span"] = max(0.25, values["span"] * actor.span)
    values["rate"] = float(np.clip(values["rate"] * actor.rate, 0.6, 1.5))
    return Prosody(**values)
