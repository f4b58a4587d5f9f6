"""From what a user names (files, folders, globs) to clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ugcl.data.recordings.files import SOUND, VIDEO, named_files, printable
from ugcl.data.recordings.pairs import is_sound, pairs
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip

WORDS = ".txt"
"""Ending of a file with what is said in the clip of the same name."""


def find(named: Iterable[str]) -> list[Clip]:
    """The clips that a user's arguments stand for, sorted by name.

    A folder stands for the media files below it, a pattern for what it matches. Which files are one clip:
    :func:`ugcl.data.recordings.pairs.pairs`. Clips of one stem are distinguished by their folders. A file
    that is not there is a clip that cannot be read. A text file (.txt) beside a media file of the same name
    is its transcript; one that is named without such a file is a clip of words alone.

    Raises:
        UgclError: a folder or a pattern stands for nothing, or a transcript is not UTF-8.
    """
    files = named_files(named, SOUND | VIDEO)
    media = [path for path in files if path.suffix.lower() != WORDS]
    spoken = {path.with_suffix("") for path in media}
    alone = [path for path in files if path.suffix.lower() == WORDS and path.with_suffix("") not in spoken]
    found = [*pairs(media), *((path, None) for path in alone)]
    stems = Counter(first.stem for first, _ in found)
    clips = [_clip(first, second, stems[first.stem] == 1) for first, second in found]
    return sorted(clips, key=lambda clip: clip.name)


def absolute(clips: Iterable[Clip]) -> list[Clip]:
    """The same clips under absolute paths, so that they are found from another working folder."""
    return [
        replace(clip, audio=clip.audio and clip.audio.absolute(), video=clip.video and clip.video.absolute())
        for clip in clips
    ]


def _clip(first: Path, second: Path | None, alone: bool) -> Clip:
    words = _transcript([first] if second is None else [first, second])
    if second is not None:
        name = first.stem if alone else first.with_suffix("").as_posix()
        return Clip(printable(name), first, second, transcript=words)
    name = printable(first.stem if alone else first.as_posix())
    if first.suffix.lower() == WORDS:
        return Clip(name, transcript=words)
    sound, film = (first, None) if is_sound(first) else (None, first)
    return Clip(name, sound, film, transcript=words)


def _transcript(files: list[Path]) -> str:
    """What the first text file beside some files says, on one line; "" where there is none."""
    path = next((text for file in files if (text := file.with_suffix(WORDS)).is_file()), None)
    return "" if path is None else read_words(path)


def read_words(path: Path) -> str:
    """What a text file says, on one line.

    Raises:
        UgclError: it is not UTF-8.
    """
    try:
        return " ".join(path.read_text("utf-8-sig").split())
    except UnicodeDecodeError:
        raise UgclError(f"{printable(path)}: not a text in UTF-8; save it as UTF-8") from None
