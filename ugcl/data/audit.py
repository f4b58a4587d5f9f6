"""The audit of a split: what each part holds, and what the parts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ugcl.data import tables
from ugcl.data.leaks import listed, shared

LEAKS = {"clips": "clip", "speakers": "speaker", "recordings": "recording"}
"""What parts must not share: kind → column. Recordings are media files of the same SHA-256."""

OVERLAPS = LEAKS | {"sentences": "sentence", "sessions": "session", "dialogues": "dialogue"}
"""All that is compared; sentences, sessions and dialogues are information."""


@dataclass(frozen=True)
class Audit:
    """What was found in one split.

    Attributes:
        name: what the split is called.
        parts: one row a part: part, how many clips, speakers, … it has, and its clips of each class.
        overlaps: one row a pair of parts and a kind they share: first, second, kind, count, names (list).
        duplicates: clips inside the parts whose media are another clip's, byte for byte.
    """

    name: str
    parts: pd.DataFrame
    overlaps: pd.DataFrame
    duplicates: int

    @property
    def leaks(self) -> list[str]:
        """Every leak in words, with the first names."""
        return [
            f"{self.name}: {first} and {second} share {count} {kind} ({listed(names)})"
            for first, second, kind, count, names in self.overlaps.itertuples(index=False, name=None)
            if kind in LEAKS
        ]

    def to_dict(self) -> dict[str, Any]:
        """The audit, ready for JSON."""
        return {
            "name": self.name,
            "parts": self.parts.to_dict("records"),
            "overlaps": self.overlaps.to_dict("records"),
            "duplicates": self.duplicates,
            "leaks": self.leaks,
        }

    def text(self) -> str:
        """The audit as plain lines."""
        lines = [f"{self.name}", self.parts.to_string(index=False)]
        for first, second, kind, count, names in self.overlaps.itertuples(index=False, name=None):
            word = "LEAK" if kind in LEAKS else "note"
            lines.append(f"{word}: {first} and {second} share {count} {kind}: {listed(names)}")
        if not self.leaks:
            lines.append("no shared clips, speakers or recordings")
        if self.duplicates:
            lines.append(f"note: {self.duplicates} clips have the media of another clip")
        return "\n".join(lines)


def audit(split: pd.DataFrame, name: str, classes: Sequence[str] | None = None) -> Audit:
    """Audit one split.

    Args:
        split: one row a clip: part, and what is known of clip, speaker, sentence, session, dialogue, label,
            audio_sha256 and video_sha256. Empty cells are not compared.
        name: what to call the split.
        classes: class names in order; default those of the column label, sorted.
    """
    split = split.reset_index(drop=True)
    overlaps = pd.DataFrame(_overlaps(split), columns=["first", "second", "kind", "count", "names"])
    recordings = _recordings(split)
    double = recordings[recordings.duplicated("recording", keep=False)]
    return Audit(name, _parts(split, classes), overlaps, int(double["row"].nunique()))


def _overlaps(split: pd.DataFrame) -> list[tuple[str, str, str, int, list[str]]]:
    found = []
    for kind, column in OVERLAPS.items():
        if kind == "recordings":
            rows = _recordings(split)
            parts, values = split["part"].loc[rows["row"]], rows["recording"]
        elif column in split:
            parts, values = split["part"], split[column]
        else:
            continue
        for (first, second), names in shared(parts, values).items():
            count = len(names)
            if kind == "recordings" and "clip" in split:
                same = set(rows.loc[rows["recording"].isin(names), "row"])
                names = sorted(split.loc[split.index.isin(same), "clip"])
            found.append((first, second, kind, count, names))
    return found


def _recordings(split: pd.DataFrame) -> pd.DataFrame:
    """One row a media file whose hash is known: row of the split, recording."""
    parts = [
        pd.DataFrame({"row": split.index, "recording": split[column]})
        for column in ("audio_sha256", "video_sha256")
        if column in split
    ]
    if not parts:
        return pd.DataFrame({"row": [], "recording": []}, dtype=object)
    whole = pd.concat(parts, ignore_index=True)
    # a video without a sound file of its own may stand in both columns
    return whole[whole["recording"] != ""].drop_duplicates()


def _parts(split: pd.DataFrame, classes: Sequence[str] | None) -> pd.DataFrame:
    order = [part for part in tables.PARTS if (split["part"] == part).any()]
    table = pd.DataFrame({"part": order})
    grouped = split.groupby("part", sort=False)
    for kind, column in OVERLAPS.items():
        if column in split and (split[column] != "").any():
            table[kind] = grouped[column].nunique().reindex(order).to_numpy()
    if "label" in split:
        counts = split.groupby(["part", "label"]).size().unstack(fill_value=0)
        names = classes if classes is not None else sorted(name for name in counts if name)
        counts = counts.reindex(index=order, columns=list(names), fill_value=0)
        table = pd.concat([table, counts.reset_index(drop=True)], axis=1)
    return table
