"""Where raw corpora lie: their roots, the mirror, and what proves that a file is the one meant.

`ugcl.data.fetching` brings them there. That code is kept out of here on purpose: the lineage of
every result reaches this module, and a result depends on a file's content, not on the way it came.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ugcl.config import Config
from ugcl.plan import data, paths

FILE_TABLE = "fetched.csv"
"""The table of what a root holds: path, bytes, sha256. A URL mirror publishes it as well."""


def root(config: Config, corpus: str) -> Path:
    """The folder of a corpus's raw tree."""
    return data.root(config, corpus)


def file_table(corpus: str) -> Path:
    """Where the workflow finds the file table of a fetched corpus, wherever its root is."""
    return paths.RAW / corpus / FILE_TABLE


def mirror(config: Config) -> str | None:
    """The mirror of corpora and models: the environment variable UGCL_MIRROR, else `data.mirror`."""
    return os.environ.get("UGCL_MIRROR") or config.data.mirror


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def below(folder: Path) -> Iterator[Path]:
    """The files of a folder and of all folders below it, linked folders included, and broken links.

    A folder that is linked into itself is gone through once.
    """
    seen = {os.path.realpath(folder)}
    for top, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in [*folders]:
            real = os.path.realpath(os.path.join(top, name))
            if real in seen:
                folders.remove(name)
            seen.add(real)
        yield from (Path(top, name) for name in sorted(files))


def find(folder: Path, pattern: str) -> Iterator[Path]:
    """The files of a folder that fit a glob pattern, those in linked folders included."""
    if Path(pattern).is_absolute():  # a table that lies elsewhere
        yield from (path for path in [Path(pattern)] if path.is_file())
        return
    if not pattern.startswith("**/"):
        yield from (path for path in folder.glob(pattern) if path.is_file())
        return
    names = pattern.removeprefix("**/")
    yield from (path for path in below(folder) if path.match(names) and path.is_file())


def matches(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """The finished files of a folder that fit any of the glob patterns, sorted by path."""
    found = {path for pattern in patterns for path in find(folder, pattern)}
    return sorted(path for path in found if ".partial" not in os.path.relpath(path, folder))
