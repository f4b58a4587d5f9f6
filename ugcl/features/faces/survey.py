"""The faces of any video files: what is found in each, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
import pandas as pd

from ugcl.data.recordings.files import VIDEO, named_files, printable
from ugcl.features.faces import table
from ugcl.features.faces.detector import MIN_OVERLAP, Detection, Detector, overlap
from ugcl.features.faces.table import Track
from ugcl.features.faces.tracking import follow
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

if TYPE_CHECKING:
    from ugcl.config.data import Faces

COLUMNS = ["clip", "frames", "frames_with_face", "mean_score", "failure"]


@dataclass(frozen=True)
class Survey:
    """What was found in one file."""

    clip: Clip  # the file
    track: Track  # its speaker's face, or its failure
    searched: int  # pictures that were searched as a whole
    several: int  # how many of them showed more than one face
    remarks: tuple[str, ...] = ()  # on the file itself

    @property
    def notes(self) -> list[str]:
        """What a reader should know besides a failure."""
        text = f"several faces on {self.several} of {self.searched} pictures searched as a whole"
        return [*self.remarks, *([text] if self.several else [])]

    @property
    def readable(self) -> bool:
        """Whether the file could be decoded to its end."""
        return len(self.track.times) > 0

    def row(self) -> dict[str, object]:
        """The columns :data:`COLUMNS`; `mean_score` is None where no frame has a face."""
        visible = self.track.visible
        score = round(float(self.track.scores[visible].mean()), 6) if visible.any() else None
        values = (self.clip.name, len(visible), int(visible.sum()), score, self.track.failure)
        return dict(zip(COLUMNS, values, strict=True))


def find(named: Iterable[str]) -> list[Clip]:
    """The videos that a user's arguments stand for, sorted by name.

    A clip is named by its file's stem, or by its path where two files have the same one. A file that is not
    there is a clip too, that cannot be read.

    Raises:
        UgclError: a folder holds no video.
    """
    files = named_files(named, VIDEO)
    stems = Counter(path.stem for path in files)
    names = [printable(path.stem if stems[path.stem] == 1 else path.as_posix()) for path in files]
    clips = [Clip(name, video=path) for name, path in zip(names, files, strict=True)]
    return sorted(clips, key=lambda clip: clip.name)


def survey(clips: Iterable[Clip], detector: Detector, settings: Faces) -> Iterator[Survey]:
    """Track the speaker's face of each clip; a file that cannot be read is a result with its failure."""
    for clip in clips:
        yield look(clip, detector, settings)


def look(clip: Clip, detector: Detector, settings: Faces) -> Survey:
    """Track the speaker's face of one clip; see :func:`survey`."""
    watch, remarks = _Watch(detector, settings.min_score), []
    try:
        track = follow(clip.frames(remarks), watch, settings)
    except MediaError as error:
        track = Track.none(error.failure, error.detail)
    return Survey(clip, track, watch.searched, watch.several, tuple(remarks))


class Tables:
    """The tables `faces.csv` and `faces.summary.csv` of a folder, written clip by clip.

    They have the columns of a corpus's face tables and are there only when all clips are: use it as a
    context.
    """

    def __init__(self, folder: Path) -> None:
        self.target = folder / "faces.csv"
        self._open: dict[Path, TextIO] = {}

    def __enter__(self) -> Tables:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        for path, columns in ((self.target, table.COLUMNS), (table.summary_path(self.target), table.SUMMARY)):
            self._open[path] = path.with_name(path.name + ".partial").open("w", newline="")
            self._open[path].write(",".join(columns) + "\n")
        return self

    def add(self, found: Survey) -> None:
        """Append one clip."""
        name, track = found.clip.name, found.track
        rows = table.text(track.rows(name))
        summary = table.text(pd.DataFrame([track.summary(name, rows.encode(), self.target)]))
        for text, file in zip((rows, summary), self._open.values(), strict=True):
            file.write(text)

    def __exit__(self, kind: object, *_: object) -> None:
        for path, file in self._open.items():
            file.close()
            if kind is None:
                Path(file.name).replace(path)


class _Watch:
    """A detector that counts on how many pictures it was shown as a whole it found several faces."""

    def __init__(self, detector: Detector, min_score: float) -> None:
        self.detector, self.min_score = detector, min_score
        self.searched = self.several = 0

    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        found = self.detector(rgb)
        boxes = [face.box for face in found if face.score >= self.min_score]
        self.searched += 1
        self.several += any(overlap(a, b) < MIN_OVERLAP for a, b in combinations(boxes, 2))
        return found

    def near(self, rgb: np.ndarray, box: np.ndarray) -> Detection | None:
        return self.detector.near(rgb, box)
