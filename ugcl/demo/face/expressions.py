"""Facial expressions in time: FACS-like recipes, lips that follow the phonemes, blinks, head motion.

Recipes follow the prototypes of the Facial Action Coding System (Ekman, Friesen and Hager 2002): for example
happiness is AU 6 + 12, fear AU 1 + 2 + 4 + 5 + 20, disgust AU 9 + 10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ugcl.demo.actors import GROUPS, Actor
from ugcl.demo.face.bust import Pose
from ugcl.demo.performance import Channel

# Both sides unless a side is named; variants are played by different actors and clips.
RECIPES: dict[str, tuple[dict[str, float], ...]] = {"NEU": ({}, {})}
RECIPES["ANG"] = (
    dict(browDown=1.15, eyeSquint=0.5, noseSneer=0.25, mouthPress=0.9, jawForward=0.4, mouthFrown=0.2),
    dict(browDown=1.15, eyeWide=0.25, noseSneer=0.4, mouthLowerDown=0.9, mouthUpperUp=0.35, jawOpen=0.12),
)
RECIPES["DIS"] = (
    dict(noseSneer=1.2, mouthUpperUp=0.9, browDown=0.45, cheekSquint=0.6, eyeSquint=0.6, mouthFrown=0.25),
    dict(noseSneer=1.0, mouthShrugLower=0.8, mouthFrown=0.5, cheekSquint=0.5, eyeSquint=0.8, browDown=0.3),
)
RECIPES["FEA"] = (
    dict(browInnerUp=1.1, browOuterUp=0.8, eyeWide=1.3, mouthStretch=0.9, jawOpen=0.14, browDown=0.2),
    dict(browInnerUp=1.2, browOuterUp=0.5, eyeWide=1.2, mouthLowerDown=0.5, mouthStretch=0.6, jawOpen=0.2),
)
RECIPES["HAP"] = (
    dict(mouthSmile=0.9, cheekSquint=0.9, eyeSquint=0.3, mouthUpperUp=0.3, jawOpen=0.06),
    dict(mouthSmile=0.75, mouthDimple=0.6, cheekSquint=0.7, browOuterUp=0.2),
)
RECIPES["SAD"] = (
    dict(browInnerUp=1.15, mouthFrown=1.0, mouthShrugLower=0.5, eyeBlink=0.22, eyeLookDown=0.5),
    dict(browInnerUp=1.0, browDown=0.3, mouthFrown=0.9, eyeBlink=0.3, mouthPress=0.5, eyeLookDown=0.4),
)
HEAD = dict(ANG=(0.05, 0.0), DIS=(-0.05, 0.06), FEA=(-0.05, 0.0), HAP=(-0.03, 0.04), SAD=(0.10, 0.02))
HABITS = ("browDown", "browInnerUp", "mouthPress", "mouthSmile", "mouthFrown", "eyeSquint")
ONE_SIDED = frozenset(
    {"browInnerUp", "jawOpen", "jawForward"}
    | {"mouthFunnel", "mouthPucker", "mouthRollLower", "mouthShrugLower"}
)

# Phoneme class -> lips. IPA symbols as the synthesizer writes them.
VISEMES: dict[str, tuple[str, dict[str, float]]] = {
    "closed": ("mbp", {"mouthPress": 0.5, "jawOpen": -0.08}),
    "teeth": ("fv", {"mouthRollLower": 0.5, "mouthUpperUp": 0.15, "jawOpen": 0.04}),
    "open": ("aɑæʌɒɐ", {"jawOpen": 0.34, "mouthLowerDown": 0.2}),
    "mid": ("eɛəɜɚ3", {"jawOpen": 0.2, "mouthStretch": 0.1}),
    "spread": ("iɪj", {"jawOpen": 0.1, "mouthStretch": 0.3, "mouthSmile": 0.06}),
    "round": ("ouʊɔw", {"mouthPucker": 0.55, "mouthFunnel": 0.3, "jawOpen": 0.12}),
    "hush": ("ʃʒ", {"mouthFunnel": 0.45, "jawOpen": 0.06}),
    "tongue": ("tdnlszθðɹrkɡgŋh", {"jawOpen": 0.09}),
}


@dataclass(frozen=True)
class Frame:
    """One video frame's control values."""

    actions: dict[str, float]
    folds: dict[str, float]
    pose: Pose


def frames(
    actor: Actor,
    channel: Channel,
    phonemes: list[tuple[float, float, str]],
    duration: float,
    fps: int,
    rng: np.random.Generator,
) -> list[Frame]:
    """Control values of every frame of a clip.

    Args:
        actor: whose habits scale the recipe.
        channel: what the face shows.
        phonemes: (start, end, IPA symbol) in seconds.
        duration: seconds of the clip.
    """
    count = max(1, round(duration * fps))
    times = (np.arange(count) + 0.5) / fps
    envelope = _envelope(times, duration, rng)
    tracks: dict[str, np.ndarray] = {}
    for name, weight in _apex(actor, channel, rng).items():
        wobble = 1 + 0.08 * np.sin(2 * np.pi * rng.uniform(0.4, 1.2) * times + rng.uniform(0, 6.3))
        tracks[name] = weight * envelope * wobble
    for name, track in _speech(times, phonemes, fps).items():
        tracks[name] = tracks.get(name, 0) + track * rng.uniform(0.8, 1.15)
    _blinks(tracks, times, rng)
    poses = _head(channel, envelope, times, rng)
    sides = {name: _sides(name, rng) for name in sorted(tracks)}
    result = []
    for i in range(count):
        gains = [(target, tracks[name][i] * gain) for name, pairs in sides.items() for target, gain in pairs]
        actions = {target: float(np.clip(value, 0, 1.4)) for target, value in gains}
        result.append(Frame(actions, folds(actions), poses[i]))
    return result


def folds(actions: dict[str, float]) -> dict[str, float]:
    """Depth of the skin's folds that facial actions draw."""

    def of(*names: str) -> float:
        return max(
            max(actions.get(name, 0.0), actions.get(f"{name}Left", 0.0), actions.get(f"{name}Right", 0.0))
            for name in names
        )

    return {
        "forehead": 0.30 * of("browInnerUp", "browOuterUp"),
        "glabella": 0.42 * of("browDown"),
        "nasolabial": 0.34 * of("mouthSmile", "noseSneer", "mouthUpperUp"),
        "nose": 0.40 * of("noseSneer"),
        "crow": 0.25 * of("cheekSquint"),
    }


def _apex(actor: Actor, channel: Channel, rng: np.random.Generator) -> dict[str, float]:
    apex: dict[str, float] = {}
    for emotion, share in sorted(channel.mix.items()):
        first, second = RECIPES[emotion]
        lean = rng.beta(0.5, 0.5)
        for name in sorted({*first, *second}):
            group = next(group for group in GROUPS if name.startswith(group))
            weight = (1 - lean) * first.get(name, 0.0) + lean * second.get(name, 0.0)
            weight *= channel.strength * share * actor.style[group] * rng.uniform(0.75, 1.2)
            apex[name] = apex.get(name, 0.0) + weight
    for name in HABITS:
        apex[name] = apex.get(name, 0.0) + abs(rng.normal(0, 0.10))
    return apex


def _envelope(times: np.ndarray, duration: float, rng: np.random.Generator) -> np.ndarray:
    """Onset, apex and offset of the expression, 0..1."""
    start, rise = rng.uniform(-0.05, 0.2), rng.uniform(0.2, 0.5)
    end, fall = duration - rng.uniform(0.0, 0.3), rng.uniform(0.3, 0.6)
    up = np.clip((times - start) / rise, 0, 1)
    down = np.clip((end - times) / fall, 0, 1)
    return np.minimum(up * up * (3 - 2 * up), 0.35 + 0.65 * down * down * (3 - 2 * down))


def _speech(times: np.ndarray, phonemes: list[tuple[float, float, str]], fps: int) -> dict[str, np.ndarray]:
    """Tracks of the lips and jaw: each phoneme's shape, blurred over its neighbours (coarticulation)."""
    tracks: dict[str, np.ndarray] = {}
    shapes = {symbol: shape for symbols, shape in VISEMES.values() for symbol in symbols}
    for start, end, symbol in phonemes:
        shape = next((shapes[letter] for letter in symbol if letter in shapes), None)
        if shape is None:
            continue
        middle, half = (start + end) / 2, (end - start) / 2
        bell = np.exp(-0.5 * ((times - middle) / (0.55 * half + 0.6 / fps)) ** 2)
        for name, weight in shape.items():
            tracks[name] = tracks.get(name, 0) + weight * bell
    return tracks


def _blinks(tracks: dict[str, np.ndarray], times: np.ndarray, rng: np.random.Generator) -> None:
    blink = np.zeros_like(times)
    moment = rng.uniform(0.1, 1.8)
    while moment < times[-1]:
        blink = np.maximum(blink, np.exp(-(((times - moment) / 0.06) ** 2)))
        moment += rng.uniform(1.2, 3.5)
    lids = tracks.get("eyeBlink", np.zeros_like(times))
    tracks["eyeBlink"] = np.maximum(lids, blink)
    for name in ("eyeWide", "eyeSquint"):
        if name in tracks:
            tracks[name] = tracks[name] * (1 - blink)


def _head(channel: Channel, envelope: np.ndarray, times: np.ndarray, rng: np.random.Generator) -> list[Pose]:
    def sway(size: float) -> np.ndarray:
        slow = np.sin(2 * np.pi * rng.uniform(0.2, 0.5) * times + rng.uniform(0, 6.3))
        quick = np.sin(2 * np.pi * rng.uniform(0.8, 1.6) * times + rng.uniform(0, 6.3))
        return size * (slow + 0.4 * quick)

    nods = [np.multiply(HEAD.get(emotion, (0, 0)), share) for emotion, share in channel.mix.items()]
    nod, tilt = sum(nods) * channel.strength  # pyright: ignore[reportGeneralTypeIssues]
    yaw = np.clip(rng.normal(0, 0.08), -0.16, 0.16) + sway(0.035)
    pitch = rng.normal(0, 0.04) + nod * envelope + sway(0.025)
    roll = rng.normal(0, 0.025) + rng.choice([-1, 1]) * tilt * envelope + sway(0.015)
    x, y = rng.normal(0, 0.06) + sway(0.015), rng.normal(0, 0.03) + sway(0.01)
    return [Pose(*(float(value) for value in row)) for row in zip(yaw, pitch, roll, x, y, strict=True)]


def _sides(name: str, rng: np.random.Generator) -> list[tuple[str, float]]:
    """The targets of an action and their gains: both sides, slightly unequal."""
    if name in ONE_SIDED:
        return [(name, 1.0)]
    skew = float(rng.normal(0, 0.07)) if name != "eyeBlink" else 0.0
    return [(f"{name}Left", 1 + skew), (f"{name}Right", 1 - skew)]
