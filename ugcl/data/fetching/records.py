"""What arrived, and what is known of it: the proof of files beyond the registry's own hashes.

`received.csv` holds every downloaded file and archive with its hash on arrival, so that a file nobody
published a hash of is trusted on first use and held to it later. `media_sha256.csv` is a table of a release's
own hashes, for example those of its Git-LFS pointers. Both lie in the corpus root; Snakemake, which deletes
the file table before it runs the rule again, leaves them alone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ugcl.data import sources, tables
from ugcl.errors import UgclError

RECEIVED = "received.csv"
KNOWN = "media_sha256.csv"
COLUMNS = ["path", "bytes", "sha256"]


@dataclass(frozen=True)
class Fact:
    """Size and hash of one file."""

    bytes: int
    sha256: str


def read(path: Path) -> dict[str, Fact]:
    """A table of `path, bytes, sha256`; empty where the file is absent.

    Raises:
        UgclError: the table lacks a column or holds an invalid size.
    """
    if not path.is_file():
        return {}
    frame = tables.read(path)
    if set(COLUMNS) - set(frame) or not frame["bytes"].str.fullmatch(r"\d+").all():
        raise UgclError(f"{path}: not a table of path, bytes, sha256; delete it or restore it")
    rows = zip(frame["path"], frame["bytes"], frame["sha256"], strict=True)
    return {name: Fact(int(size), digest) for name, size, digest in rows}


def write(facts: dict[str, Fact], path: Path) -> None:
    """Write such a table, sorted by path."""
    rows = [(name, fact.bytes, fact.sha256) for name, fact in sorted(facts.items())]
    tables.write(pd.DataFrame(rows, columns=COLUMNS), path)


class Received:
    """The record of a root's downloads, kept on disk at every change."""

    def __init__(self, root: Path) -> None:
        self.path = root / RECEIVED
        self.facts = read(self.path)
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self.facts)

    def sha256(self, name: str) -> str:
        """The hash of a file at its first arrival, "" if it never came."""
        return self.facts[name].sha256 if name in self.facts else ""

    def add(self, facts: dict[str, Fact]) -> None:
        """Add what arrived."""
        with self._lock:
            self.facts |= facts
            write(self.facts, self.path)


def check(found: dict[str, Fact], root: Path, received: Received) -> None:
    """Hold a root's files to what is known of them.

    Args:
        found: the files as they are, by path relative to the root.

    Raises:
        UgclError: files differ from the release's hashes, or changed since they arrived; the first is named.
    """
    for facts, source in ((read(root / KNOWN), KNOWN), (received.facts, RECEIVED)):
        wrong = [name for name, fact in found.items() if name in facts and facts[name] != fact]
        if wrong:
            name = wrong[0]
            raise UgclError(
                f"{root / name}: {found[name].bytes} bytes, sha256 {found[name].sha256[:12]}…, but {source}"
                f" says {facts[name].bytes} and {facts[name].sha256[:12]}… ({len(wrong)} such files);"
                " delete them and fetch again"
            )


def fact(path: Path) -> Fact:
    """Size and hash of a file on disk."""
    return Fact(path.stat().st_size, sources.sha256(path))
