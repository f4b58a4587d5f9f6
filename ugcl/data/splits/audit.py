"""The audit of a split: what each part holds, and what the parts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ugcl.data import tables
from ugcl.data.splits.leaks import listed, presence, shared
from ugcl.data.splits.left_out import COLUMNS, described
from ugcl.data.splits.speakers import people

FACTS = {"speakers": "speaker", "sentences": "sentence", "sessions": "session", "dialogues": "dialogue"}
"""What is counted and compared besides clips: kind → column."""

LEAKS = ("clips", "speakers", "recordings")
"""What parts must not share. Recordings are media files of the same SHA-256; the rest is information."""

KINDS = ("clips", "speakers", "recordings", "sentences", "sessions", "dialogues")
NOTHING = pd.DataFrame()
NO_REASONS = pd.DataFrame(columns=list(COLUMNS))


@dataclass(frozen=True)
class Audit:
    """What was found in one split.

    Attributes:
        parts: one row per part: part, how many clips, speakers, … it has, and its clips of each class.
        overlaps: one row per pair of parts and a kind they share: first, second, kind, count, names (list).
        left_out: clips in no part, see :func:`ugcl.data.splits.left_out.left_out`; empty where no manifest
            names the clips.
    """

    name: str  # what the split is called
    parts: pd.DataFrame
    overlaps: pd.DataFrame
    duplicates: int  # clips inside the parts whose media are another clip's, byte for byte
    left_out: pd.DataFrame = field(default_factory=NO_REASONS.copy)

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
        found = {key: getattr(self, key).to_dict("records") for key in ("parts", "overlaps", "left_out")}
        return {"name": self.name, **found, "duplicates": self.duplicates, "leaks": self.leaks}

    def text(self) -> str:
        """The audit as plain lines."""
        lines = [f"{self.name}", self.parts.to_string(index=False)]
        if len(self.left_out):
            lines.append(f"left out: {described(self.left_out)}")
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
        split: one row per clip: part, and what is known of clip, speaker, sentence, session, dialogue, label,
            audio_sha256 and video_sha256. Empty cells are not compared.
        name: what to call the split.
        classes: class names in order; default those of the column label, sorted.
    """
    split = split.reset_index(drop=True)
    if "speaker" in split:  # one person in two spellings is one person
        split = split.assign(speaker=people(split["speaker"]))
    files = _same_files(split)
    known = {kind: column for kind, column in FACTS.items() if column in split}
    found = {kind: presence(split["part"], split[column]) for kind, column in known.items()}
    order = [part for part in tables.PARTS if (split["part"] == part).any()]
    parts = pd.DataFrame({"part": order})
    if "clip" in split:
        parts["clips"] = split["part"].value_counts().reindex(order).to_numpy()
        # most clips occur once: only those that do not can be shared
        again = split[_again(split, ["clip"])]
        found = {"clips": presence(again["part"], again["clip"]), **found}
    found["recordings"] = presence(files["part"], files["recording"])
    rows = []
    for kind in KINDS:
        for (first, second), names in shared(found.get(kind, NOTHING)).items():
            shown = names
            if kind == "recordings":
                shown = sorted(set(files.loc[files["recording"].isin(names), "clip"]))
            rows.append((first, second, kind, len(names), shown))
    for kind in FACTS:
        if kind in found and found[kind].shape[1]:
            parts[kind] = found[kind].sum(axis=1).reindex(order).to_numpy()
    if "label" in split:
        counts = pd.crosstab(split["part"], split["label"])
        names = classes if classes is not None else sorted(label for label in counts if label)
        counts = counts.reindex(index=order, columns=list(names), fill_value=0)
        parts = pd.concat([parts, counts.reset_index(drop=True)], axis=1)
    overlaps = pd.DataFrame(rows, columns=["first", "second", "kind", "count", "names"])
    return Audit(name, parts, overlaps, int(files["clip"].nunique()))


def _same_files(split: pd.DataFrame) -> pd.DataFrame:
    """Media files that several clips have, byte for byte: part, clip, recording of each clip and file."""
    known = [column for column in ("audio_sha256", "video_sha256") if column in split and "clip" in split]
    if not known:
        return pd.DataFrame(columns=["part", "clip", "recording"])
    split = split[_again(split, known)]
    columns = ["part", "clip", "recording"]
    files = pd.concat([split[["part", "clip", name]].set_axis(columns, axis=1) for name in known])
    if len(known) == 2:  # a video's own sound is one file in both columns
        same = (split["audio_sha256"] == split["video_sha256"]).to_numpy()
        files = files[~np.concatenate([np.zeros(len(same), bool), same])]
    files = files[files["recording"] != ""]
    return files[files["recording"].duplicated(keep=False)]


def _again(split: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Rows (N,) of which some cell comes again in any of the columns, and the few that only seem so.

    Python's hashes are compared, of a million texts in .50 to .68 of the time that the texts take.
    """
    texts = [split[name].to_numpy() for name in columns]
    keys = np.stack([np.fromiter(map(hash, column), np.int64, len(split)) for column in texts])
    twice = pd.Series(keys.ravel()).duplicated(keep=False).to_numpy().reshape(keys.shape)
    return (twice & (keys != hash(""))).any(axis=0)
