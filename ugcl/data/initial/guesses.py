"""Who speaks and with which emotion, from names of folders and files, where all of them agree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from ugcl.data.corpora import crema_d, ravdess
from ugcl.data.labels import spelling
from ugcl.data.splits.clip_names import by_pattern
from ugcl.data.splits.leaks import listed
from ugcl.data.splits.speakers import variants

SPEAKER = re.compile(
    r"(?<![A-Za-z])(?:actor|actress|participant|patient|person|speaker|spkr?|sub(?:j|ject)?|talker)[ _-]?\d+",
    re.IGNORECASE,
)
"""A speaker's id where a word says that it is one; a bare number may be anything."""

CODES = {"ang": "angry", "bor": "boredom", "dis": "disgust", "exc": "excited", "fea": "fear"}
CODES |= {"fru": "frustrated", "hap": "happy", "neu": "neutral", "sur": "surprised"}
WORDS = {
    "amusement",
    "anger",
    "angry",
    "anxious",
    "bored",
    "boredom",
    "calm",
    "contempt",
    "disgust",
    "disgusted",
}
WORDS |= {
    "excited",
    "fear",
    "fearful",
    "frustrated",
    "happiness",
    "happy",
    "joy",
    "neutral",
    "sad",
    "sadness",
}
WORDS |= {"surprise", "surprised"}
KNOWN = CODES | {word: word for word in WORDS}
"""Names of emotions → the label that is written."""


@dataclass(frozen=True)
class Guess:
    """What a column holds, and where from; without a source every value is empty."""

    values: list[str]
    source: str

    @property
    def found(self) -> bool:
        """Whether every clip has a value."""
        return bool(self.values) and all(self.values)

    @property
    def text(self) -> str:
        """The source, and the values with the number of their clips."""
        counts = [f"{value} {count}" for value, count in sorted(Counter(self.values).items())]
        return f"from {self.source}: {listed(counts)}" if self.found else f"{self.source}; fill it in"


def speakers(names: Sequence[str], pattern: str | None = None) -> Guess:
    """The speaker of each clip, one spelling per person.

    Args:
        names: paths of the clips' media relative to the corpus, with forward slashes.
        pattern: a regular expression on these paths whose first group is the speaker; default what names of
            CREMA-D and RAVDESS say, else ids such as Actor_01 or spk3.

    Raises:
        UgclError: the pattern is not valid, has no group, or does not match a path.
    """
    known = {"CREMA-D": _crema_d("speaker"), "RAVDESS": _ravdess(-1)}
    guess = _guess(names, pattern, "speaker", _speaker, known)
    counts = Counter(guess.values)
    common = {}
    for group in variants(counts):
        common |= dict.fromkeys(group, max(group, key=lambda name: (counts[name], name)))
    values = [common.get(value, value) for value in guess.values]
    changed = sum(old != new for old, new in zip(guess.values, values, strict=True))
    note = f"; in {changed} clips another spelling of an id is replaced" if changed else ""
    return Guess(values, guess.source + note)


def labels(names: Sequence[str], pattern: str | None = None) -> Guess:
    """The emotion of each clip, in lower case; arguments and errors as of :func:`speakers`."""
    known = {"CREMA-D": _crema_d("emotion"), "RAVDESS": _ravdess(2)}
    guess = _guess(names, pattern, "label", _emotion, known)
    values = [KNOWN.get(spelling(value), spelling(value)) for value in guess.values]
    return Guess(values, guess.source)


Reader = Callable[[str], str]
"""A name → the value that it contains, "" where it contains none or several."""


def _guess(
    names: Sequence[str], pattern: str | None, what: str, reader: Reader, known: dict[str, Reader]
) -> Guess:
    if pattern is not None:
        return Guess(by_pattern(pd.Series(names), pattern, what).tolist(), f"pattern {pattern}")
    stems = [PurePosixPath(name).stem for name in names]
    for corpus, read in known.items():
        if values := _all(map(read, stems)):
            return Guess(values, f"file names, which are of {corpus}")
    folders = [PurePosixPath(name).parent.parts for name in names]
    texts = {f"folders of level {n + 1}": level for n, level in enumerate(zip(*_even(folders), strict=True))}
    texts["file names"] = stems
    found = {place: values for place, level in texts.items() if (values := _all(map(reader, level)))}
    if len({tuple(map(spelling, values)) for values in found.values()}) > 1:
        return Guess([""] * len(names), f"not clear, {' and '.join(found)} differ")
    for place, values in found.items():
        return Guess(values, place)
    return Guess([""] * len(names), "not found in names of folders and files")


def _even(folders: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Folders of each clip, cut to as many as every clip has."""
    depth = min(map(len, folders), default=0)
    return [parts[:depth] for parts in folders]


def _all(values: Iterable[str]) -> list[str]:
    """Values of all clips where each has one and they are not all the same, else nothing."""
    found = list(values)
    return found if all(found) and len(set(found)) > 1 else []


def _speaker(text: str) -> str:
    found = SPEAKER.findall(text)
    return found[0] if len(found) == 1 else ""


def _emotion(text: str) -> str:
    found = {word for word in re.findall(r"[a-z]+", text.casefold()) if word in KNOWN}
    return found.pop() if len(found) == 1 else ""


def _crema_d(group: str) -> Reader:
    return lambda stem: match[group] if (match := crema_d.NAME.match(stem)) else ""


def _ravdess(field: int) -> Reader:
    def read(stem: str) -> str:
        text = stem.split("-")[field] if ravdess.NAME.fullmatch(stem) else ""
        return ravdess.EMOTIONS.get(text, "") if field == 2 else text

    return read
