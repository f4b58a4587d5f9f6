"""The synthetic actors: who each is, how they look, sound and express themselves. All drawn from the seed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from ugcl.demo.face.skin import Paint
from ugcl.plan.demo import FIRST

GROUPS = ("brow", "eye", "nose", "cheek", "mouth", "jaw")  # of facial actions
SKINS = {
    "african": ((0.30, 0.165, 0.105), (0.16, 0.085, 0.055)),
    "asian": ((0.62, 0.40, 0.275), (0.52, 0.32, 0.205)),
    "caucasian": ((0.70, 0.445, 0.345), (0.58, 0.36, 0.255)),
}
HAIRS = (
    *((0.010, 0.008, 0.007), (0.035, 0.018, 0.010), (0.10, 0.045, 0.020)),  # black and brown
    *((0.30, 0.17, 0.07), (0.16, 0.045, 0.015)),  # fair and red
)
IRISES = (
    *((0.07, 0.035, 0.015), (0.10, 0.06, 0.025)),  # brown
    *((0.10, 0.17, 0.26), (0.09, 0.14, 0.08), (0.16, 0.17, 0.17)),  # blue, green, grey
)
SHAPES = (
    *("head-fat", "nose-scale-horiz", "nose-scale-vert", "nose-volume", "nose-width2", "mouth-scale-horiz"),
    *("mouth-upperlip-height", "mouth-lowerlip-height", "chin-jaw-drop", "chin-prominent", "chin-width"),
)
SHAPES_OF_SIDES = ("eye-scale", "ear-scale", "cheek-volume", "cheek-bones")
FEMALE_HAIR = ("long", "bob", "bun", "long", "short", "bob")
MALE_HAIR = ("short", "crop", "receding", "short", "bald", "curly")


@dataclass(frozen=True)
class Actor:
    """One synthetic actor.

    Attributes:
        pitch: F0 median, Hz. tract: formant ratio to the synthesizer's voice. rate: speech rate, 1 is usual.
    """

    number: int
    sex: str
    age: int
    people: str
    targets: dict[str, float]  # identity weights of the head's macro- and shape- targets
    paint: Paint
    iris: tuple[float, float, float]
    hair: tuple[float, float, float]
    hairstyle: str
    hairline: float
    cloth: tuple[float, float, float]
    collar: tuple[float, float, float]
    vee: float
    shine: float
    style: dict[str, float]  # per-actor gain of each facial action's group, around 1
    pitch: float
    tract: float
    rate: float
    span: float  # F0 range ratio
    expressive: float  # how much the voice moves between emotions, around 1

    @property
    def id(self) -> int:
        """The id in file names, 1001 for the first actor."""
        return FIRST + self.number - 1


def stream(seed: int, *words: object) -> np.random.Generator:
    """A random generator that depends on the seed and the words, and on nothing else."""
    return np.random.default_rng([seed, *(zlib.crc32(str(word).encode()) for word in words)])


def actor(number: int, seed: int) -> Actor:
    """The actor with this number, from 1; odd numbers are women, even numbers men."""
    rng = stream(seed, "actor", number)
    pair = (number - 1) // 2
    sex = "female" if number % 2 else "male"
    age = int(np.clip(22 + 46 * ((pair * 5 + (sex == "male") * 2) % 12) / 11 + rng.integers(-2, 3), 20, 72))
    people = ("caucasian", "african", "asian")[(pair + (sex == "male")) % 3]
    old = float(np.clip((age - 28) / 44, 0, 1))
    light, dark = (np.array(tone) for tone in SKINS[people])
    skin = light + (dark - light) * rng.uniform(0, 1)
    fair = people == "caucasian"
    hair = np.array(HAIRS[rng.integers(0, 5)] if fair else HAIRS[rng.integers(0, 2)])
    grey = max(0.0, old - 0.45) * 1.5
    hair = hair * (1 - grey) + grey * np.array([0.42, 0.41, 0.40])
    styles = FEMALE_HAIR if sex == "female" else MALE_HAIR
    cloth = np.array([rng.uniform(0.02, 0.5), rng.uniform(0.02, 0.4), rng.uniform(0.03, 0.5)])
    bearded = sex == "male" and styles[pair % 6] != "bald" and rng.uniform() < 0.4
    beard = rng.uniform(0.55, 0.85) if bearded else (sex == "male") * rng.uniform(0.03, 0.2)
    paint = Paint(
        skin=_colour(skin),
        lips=_colour(skin * ((0.80, 0.45, 0.47) if sex == "female" else (0.83, 0.60, 0.60))),
        brow=_colour(np.minimum(hair * 0.7, skin * 0.3)),
        brow_thickness=rng.uniform(0.024, 0.032) if sex == "female" else rng.uniform(0.032, 0.044),
        brow_height=rng.uniform(-0.008, 0.012) + (0.012 if sex == "female" else 0),
        beard=float(beard),
        age=old,
        blush=float(rng.uniform(0.5, 1.2)),
    )
    women = sex == "female"
    return Actor(
        number=number,
        sex=sex,
        age=age,
        people=people,
        targets=_identity(rng, sex, people, old),
        paint=paint,
        iris=IRISES[rng.integers(0, 5) if fair else rng.integers(0, 2)],
        hair=_colour(hair),
        hairstyle=styles[pair % 6],
        hairline=float(rng.uniform(7.84, 7.93)),
        cloth=_colour(cloth),
        collar=_colour(cloth * rng.choice([0.55, 1.0, 1.5])),
        vee=float(rng.choice([0.0, 0.0, 0.5, 0.9])),
        shine=float(rng.uniform(0.5, 1.1)),
        style={group: float(rng.uniform(0.72, 1.25)) for group in GROUPS},
        pitch=float(rng.uniform(185, 235) if women else rng.uniform(98, 138)),
        tract=float(rng.uniform(1.12, 1.22) if women else rng.uniform(0.93, 1.04)),
        rate=float(rng.uniform(0.92, 1.1)),
        span=float(rng.uniform(0.85, 1.2)),
        expressive=float(rng.uniform(0.85, 1.15)),
    )


def _colour(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in np.clip(values, 0.004, 0.9))
    return red, green, blue


def _identity(rng: np.random.Generator, sex: str, people: str, old: float) -> dict[str, float]:
    """Macro targets that sum to one, and small random shapes of the features."""
    share = rng.dirichlet([0.6, 0.6, 0.6]) * 0.3
    mix = dict(zip(("african", "asian", "caucasian"), share, strict=True))
    mix[people] += 0.7
    aged = 0.75 * old
    weights: dict[str, float] = {}
    for name, part in mix.items():
        weights[f"macro-{name}-{sex}-young"] = float(part * (1 - aged))
        weights[f"macro-{name}-{sex}-old"] = float(part * aged)
    forms = ("round", "oval", "square", "rectangular", "triangular", "invertedtriangular", "diamond")
    weights[f"shape-head-{forms[rng.integers(0, 7)]}"] = float(rng.uniform(0.2, 0.7))
    for stem in (*SHAPES, *SHAPES_OF_SIDES):
        value = float(rng.normal(0, 0.4 if stem != "mouth-scale-horiz" else 0.2))
        way = "incr" if value > 0 else "decr"
        for side in ("-l", "-r") if stem in SHAPES_OF_SIDES else ("",):
            weights[f"shape-{stem}-{way}{side}"] = min(1.0, abs(value))
    for stem in ("nose-trans", "mouth-trans", "eyebrows-trans", "nose-point"):
        value = float(rng.normal(0, 0.25))
        weights[f"shape-{stem}-{'up' if value > 0 else 'down'}"] = min(0.8, abs(value))
    return weights
