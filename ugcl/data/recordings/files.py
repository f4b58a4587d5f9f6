"""Media files that a user names by file, folder or pattern, and names for files that are made of them."""

from __future__ import annotations

import glob
import hashlib
import logging
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

from ugcl.data.sources import below
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
SOUND = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".wma"})
SOUND |= {".aif", ".aiff", ".au"}
VIDEO = frozenset({".mp4", ".m4v", ".mov", ".flv", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"})
VIDEO |= {".wmv", ".3gp", ".ogv"}
LONGEST = 240  # bytes of a file's name; file systems hold 255, and an unfinished file's name is longer


def named_files(named: Iterable[str], suffixes: Set[str]) -> list[Path]:
    """The files that a user's arguments stand for, each once, in the order given.

    Args:
        named: folders, which stand for the media files below them and below folders that are linked there,
            broken links included; patterns, which stand for the files that they match; any other name stands
            for a file, be it there or not.
        suffixes: lower-case endings of the files that count in a folder.

    Raises:
        UgclError: a folder or a pattern holds no such file.
    """
    files: dict[Path, None] = {}
    for name in named:
        path = Path(name)
        if path.is_dir():
            found = sorted(_in_folder(path, suffixes))
            if not found:
                raise UgclError(f"{name}: no media file in this folder; give files, folders or patterns")
        elif path.exists() or path.is_symlink() or not glob.has_magic(name):
            found = [path]
        else:
            found = sorted(p for p in map(Path, glob.glob(name, recursive=True)) if not p.is_dir())
            if not found:
                raise UgclError(f"{name}: no such file; give files, folders or patterns")
        files.update(dict.fromkeys(found))
    return list(files)


def printable(text: object) -> str:
    """A name as UTF-8 can hold it: bytes of another encoding are written as their numbers."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def file_name(clip: str, ending: str) -> str:
    """The name of a file that is made of a clip: folders become part of it, and a long one is cut.

    Args:
        ending: of the file, with its dot.
    """
    name = clip.strip("/").replace("/", "_")
    room = LONGEST - len(ending.encode())
    if len(name.encode()) > room:
        suffix = "~" + hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: room - len(suffix)].decode("utf-8", "ignore") + suffix
    return name + ending


def _in_folder(folder: Path, suffixes: Set[str]) -> Iterator[Path]:
    for path in below(folder):
        if path.suffix.lower() in suffixes:
            yield path
        elif path.is_symlink() and not path.exists():
            log.warning("%s: a link to %s, which does not exist", printable(path), printable(path.readlink()))
