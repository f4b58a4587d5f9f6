"""MSP-IMPROV: 8,438 turns of twelve actors in six sessions (Busso et al., IEEE TAC 8(1), 2017).

A name is MSP-IMPROV-S<sentence><target emotion>-<speaker>-<condition>-<turn>: MSP-IMPROV-S01A-F01-P-FM01.
The number of the speaker is the session. The rating file, `Evalution.txt` in the release's spelling, calls
the same turns UTD-IMPROV-….avi.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ugcl.config.corpora import MspImprovCorpus
from ugcl.data import sources
from ugcl.data.corpora.release import Release
from ugcl.errors import UgclError

RATINGS = ("Evalution.txt", "Evaluation.txt")
FILES = (*RATINGS, "**/MSP-IMPROV-*.wav", "**/MSP-IMPROV-*.avi", "**/UTD-IMPROV-*.avi", "**/MSP-IMPROV-*.txt")
NAME = re.compile(
    r"^(?:MSP|UTD)-IMPROV-(?P<scenario>S(?P<sentence>\d\d)(?P<emotion>[AHNS]))-(?P<speaker>(?P<sex>[FM])0(?P<session>[1-6]))"
    r"-(?P<condition>[PRST])-(?P<turn>[FM]{2}\d+)$"
)
SEXES = {"F": "female", "M": "male"}
LABELS = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad", "O": "other", "X": ""}
CLASSES = ("angry", "happy", "neutral", "sad", "other")
STYLES = {"T": "target_improvised", "R": "target_read", "S": "other_improvised", "P": "natural"}
COUNTS = {  # angry, sad, happy, neutral
    "target_improvised": (115, 106, 136, 283),
    "target_read": (169, 80, 88, 241),
    "other_improvised": (470, 633, 1048, 1789),
    "natural": (38, 66, 1372, 1164),
}
RELEASE = Release(
    8438,
    tuple(
        ({"style": (style,), "categorical": (label,)}, count)
        for style, counts in COUNTS.items()
        for label, count in zip(("angry", "sad", "happy", "neutral"), counts, strict=True)
    ),
    "Busso et al. 2017, Table 4",
)
_RATED = re.compile(r"^(?P<name>\S+)\.avi\s*;\s*(?P<code>\w)\s*;(?P<values>.*)$")
_RATER = re.compile(r"^(?P<rater>[^;]+);\s*(?P<category>[^;]*);")
_VALUE = re.compile(r"\b([AVDN])\s*:\s*(\d+(?:\.\d+)?)")


@dataclass
class _Turn:
    label: str
    values: dict[str, float]
    votes: Counter[str] = field(default_factory=Counter)
    raters: set[str] = field(default_factory=set)


def rows(root: Path, corpus: MspImprovCorpus) -> pd.DataFrame:
    """One row a rated turn, with its media and words where they are.

    `sentence` is the target sentence of the turns that consist of it (conditions T and R), and `intended` its
    emotion. Attributes are the release's: means of ratings from 1 to 5, where a low `arousal` is an active
    voice.

    Raises:
        UgclError: there is not a rating file, or it is broken.
    """
    path = next((root / name for name in RATINGS if (root / name).is_file()), None)
    if path is None:
        raise UgclError(f"{root}: no {RATINGS[0]}; put the release there (`ugcl data fetch` says how)")
    audio, video, words = (_index(root, kind) for kind in ("wav", "avi", "txt"))
    found = []
    for name, turn in _read(path).items():
        fields = NAME.match(name)
        if fields is None:
            raise UgclError(f"{path}: {name!r} is not a turn of MSP-IMPROV; take the file from the release")
        target = fields["condition"] in "TR"
        found.append(
            {
                "clip": name,
                "audio": audio.get(name, ""),
                "video": video.get(name, ""),
                "speaker": fields["speaker"],
                "sex": SEXES[fields["sex"]],
                "session": fields["session"],
                "sentence": f"S{fields['sentence']}" if target else "",
                "intended": LABELS[fields["emotion"]] if target else "",
                "scenario": fields["scenario"],
                "style": STYLES[fields["condition"]],
                "transcript": _text(root / words[name]) if name in words else "",
                "categorical": turn.label,
                "valence": turn.values.get("V"),
                "arousal": turn.values.get("A"),
                "dominance": turn.values.get("D"),
                "naturalness": turn.values.get("N"),
                **{f"votes_categorical_{label}": turn.votes[label] for label in CLASSES},
            }
        )
    frame = pd.DataFrame(found)
    numbers = ["valence", "arousal", "dominance", "naturalness"]
    return frame.assign(**{column: frame[column].astype(float) for column in numbers})


def _read(path: Path) -> dict[str, _Turn]:
    """Turn → its ratings: a line of the turn, a line per rater, an empty line."""
    turns: dict[str, _Turn] = {}
    now: _Turn | None = None
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        line = line.strip()
        if not line:
            now = None
        elif match := _RATED.match(line):
            name = match["name"].replace("UTD-", "MSP-")
            if name in turns or match["code"] not in LABELS:
                fault = "comes twice" if name in turns else f"has the unknown label {match['code']!r}"
                raise UgclError(f"{path} line {number}: {name} {fault}; take the file from the release")
            values = {letter: float(value) for letter, value in _VALUE.findall(match["values"])}
            now = turns[name] = _Turn(LABELS[match["code"]], values)
        elif now is not None and (match := _RATER.match(line)):
            if match["rater"] not in now.raters:  # some raters saw a turn twice: the first answer counts
                word = match["category"].strip().lower()
                now.raters.add(match["rater"])
                now.votes[word if word in CLASSES else "other"] += 1
        else:
            raise UgclError(f"{path} line {number}: {line[:60]!r} is not a rating; take the release's file")
    if not turns:
        raise UgclError(f"{path}: no turn in it; take the file from the release")
    return turns


def _index(root: Path, suffix: str) -> dict[str, str]:
    """Name → path under the root, wherever it lies; file systems' own `._` files begin otherwise."""
    patterns = [f"**/{start}-IMPROV-*.{suffix}" for start in ("MSP", "UTD")]
    paths = sorted(path for pattern in patterns for path in sources.find(root, pattern))
    return {path.stem.replace("UTD-", "MSP-"): path.relative_to(root).as_posix() for path in paths}


def _text(path: Path) -> str:
    return " ".join(path.read_text("utf-8", errors="replace").split())
