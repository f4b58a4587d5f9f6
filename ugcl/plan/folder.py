"""Which files a manifest is made from, those of people's own folders included.

Apart from :mod:`ugcl.plan.data`, which the lineage of every result reaches.
"""

from __future__ import annotations

from pathlib import Path

from ugcl.config import Config
from ugcl.plan import data


def manifest_inputs(config: Config, corpus: str) -> list[Path]:
    """Inputs of a manifest; of a user's folder all files, with the one that describes the clips first.

    Annotation files have no such one: they lie among the others.
    """
    entry = config.corpus(corpus)
    if entry.adapter != "folder" or (entry.annotations is None and entry.database is None):
        return data.raw_files(config, corpus)
    root = data.root(config, corpus)
    first = [] if entry.database is None else [root / name for name in entry.wanted]
    return [*first, *(file for file in sorted(root.rglob("*")) if file.is_file() and file not in first)]
