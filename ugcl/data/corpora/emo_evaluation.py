"""IEMOCAP's rating files: `dialog/EmoEvaluation/<dialog>.txt`.

An utterance is a line `[start - end] name code [valence, activation, dominance]`, followed by a line per
rater: `C-E2: Neutral;` (categories; a rater may name several) or `A-E3: val 3; act 2; dom 2;` (attributes, 1
to 5). E are observers; F and M are the actors, who rated themselves. Remarks stand in parentheses.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ugcl.errors import UgclError

log = logging.getLogger(__name__)
CODES = dict(ang="angry", hap="happy", exc="excited", sad="sad", neu="neutral", fru="frustrated")
CODES |= dict(sur="surprise", fea="fear", dis="disgust", oth="other", xxx="")  # xxx: no majority
CLASSES = tuple(word for word in CODES.values() if word)
CATEGORIES = {word: word for word in ("excited", "neutral", "surprise", "fear", "disgust", "other")}
CATEGORIES |= dict(anger="angry", happiness="happy", sadness="sad", frustration="frustrated")
CATEGORIES["neutral state"] = "neutral"
_NUMBER = r"-?\d+(?:\.\d+)?"
_HEADER = re.compile(rf"^\[\s*({_NUMBER})\s*-\s*({_NUMBER})\s*\]\s+(\S+)\s+(\S+)\s+\[([^\]]*)\]\s*$")
_RATER = re.compile(r"^([CA])-([EFM]\d+)\s*:\s*([^(]*)(?:\(.*)?$")
_ATTRIBUTE = re.compile(r"\b(val|act|dom)\s+(\d+(?:\.\d+)?)")


@dataclass
class Rated:
    """One utterance and its ratings.

    Attributes:
        attributes: valence, activation and dominance, means over the observers; NaN where not given.
        observers, self_report: how often each class was named.
    """

    name: str  # name of the utterance
    start: float  # start, end: its part of the dialog, seconds
    end: float
    label: str  # the observers' majority, "" where there is none
    attributes: tuple[float, float, float]
    observers: Counter[str] = field(default_factory=Counter)
    self_report: Counter[str] = field(default_factory=Counter)
    ratings: list[str] = field(default_factory=list)  # every rater's own answer, as `C-E2 neutral+angry`


def read(path: Path) -> list[Rated]:
    """The utterances of one dialog, in the file's order.

    A rater's line that is not understood is logged and left out.

    Raises:
        UgclError: an utterance's own line is broken or has an unknown code.
    """
    found: list[Rated] = []
    odd: list[str] = []
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("%"):
            continue
        if line.startswith("["):
            found.append(_header(line, f"{path} line {number}"))
        elif not found or not _rating(found[-1], line):
            odd.append(f"line {number}: {line[:60]!r}")
    if odd:
        log.warning("%s: %d lines are not ratings and are left out, first %s", path, len(odd), odd[0])
    return found


def _header(line: str, where: str) -> Rated:
    match = _HEADER.match(line)
    if match is None:
        raise UgclError(f"{where}: {line[:60]!r} is not an utterance; take the file from the release")
    start, end, name, code, values = match.groups()
    if code.lower() not in CODES:
        raise UgclError(f"{where}: unknown emotion {code!r} (known: {', '.join(CODES)}); fix the file")
    numbers = [float(value) for value in re.findall(_NUMBER, values)]
    valence, activation, dominance = (numbers + [float("nan")] * 3)[:3]
    return Rated(name, float(start), float(end), CODES[code.lower()], (valence, activation, dominance))


def _rating(rated: Rated, line: str) -> bool:
    match = _RATER.match(line)
    if match is None:
        return False
    kind, rater, values = match.groups()
    if kind == "A":
        answer = " ".join(f"{name} {value}" for name, value in _ATTRIBUTE.findall(values))
    else:
        named = [value.strip().lower() for value in values.split(";") if value.strip()]
        if any(value not in CATEGORIES for value in named):
            return False
        classes = [CATEGORIES[value] for value in named]
        (rated.observers if rater.startswith("E") else rated.self_report).update(set(classes))
        answer = "+".join(classes)
    if answer:
        rated.ratings.append(f"{kind}-{rater} {answer}")
    return True
