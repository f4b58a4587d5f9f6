"""From what a user names (files, folders, globs) to clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ugcl.data.recordings.files import SOUND, VIDEO, named_files, printable
from ugcl.data.recordings.pairs import is_sound, pairs
from ugcl.features.media.clip import Clip


def find(named: Iterable[str]) -> list[Clip]:
    """The clips that a user's arguments stand for, sorted by name.

    A folder stands for the media files below it, a pattern for what it matches. Which files are one clip:
    :func:`ugcl.data.recordings.pairs.pairs`. Clips of one stem are distinguished by their folders. A file
    that is not there is a clip that cannot be read.

    Raises:
        UgclError: a folder or a pattern stands for nothing.
    """
    found = pairs(named_files(named, SOUND | VIDEO))
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
    if second is not None:
        name = first.stem if alone else first.with_suffix("").as_posix()
        return Clip(printable(name), first, second)
    name = printable(first.stem if alone else first.as_posix())
    return Clip(name, audio=first) if is_sound(first) else Clip(name, video=first)
