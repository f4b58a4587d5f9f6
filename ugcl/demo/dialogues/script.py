"""The script of the dialogues: who says what, with which emotion, and what shows it.

A dialogue is a sequence of exchanges. One actor opens a topic, and the words show the emotion. The partner
answers, and at times the first actor speaks once more. Most answers are plain words. Their emotion is

- in the voice alone or in the face alone, and does not depend on what came before; or
- in nothing but the context: the opening causes the partner's emotion (an insult makes angry, a gift happy, a
  loss sad), and the first actor still has the emotion of the opening.

So each of text, voice, face and context is needed for some turns and useless for others, by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ugcl.demo.actors import stream
from ugcl.demo.dialogues.lines import ANSWERS, CODES, PLAIN, TOPICS, opening
from ugcl.demo.performance import Channel
from ugcl.plan.demo import dialogues as names

SHARES = {"context": 10, "voice": 4, "face": 4, "words": 1, "none": 1}
"""Of the turns that open no topic, relative."""

STRONG = ("ANG", "HAP", "SAD")
"""Emotions that voice or face can show alone. A neutral one is what they show in all other turns."""

NOTHING = Channel({"NEU": 1.0}, 1.0)


@dataclass(frozen=True)
class Turn:
    """One clip: who says what, meaning which emotion, what shows it, and what voice and face show."""

    clip: str
    dialogue: str
    number: int
    actor: int
    emotion: str
    evidence: str
    transcript: str
    voice: Channel
    face: Channel


class Deck:
    """Draws without replacement, shuffled anew when all are drawn: every session gets all kinds of turns."""

    def __init__(self, rng: np.random.Generator, shares: dict[str, int]) -> None:
        self.rng = rng
        self.items = [name for name, share in shares.items() for _ in range(share)]
        self.left: list[str] = []

    def draw(self) -> str:
        """The next item."""
        if not self.left:
            self.left = [self.items[place] for place in self.rng.permutation(len(self.items))]
        return self.left.pop()


@cache
def script(session: int, seed: int) -> dict[str, Turn]:
    """The turns of a session by clip name, in order; depends on the seed and the session alone."""
    rng = stream(seed, "script", session)
    topics = Deck(rng, {name: topic.share for name, topic in TOPICS.items()})
    kinds = Deck(rng, SHARES)
    emotions = {kind: Deck(rng, dict.fromkeys(STRONG, 1)) for kind in ("voice", "face")}
    emotions |= {kind: Deck(rng, dict.fromkeys(CODES, 1)) for kind in ("words", "none")}
    plain = Deck(rng, dict.fromkeys(PLAIN, 1))
    turns = {}
    for clips in names.dialogues(session):
        left = iter(clips)
        for length in _exchanges(len(clips), rng):
            topic = TOPICS[name := topics.draw()]
            first = _turn(next(left), topic.emotion, "words", opening(name, rng), rng)
            turns[first.clip] = first
            for felt in (topic.answer, topic.emotion)[: length - 1]:
                kind = kinds.draw()
                emotion = felt if kind == "context" else emotions[kind].draw()
                line = str(rng.choice(ANSWERS[emotion])) if kind == "words" else plain.draw()
                turn = _turn(next(left), emotion, kind, line, rng)
                turns[turn.clip] = turn
    return turns


def turn(clip: str, seed: int) -> Turn:
    """The turn of a clip name."""
    return script(names.parse(clip)[0], seed)[clip]


def _exchanges(turns: int, rng: np.random.Generator) -> list[int]:
    """Lengths of exchanges, 2 or 3 turns each, that fill a dialogue."""
    lengths = []
    while turns:
        lengths.append(turns if turns <= 3 else 2 if turns == 4 else int(rng.integers(2, 4)))
        turns -= lengths[-1]
    return lengths


def _turn(clip: str, emotion: str, evidence: str, line: str, rng: np.random.Generator) -> Turn:
    session, dialogue, number, actor = names.parse(clip)
    force = rng.uniform(0.85, 1.1)
    shown = {"voice": NOTHING, "face": NOTHING}
    if evidence in shown:
        shown[evidence] = Channel({emotion: 1.0}, force)
    elif evidence == "none":
        other = str(rng.choice([code for code in CODES if code != emotion]))
        shown = dict.fromkeys(shown, Channel({emotion: 0.5, other: 0.5}, 0.7 * force))
    return Turn(clip, f"s{session}d{dialogue}", number, actor, emotion, evidence, line, **shown)
