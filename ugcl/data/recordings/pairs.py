"""Which sound and video files are recordings of one clip, by their names and places."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from ugcl.data.recordings.files import SOUND, printable

log = logging.getLogger(__name__)
SOUNDS = re.compile(r"audio|sound|speech|voice|wav|flac|mp3|m4a|ogg", re.IGNORECASE)
PICTURES = re.compile(r"video|visual|pictures|movie|film|face|mp4|flv|avi|mov|mkv|webm|mpg", re.IGNORECASE)


def pairs(files: Iterable[Path]) -> list[tuple[Path, Path | None]]:
    """Files as clips: a sound and its video, or one file alone.

    A sound file and a video file of the same stem, one of each, are one clip, whose sound is the sound
    file's, where they lie in one folder, or in two that differ in one part which names the kind (AudioWAV
    and VideoMP4); any other file is a clip by itself.
    """
    found: list[tuple[Path, Path | None]] = []
    by_stem: dict[str, list[Path]] = defaultdict(list)
    by_place: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in files:
        by_place[path.parent, path.stem].append(path)
    for (_, stem), group in by_place.items():
        sounds = [path for path in group if is_sound(path)]
        if len(group) == 2 and len(sounds) == 1:
            found.append((sounds[0], next(path for path in group if path not in sounds)))
        else:
            by_stem[stem] += group
    for stem, group in by_stem.items():
        found += _across_folders(stem, group)
    return found


def is_sound(path: Path) -> bool:
    """Whether a file's ending is that of a sound file."""
    return path.suffix.lower() in SOUND


def _across_folders(stem: str, group: list[Path]) -> list[tuple[Path, Path | None]]:
    """Files of one stem: pairs from folders that are named after their kind, and those that stay alone."""
    sounds, films = ([p for p in group if is_sound(p) == kind] for kind in (True, False))
    found: list[tuple[Path, Path | None]] = []
    for sound in sounds:
        fits = [film for film in films if _same_place(sound.parent, film.parent)]
        rivals = [other for other in sounds if len(fits) == 1 and _same_place(other.parent, fits[0].parent)]
        if len(fits) == 1 and len(rivals) == 1:
            found.append((sound, fits[0]))
    paired = {path for pair in found for path in pair}
    alone = [path for path in group if path not in paired]
    if {True, False} <= {is_sound(path) for path in alone}:
        folders = ", ".join(sorted({printable(path.parent) for path in alone}))
        log.info(
            "%s: sound and video of this name lie in several folders (%s) and are clips of their own; put"
            " what belongs together into one folder",
            printable(stem),
            folders,
        )
    return found + [(path, None) for path in alone]


def _same_place(sounds: Path, films: Path) -> bool:
    """Whether two folders differ in one part alone, which names the kind of what lies in it."""
    if len(sounds.parts) != len(films.parts):
        return False
    different = [(a, b) for a, b in zip(sounds.parts, films.parts, strict=True) if a != b]
    return len(different) == 1 and bool(SOUNDS.search(different[0][0]) and PICTURES.search(different[0][1]))
