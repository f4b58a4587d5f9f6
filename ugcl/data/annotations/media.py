"""Which sound and video an annotation file is about."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from ugcl.data import sources
from ugcl.data.annotations.tiers import Annotation
from ugcl.data.recordings.files import SOUND, VIDEO
from ugcl.data.recordings.pairs import is_sound, pairs
from ugcl.data.splits.leaks import listed
from ugcl.errors import UgclError


class Recordings:
    """The media below a corpus's root, found by the annotation file of a recording.

    The files that ELAN links come first, then those of the annotation file's name in its folder, then a
    recording of that name anywhere else below the root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.by_stem: dict[str, list[tuple[Path, Path | None]]] = defaultdict(list)
        files = [path for path in sources.below(root) if path.suffix.lower() in SOUND | VIDEO]
        for first, second in pairs(files):
            self.by_stem[first.stem].append((first, second))

    def of(self, annotation: Annotation) -> tuple[str, str]:
        """Sound and video, relative to the root; "" where there is none.

        Where nothing is found, the sound is the WAV file that was looked for: the features stage sets its
        clips aside as missing.

        Raises:
            UgclError: several recordings have the annotation file's name.
        """
        path = annotation.path
        linked = self._linked(annotation)
        if linked:
            return self._names(linked)
        found = self.by_stem.get(path.stem, [])
        here = [pair for pair in found if any(file and file.parent == path.parent for file in pair)]
        found = here or found
        if len(found) > 1:
            names = listed([self._name(first) for first, _ in found])
            raise UgclError(f"{path}: several recordings have its name ({names}); keep one beside it")
        if not found:
            return self._name(path.with_suffix(".wav")), ""
        return self._names([file for file in found[0] if file is not None])

    def _linked(self, annotation: Annotation) -> list[Path]:
        """The linked files that are here: where the link says, else by their names beside the annotation."""
        found: dict[Path, None] = {}
        for link in annotation.media:
            name = link.replace("\\", "/").rsplit("/", 1)[-1]
            for path in (annotation.path.parent / link, annotation.path.with_name(name)):
                inside = Path(os.path.normpath(path)).is_relative_to(os.path.normpath(self.root))
                if inside and path.suffix.lower() in SOUND | VIDEO and path.is_file():
                    found[Path(os.path.normpath(path))] = None
                    break
        return list(found)

    def _names(self, files: list[Path]) -> tuple[str, str]:
        sounds = [self._name(path) for path in files if is_sound(path)]
        films = [self._name(path) for path in files if not is_sound(path)]
        return "".join(sounds[:1]), "".join(films[:1])

    def _name(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.root)).as_posix()
