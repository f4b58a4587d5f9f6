"""What is said in the dialogues: lines that open a topic, clear answers, and words that show no emotion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CODES = ("ANG", "HAP", "NEU", "SAD")
"""The emotions of the dialogues; codes are those of the demo corpus."""


@dataclass(frozen=True)
class Topic:
    """What a speaker says to open a topic.

    Attributes:
        emotion: that of the speaker, clear from the words.
        answer: the emotion that the words cause in the partner.
        share: how often the topic is opened, relative to the others.
        lines: sentences; `{}` is a word of `words`.
    """

    emotion: str
    answer: str
    share: int
    lines: tuple[str, ...]
    words: tuple[str, ...]


TOPICS = {
    "insult": Topic(
        *("ANG", "ANG", 2),
        ("You are a {}, shut up.", "Get out, you {}.", "I hate you, you {}.", "You stupid {}, be quiet."),
        ("liar", "fool", "thief", "coward"),
    ),
    "blame": Topic(
        *("ANG", "SAD", 1),
        (
            "It is your fault that we lost the {}.",
            "You ruined the {}, I blame you.",
            "You forgot the {} again.",
        ),
        ("house", "job", "money", "trial"),
    ),
    "gift": Topic(
        *("HAP", "HAP", 2),
        ("I brought you a {} as a present.", "Surprise, this {} is for you.", "Here, a lovely {} for you."),
        ("watch", "guitar", "puppy", "necklace"),
    ),
    "triumph": Topic(
        *("HAP", "ANG", 1),
        (
            "Hooray, I won at {} and you lost.",
            "I beat you at {}, how wonderful.",
            "Great, I am better at {}.",
        ),
        ("chess", "tennis", "poker", "darts"),
    ),
    "loss": Topic(
        *("SAD", "SAD", 2),
        ("My {} died last night.", "We buried my {} today.", "I miss my {}, she is gone forever."),
        ("mother", "dog", "sister", "grandmother"),
    ),
    "ache": Topic(
        *("SAD", "NEU", 1),
        ("My poor {} hurts so much.", "I cried all day, my {} aches.", "Sadly my {} will not heal."),
        ("back", "head", "knee", "tooth"),
    ),
    "plan": Topic(
        *("NEU", "NEU", 2),
        ("The {} leaves from here at nine.", "The next {} is on Monday.", "They moved the {} to room four."),
        ("bus", "meeting", "class", "train"),
    ),
    "find": Topic(
        *("NEU", "HAP", 1),
        (
            "Your lost {} is on the desk.",
            "They found your {} yesterday.",
            "The {} you lost is in the office.",
        ),
        ("wallet", "ring", "passport", "phone"),
    ),
}

ANSWERS = {
    "ANG": ("How dare you speak to me like this?", "I am furious about that.", "That makes me so angry."),
    "HAP": ("That is wonderful, I am so happy.", "What a joy, I love it.", "I am delighted to be here."),
    "NEU": ("The report has twelve pages.", "The shop is open until six.", "It is ten degrees outside."),
    "SAD": ("I feel so sad and lonely.", "I could weep, I am heartbroken.", "This makes me very unhappy."),
}
"""Answers whose words show the emotion, whatever came before."""

PLAIN = (
    *("Well, that is how it is.", "So this is what you say.", "Now I have heard it.", "I see what you mean."),
    *("You said it just now.", "Let us leave it at that.", "I did not know about it.", "So it goes with us."),
    *("Then we will see.", "I thought so before.", "And that is all there is.", "You have told me now."),
)
"""Lines that go with every emotion."""


def opening(topic: str, rng: np.random.Generator) -> str:
    """A line that opens a topic."""
    entry = TOPICS[topic]
    return str(rng.choice(entry.lines)).format(rng.choice(entry.words))
