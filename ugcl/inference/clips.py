"""From what a user names (files, folders, globs) to clips."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ugcl.features.media.clip import Clip
from ugcl.features.media.files import SOUND, VIDEO, named_files, printable

log = logging.getLogger(__name__)
SOUNDS = re.compile(r"audio|sound|speech|voice|wav|flac|mp3|m4a|ogg", re.IGNORECASE)
PICTURES = re.compile(r"video|visual|pictures|movie|film|face|mp4|flv|avi|mov|mkv|webm|mpg", re.IGNORECASE)


def find(named: Iterable[str]) -> list[Clip]:
    """The clips that a user's arguments stand for, sorted by name.

    A folder stands for the media files below it, a pattern for what it matches. A sound file and a video file
    of the same stem, one of each, are one clip, whose sound is the sound file's, where they lie in one
    folder, or in two that differ in one part which names the kind (AudioWAV and VideoMP4); any other file is
    a clip by itself. Clips of one stem are distinguished by their folders. A file that is not there is a clip
    that cannot be read.

    Raises:
        UgclError: a folder or a pattern stands for nothing.
    """
    files = named_files(named, SOUND | VIDEO)
    pairs: list[tuple[Path, Path | None]] = []
    by_stem: dict[str, list[Path]] = defaultdict(list)
    by_place: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in files:
        by_place[path.parent, path.stem].append(path)
    for (_, stem), group in by_place.items():
        sounds = [path for path in group if _is_sound(path)]
        if len(group) == 2 and len(sounds) == 1:
            pairs.append((sounds[0], next(path for path in group if path not in sounds)))
        else:
            by_stem[stem] += group
    for stem, group in by_stem.items():
        pairs += _across_folders(stem, group)
    stems = Counter(first.stem for first, _ in pairs)
    clips = [_clip(first, second, stems[first.stem] == 1) for first, second in pairs]
    return sorted(clips, key=lambda clip: clip.name)


def absolute(clips: Iterable[Clip]) -> list[Clip]:
    """The same clips under absolute paths, so that they are found from another working folder."""
    return [
        replace(clip, audio=clip.audio and clip.audio.absolute(), video=clip.video and clip.video.absolute())
        for clip in clips
    ]


def _across_folders(stem: str, group: list[Path]) -> list[tuple[Path, Path | None]]:
    """Files of one stem: pairs from folders that are named after their kind, and those that stay alone."""
    sounds, films = ([p for p in group if _is_sound(p) == kind] for kind in (True, False))
    pairs: list[tuple[Path, Path | None]] = []
    for sound in sounds:
        fits = [film for film in films if _same_place(sound.parent, film.parent)]
        rivals = [other for other in sounds if len(fits) == 1 and _same_place(other.parent, fits[0].parent)]
        if len(fits) == 1 and len(rivals) == 1:
            pairs.append((sound, fits[0]))
    paired = {path for pair in pairs for path in pair}
    alone = [path for path in group if path not in paired]
    if {True, False} <= {_is_sound(path) for path in alone}:
        folders = ", ".join(sorted({printable(path.parent) for path in alone}))
        log.info(
            "%s: sound and video of this name lie in several folders (%s) and are clips of their own; put"
            " what belongs together into one folder",
            printable(stem),
            folders,
        )
    return pairs + [(path, None) for path in alone]


def _same_place(sounds: Path, films: Path) -> bool:
    """Whether two folders differ in one part alone, which names the kind of what lies in it."""
    if len(sounds.parts) != len(films.parts):
        return False
    different = [(a, b) for a, b in zip(sounds.parts, films.parts, strict=True) if a != b]
    return len(different) == 1 and bool(SOUNDS.search(different[0][0]) and PICTURES.search(different[0][1]))


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in SOUND


def _clip(first: Path, second: Path | None, alone: bool) -> Clip:
    if second is not None:
        name = first.stem if alone else first.with_suffix("").as_posix()
        return Clip(printable(name), first, second)
    name = printable(first.stem if alone else first.as_posix())
    return Clip(name, audio=first) if _is_sound(first) else Clip(name, video=first)
