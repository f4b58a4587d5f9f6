"""Taking the files a corpus needs out of zip and tar archives, one by one and each in one step.

No entry may leave the root: absolute names, `..`, drives, links and devices are refused, wanted or not. A tar
inside a tar (MELD) is read as it streams past, without a copy on disk.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from ugcl.data.fetching.registry import ARCHIVES
from ugcl.data.fetching.transfer import check_space
from ugcl.errors import UgclError

TARS = tuple(ending for ending in ARCHIVES if ending != ".zip")
DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile),
    NotImplementedError,  # zipfile's word for a compression or encryption that it cannot read
)


def unpack(archive: Path, root: Path, patterns: Iterable[str]) -> list[Path]:
    """Take an archive's files that fit a pattern into a root; those that are there whole are left alone.

    Folders around the pattern's own do not matter: `MELD.Raw/train_splits/a.mp4` fits `train_splits/*.mp4`
    and goes there.

    Args:
        archive: a .zip, .tar, .tar.gz or .tgz file.
        root: where the files go.
        patterns: glob patterns relative to the root, without `**`.

    Returns:
        Paths of the files, relative to the root, in the archive's order.

    Raises:
        UgclError: an entry would leave the root, the archive is damaged, or the disk is too small.
    """
    patterns = list(patterns)
    try:
        if archive.name.endswith(".zip"):
            return _unzip(archive, root, patterns)
        with archive.open("rb") as stream:
            return _untar(stream, archive.name, root, patterns)
    except DAMAGED as error:
        reason = " ".join(str(error).split())
        raise UgclError(f"{archive}: damaged archive ({reason}); delete it and fetch again") from None


def unpack_all(folder: Path, root: Path, patterns: Iterable[str]) -> None:
    """Unpack the archives at the top of a folder; unrelated ones are ignored."""
    if folder.is_dir():
        for path in sorted(path for path in folder.iterdir() if path.name.endswith(ARCHIVES)):
            unpack(path, root, patterns)


def place(name: str, patterns: Sequence[str]) -> Path | None:
    """Where an entry goes: the end of its name that fits a pattern; None if it is not wanted."""
    parts = PurePosixPath(name).parts
    for pattern in patterns:
        wanted = PurePosixPath(pattern).parts
        tail = parts[-len(wanted) :]
        if len(tail) == len(wanted) and all(map(fnmatchcase, tail, wanted)):
            return Path(*tail)
    return None


def check_name(name: str, archive: str) -> None:
    """Refuse an entry that would be written outside the root.

    Raises:
        UgclError: the name is absolute, has a drive or backslash, or climbs with `..`.
    """
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name or "\\" in name:
        raise UgclError(f"{archive}: entry {name!r} leads outside the folder; do not trust the archive")


def _unzip(archive: Path, root: Path, patterns: Sequence[str]) -> list[Path]:
    with zipfile.ZipFile(archive) as opened:
        entries = {}
        for entry in opened.infolist():
            check_name(entry.filename, archive.name)
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise _link(archive.name, entry.filename)
            goal = None if entry.is_dir() else place(entry.filename, patterns)
            if goal is not None:
                entries.setdefault(goal, entry)
        lacking = {goal: entry for goal, entry in entries.items() if not _there(root / goal, entry.file_size)}
        check_space(root, sum(entry.file_size for entry in lacking.values()))
        for goal, entry in lacking.items():
            with opened.open(entry) as stream:
                _write(stream, root / goal, entry.file_size)
    return list(entries)


def _untar(stream: IO[bytes], archive: str, root: Path, patterns: Sequence[str]) -> list[Path]:
    taken = []
    with tarfile.open(fileobj=stream, mode="r|*") as opened:
        for entry in opened:
            check_name(entry.name, archive)
            if not (entry.isfile() or entry.isdir()):
                raise _link(archive, entry.name)
            if not entry.isfile():
                continue
            goal = place(entry.name, patterns)
            if goal is not None:
                if not _there(root / goal, entry.size):
                    check_space(root, entry.size)
                    _write(opened.extractfile(entry), root / goal, entry.size)
                taken.append(goal)
            # A leading dot marks the shadow files that macOS puts beside real ones.
            elif entry.name.endswith(TARS) and not PurePosixPath(entry.name).name.startswith("."):
                taken += _untar(opened.extractfile(entry), f"{archive}: {entry.name}", root, patterns)
    return taken


def _there(path: Path, size: int) -> bool:
    """Files get their names when whole, so an earlier run's file is known by its size."""
    return path.is_file() and path.stat().st_size == size


def _write(stream: IO[bytes], goal: Path, size: int) -> None:
    goal.parent.mkdir(parents=True, exist_ok=True)
    partial = goal.with_name(goal.name + ".partial")
    with partial.open("wb") as target:
        shutil.copyfileobj(stream, target, 1 << 20)
    if partial.stat().st_size != size:
        raise EOFError(f"{goal.name} ends after {partial.stat().st_size} of {size} bytes")
    partial.replace(goal)


def _link(archive: str, name: str) -> UgclError:
    return UgclError(f"{archive}: entry {name!r} is a link or device; do not trust the archive")
