"""Where a user's clips stand in a dialogue, for systems that judge a clip from its dialogue."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip

COLUMNS = ("clip", "dialogue", "turn", "speaker", "transcript")


@dataclass(frozen=True)
class Place:
    """A clip's dialogue ("" = it stands alone), its turn there, and who speaks ("" = one unknown speaker)."""

    dialogue: str
    turn: int
    speaker: str = ""


def by_folder(clips: Sequence[Clip]) -> list[Place]:
    """The clips of a folder are a dialogue, in the order of their names; numbers count as numbers."""
    folders = [str((clip.audio or clip.video or Path()).parent) for clip in clips]
    order = sorted(range(len(clips)), key=lambda i: (folders[i], _natural(clips[i].name)))
    turns: Counter[str] = Counter()
    found: dict[int, Place] = {}
    for i in order:
        found[i] = Place(folders[i], turns[folders[i]])
        turns[folders[i]] += 1
    return [found[i] for i in range(len(clips))]


def from_table(clips: Sequence[Clip], path: Path) -> tuple[list[Clip], list[Place]]:
    """Places that a CSV gives.

    Args:
        path: one row per clip: `clip`, the name of its file with or without ending; and, as known,
            `dialogue` (default all are one; "" = none), `turn` (default the order of rows), `speaker`,
            `transcript`.

    Returns:
        The clips, with the table's transcripts, and the place of each.

    Raises:
        UgclError: a column is unknown, a clip is twice or not in the table, or two have one turn.
    """
    frame = tables.read(path)
    strange = [column for column in frame if column not in COLUMNS]
    if strange or "clip" not in frame:
        what = f"unknown column {strange[0]!r}" if strange else "no column 'clip'"
        raise UgclError(f"{path}: {what}; the columns are {', '.join(COLUMNS)}")
    frame["clip"] = frame["clip"].map(lambda name: Path(name).name)
    twice = frame.loc[frame["clip"].duplicated(), "clip"]
    if len(twice):
        raise UgclError(f"{path}: clip {twice.iloc[0]!r} has two rows; keep one")
    for column, default in (("dialogue", path.stem), ("speaker", ""), ("transcript", "")):
        frame[column] = frame.get(column, default)
    frame["turn"] = _turns(frame, path)
    rows = {row.clip: row for row in frame.itertuples()}
    found, places = [], []
    for clip in clips:
        files = [file for file in (clip.audio, clip.video) if file is not None]
        names = [Path(clip.name).name, *(name for file in files for name in (file.name, file.stem))]
        row = next((rows[name] for name in names if name in rows), None)
        if row is None:
            raise UgclError(f"{path}: no row of clip {clip.name!r}; add one, or leave the clip out")
        found.append(replace(clip, transcript=row.transcript or clip.transcript))
        places.append(Place(row.dialogue, row.turn, row.speaker))
    return found, places


def _turns(frame: pd.DataFrame, path: Path) -> pd.Series:
    if "turn" not in frame:
        return frame.groupby("dialogue").cumcount()
    wrong = frame.loc[~frame["turn"].str.fullmatch(r"\d+"), "turn"]
    if len(wrong):
        raise UgclError(f"{path}: turn {wrong.iloc[0]!r} is not a number; write 0, 1, 2, …")
    turns = frame["turn"].astype(int)
    twice = frame.assign(turn=turns).duplicated(["dialogue", "turn"]) & (frame["dialogue"] != "")
    if twice.any():
        clip = frame.loc[twice, "clip"].iloc[0]
        raise UgclError(f"{path}: clip {clip!r} has the turn of another clip of its dialogue; correct one")
    return turns


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """A key by which turn2 comes before turn10."""
    parts = re.split(r"(\d+)", name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
