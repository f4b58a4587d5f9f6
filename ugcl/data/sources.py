"""Where raw corpora come from: a mirror's files, brought in once and listed with their hashes."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ugcl import paths
from ugcl.config import Config
from ugcl.data import tables
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
LISTING = "fetched.csv"
LFS_POINTER = b"version https://git-lfs"


def root(config: Config, corpus: str) -> Path:
    """The folder of a corpus's raw tree."""
    return Path(config.corpora[corpus].root or paths.RAW / corpus)


def mirror(config: Config) -> str | None:
    """The mirror of corpora and models: the environment variable UGCL_MIRROR, else `data.mirror`."""
    return os.environ.get("UGCL_MIRROR") or config.data.mirror


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(config: Config, corpus: str, patterns: Iterable[str]) -> Path:
    """Bring a corpus's files from the mirror folder into its root, and list what the root holds.

    Files that are there with the same content are left alone; a file arrives under its name only when whole.

    Args:
        config: the parameters; `data.mirror` holds the tree as `<mirror>/<corpus>/`.
        corpus: key of `corpora`.
        patterns: glob patterns of the files the corpus needs, relative to its folder.

    Returns:
        Path of the listing: `path, bytes, sha256`, one row a file.

    Raises:
        UgclError: there is neither a tree at the root nor a mirror with one, or a file is a Git-LFS pointer.
    """
    target = root(config, corpus)
    base = mirror(config)
    if base and "://" not in base and (Path(base) / corpus).is_dir():
        _copy_tree(Path(base) / corpus, target, patterns)
    elif not _matches(target, patterns):
        tried = f"mirror {base!r} has no folder {corpus!r}" if base else "no mirror is set"
        raise UgclError(
            f"{corpus}: no files under {target} and {tried}; put the corpus there,"
            f" or set data.mirror (or UGCL_MIRROR) to a folder that holds {corpus}/"
        )
    rows = []
    for path in _matches(target, patterns):
        with path.open("rb") as stream:
            if stream.read(len(LFS_POINTER)) == LFS_POINTER:
                raise UgclError(f"{path}: is a Git-LFS pointer, not media; run `git lfs pull` in its source")
        rows.append((path.relative_to(target).as_posix(), path.stat().st_size, sha256(path)))
    listing = target / LISTING
    tables.write(pd.DataFrame(rows, columns=["path", "bytes", "sha256"]), listing)
    return listing


def _copy_tree(source: Path, target: Path, patterns: Iterable[str]) -> None:
    files = _matches(source, patterns)
    needed = sum(path.stat().st_size for path in files)
    target.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target).free
    if needed > free:
        raise UgclError(
            f"{target}: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free; make room"
        )
    copied = 0
    for path in files:
        goal = target / path.relative_to(source)
        if goal.exists() and goal.stat().st_size == path.stat().st_size and sha256(goal) == sha256(path):
            continue
        goal.parent.mkdir(parents=True, exist_ok=True)
        partial = goal.with_name(goal.name + ".partial")
        shutil.copyfile(path, partial)
        partial.replace(goal)
        copied += 1
    log.info("%s: %d of %d files copied from %s", target, copied, len(files), source)


def _matches(folder: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
