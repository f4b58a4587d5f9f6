"""What is said in the dialogues: lines that open a topic, clear answers, and words that show no emotion."""

from __future__ import annotations

import numpy as np

CODES = ("ANG", "HAP", "NEU", "SAD")
"""The emotions of the dialogues; codes are those of the demo corpus."""

OPENINGS = {
    "ANG": (
        (("You are a {}, shut up.", "Get out, you {}.", "I hate you, you {}."), ("liar", "fool", "thief")),
        (("You ruined the {}, I blame you.", "You forgot the {} again."), ("house", "trial", "money")),
    ),
    "HAP": (
        (("I brought you a {} as a present.", "Surprise, a {} for you."), ("watch", "guitar", "puppy")),
        (("Hooray, we won at {} today.", "How wonderful, we won at {}."), ("chess", "tennis", "poker")),
    ),
    "NEU": (
        (("The {} leaves from here at nine.", "The next {} is on Monday."), ("bus", "meeting", "train")),
        (("The {} is on the desk in room four.", "They put the {} on the shelf."), ("folder", "lamp", "map")),
    ),
    "SAD": (
        (("My {} died last night.", "We buried my {} this morning."), ("mother", "dog", "sister")),
        (("My poor {} hurts so much.", "I cried all day, my {} aches."), ("back", "head", "knee")),
    ),
}
"""Emotion → two topics, each of some lines and of the words for `{}`."""

ANSWERS = {
    "ANG": ("How dare you speak to me like this?", "I am furious about that.", "That makes me so angry."),
    "HAP": ("That is wonderful, I am so happy.", "What a joy, I love it.", "I am delighted to be here."),
    "NEU": ("The report has twelve pages.", "The shop is open until six.", "It is ten degrees outside."),
    "SAD": ("I feel so sad and lonely.", "I could weep, I am heartbroken.", "This makes me very unhappy."),
}

PLAIN = (
    *("Well, that is how it is.", "So this is what you say.", "Now I have heard it.", "I see what you mean."),
    *("You said it just now.", "Let us leave it at that.", "I did not know about it.", "So it goes with us."),
    *("Then we will see.", "I thought so before.", "And that is all there is.", "You have told me now."),
)
"""Lines that go with every emotion."""


def opening(emotion: str, rng: np.random.Generator) -> str:
    """A line that opens a topic and shows the emotion."""
    lines, words = OPENINGS[emotion][rng.integers(len(OPENINGS[emotion]))]
    return str(rng.choice(lines)).format(rng.choice(words))
