"""A user's own clips: one CSV with clip, speaker, label columns, and audio and video paths."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ugcl.config.corpora import FolderCorpus
from ugcl.data import tables
from ugcl.errors import UgclError


def rows(root: Path, corpus: FolderCorpus) -> pd.DataFrame:
    """The rows of the user's table; audio and video paths are relative to the corpus root.

    Raises:
        UgclError: the table lacks a needed column, a needed value, or names a file outside the root.
    """
    path = root / corpus.table
    frame = tables.read(path)
    needed = ["clip", "speaker", *sorted({protocol.label for protocol in corpus.protocols.values()})]
    for column in needed:
        if column not in frame:
            raise UgclError(f"{path}: no column {column!r}; add it (needed: {', '.join(needed)})")
    if not {"audio", "video"} & set(frame):
        raise UgclError(f"{path}: neither an audio nor a video column; add the paths of the media")
    for column in ("clip", "speaker"):
        empty = frame.index[frame[column] == ""]
        if len(empty):
            raise UgclError(f"{path}: line {empty[0] + 2} has no {column}; fill it in")
    for column in {"audio", "video"} & set(frame):
        for name in frame[column]:
            if name and not (root / name).resolve().is_relative_to(root.resolve()):
                raise UgclError(f"{path}: {column} {name!r} lies outside {root}; use a path inside the root")
    return frame
