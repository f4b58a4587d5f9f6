"""From what a user names (files, folders, globs) to clips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.files import SOUND, VIDEO, named_files


def find(named: Iterable[str]) -> list[Clip]:
    """The clips that a user's arguments stand for, sorted by name.

    A folder stands for the media files below it, a pattern for what it matches. A sound file and a video file
    of the same stem, one of each, are one clip, whose sound is the sound file's; any other file is a clip by
    itself. Clips of one stem in several folders are told apart by their folders.

    Raises:
        UgclError: a name stands for nothing.
    """
    files = named_files(named, SOUND | VIDEO)
    for path in files:
        if not path.is_file():
            raise UgclError(f"{path}: no such file; give files, folders or patterns")
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        by_stem[path.stem].append(path)
    clips = []
    for stem, group in by_stem.items():
        sounds = [path for path in group if path.suffix.lower() in SOUND]
        if len(group) == 2 and len(sounds) == 1:
            clips.append(Clip(stem, sounds[0], next(path for path in group if path not in sounds)))
        else:
            clips += [_alone(path, stem if len(group) == 1 else path.as_posix()) for path in group]
    return sorted(clips, key=lambda clip: clip.name)


def _alone(path: Path, name: str) -> Clip:
    return Clip(name, audio=path) if path.suffix.lower() in SOUND else Clip(name, video=path)
