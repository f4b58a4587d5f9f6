"""The script of the dialogues: who says what, with which emotion, and what shows it.

A dialogue is a sequence of exchanges. The first turn of an exchange shows a new emotion: in its words (an
insult, a gift, a loss, a plan), or with plain words in the voice alone or in the face alone. The emotion then
passes to the partner and stays until the next exchange. Of the turns that follow, some show it in words,
voice or face too. About half show nothing: their plain words, voice and face go with every emotion, and only
the turns before say which it is. Where words show the emotion, voice and face do so faintly.

So each of text, voice, face and context decides some turns and says nothing of others, by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ugcl.demo.actors import stream
from ugcl.demo.dialogues.lines import ANSWERS, CODES, PLAIN, opening
from ugcl.demo.performance import Channel
from ugcl.plan.demo import dialogues as names

FIRST = {"words": 6, "voice": 2, "face": 2}
NEXT = {"context": 11, "voice": 3, "face": 3, "words": 4}
"""What shows the emotion of the first turn of an exchange, and of those that follow: relative shares."""

STRONG = ("ANG", "HAP", "SAD")
"""Emotions that voice or face can show alone. A neutral one is what they show in all other turns."""

NOTHING = Channel({"NEU": 1.0}, 1.0)
FORCE = {"voice": (1.1, 1.3), "face": (0.85, 1.1)}
FAINT = (0.15, 0.3)
"""Strength of what a channel shows where it is the evidence, and where words are: ranges."""


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
    first, following = Deck(rng, FIRST), Deck(rng, NEXT)
    # More of the words are neutral, to balance the classes: no exchange begins with a neutral voice or face.
    spoken, shown = Deck(rng, dict.fromkeys(CODES, 1) | {"NEU": 2}), Deck(rng, dict.fromkeys(STRONG, 1))
    plain = Deck(rng, dict.fromkeys(PLAIN, 1))
    turns = []
    for clips in names.dialogues(session):
        left = iter(clips)
        for length in _exchanges(len(clips), rng):
            kind = first.draw()
            emotion = (spoken if kind == "words" else shown).draw()
            line = opening(emotion, rng) if kind == "words" else plain.draw()
            turns.append(_turn(next(left), emotion, kind, line, rng))
            for _ in range(length - 1):
                kind = following.draw()
                if emotion == "NEU" and kind in ("voice", "face"):
                    kind = "context"
                line = str(rng.choice(ANSWERS[emotion])) if kind == "words" else plain.draw()
                turns.append(_turn(next(left), emotion, kind, line, rng))
    return {turn.clip: turn for turn in turns}


def turn(clip: str, seed: int) -> Turn:
    """The turn of a clip name."""
    return script(names.parse(clip)[0], seed)[clip]


def _exchanges(turns: int, rng: np.random.Generator) -> list[int]:
    """Lengths of exchanges, 2 or 3 turns each, that fill a dialogue."""
    lengths = []
    while turns:
        possible = [length for length in (2, 3) if turns - length not in (-1, 1)]
        lengths.append(int(rng.choice(possible)))
        turns -= lengths[-1]
    return lengths


def _turn(clip: str, emotion: str, evidence: str, line: str, rng: np.random.Generator) -> Turn:
    session, dialogue, number, actor = names.parse(clip)
    shown = {channel: NOTHING for channel in FORCE}
    if evidence == "words":
        shown = dict.fromkeys(FORCE, Channel({emotion: 1.0}, float(rng.uniform(*FAINT))))
    elif evidence in FORCE:
        shown[evidence] = Channel({emotion: 1.0}, float(rng.uniform(*FORCE[evidence])))
    return Turn(clip, f"s{session}d{dialogue}", number, actor, emotion, evidence, line, **shown)
