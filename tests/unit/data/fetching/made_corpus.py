"""A project with its own table of sources, and archives of any content."""

from __future__ import annotations

import csv
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from ugcl.config import parse
from ugcl.data.fetching import corpus as fetching

COLUMNS = ("corpus", "version", "kind", "url", "path", "sha256", "bytes", "files", "licence", "note")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_zip(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return memory.getvalue()


def make_tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode=mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return memory.getvalue()


class Project:
    """A project folder whose only corpus, `ravdess`, comes from the table of sources that a test writes."""

    patterns = ("Actor_*/03-01-*.wav", "Actor_*/01-01-*.mp4", "table.csv")

    def __init__(self, tree: dict[str, Any], folder: Path) -> None:
        self.tree, self.folder = tree, folder
        self.sources = folder / "sources.csv"
        self.root = folder / "data/raw/ravdess"
        tree["data"] |= {"sources": str(self.sources), "retries": 2, "timeout": 5}
        self.register()

    def register(self, *rows: dict[str, Any]) -> None:
        """Write the table of sources; what a row does not say is empty, and of version 1."""
        with self.sources.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            for row in rows:
                filled = dict.fromkeys(COLUMNS, "") | {"corpus": "ravdess", "version": "1", "kind": "primary"}
                writer.writerow(filled | {"licence": "CC0"} | row)

    def fetch(self, **options: Any) -> dict[str, str]:
        """Fetch, and read the listing: hash by path."""
        listing = fetching.fetch(parse(self.tree), "ravdess", self.patterns, **options)
        with listing.open() as stream:
            return {row["path"]: row["sha256"] for row in csv.DictReader(stream)}

    def held(self) -> set[str]:
        """Every file under the root."""
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}
