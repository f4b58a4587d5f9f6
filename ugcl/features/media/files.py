"""Media files that a user names by file, folder or pattern, and the endings by which they are known."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Set
from pathlib import Path

from ugcl.errors import UgclError

SOUND = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".wma"} | {".aif", ".aiff", ".au"}
)
VIDEO = frozenset(
    {".mp4", ".m4v", ".mov", ".flv", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp", ".ogv"}
)


def named_files(named: Iterable[str], suffixes: Set[str]) -> list[Path]:
    """The files that a user's arguments stand for, each once, in the order given.

    Args:
        named: folders, which stand for the media files below them; patterns, which stand for the files that
            they match; any other name stands for a file, be it there or not.
        suffixes: lower-case endings of the files that count in a folder.

    Raises:
        UgclError: a folder holds no such file.
    """
    files: dict[Path, None] = {}
    for name in named:
        path = Path(name)
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
            if not found:
                raise UgclError(f"{name}: no media file in this folder; give files, folders or patterns")
        else:
            matched = [] if path.exists() else sorted(map(Path, glob.glob(name, recursive=True)))
            found = [p for p in matched if p.is_file()] or [path]
        files.update(dict.fromkeys(found))
    return list(files)
