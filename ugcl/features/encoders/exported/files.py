"""Features of other programs, read from one file per clip in place of an encoder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ugcl.config.features import Files
from ugcl.data.sources import sha256
from ugcl.errors import UgclError
from ugcl.features.encoders.exported.rows import Rows, read
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.media.interval import Interval

log = logging.getLogger(__name__)


class FilesEncoder:
    """Vectors that other software wrote: OpenFace or openSMILE tables, .npy of MERTools, .npz; no media.

    Rows with times are laid on an even grid from the clip's start: each point takes the nearest good row, of
    two the earlier one, as encoders of faces do where no face is seen. So rows that failed, and gaps, do not
    move the others.

    Args:
        config: path, columns, and what marks failed rows.
        root: of the corpus.
        clips: rows of the manifest (clip, audio, video), whose files belong to these features.

    Raises:
        UgclError: no clip has a file that can be read, no column is chosen, or the rate cannot be found.
    """

    layers = 1
    needs_faces = False
    reads = ()  # nothing of a clip: a file that is there and cannot be used is a fault, whatever media it has

    def __init__(self, name: str, config: Files, root: Path, clips: Iterable[Mapping[str, Any]]) -> None:
        self.name, self.modality, self.config, self.root = name, config.modality, config, root
        wanted = [self._path(row["clip"], row["audio"], row["video"]) for row in clips]
        files = sorted({path for path in wanted if path.is_file()})
        if not files:
            where = f"first looked for {wanted[0]}" if wanted else "the corpus has no clips"
            raise UgclError(f"encoders.{name}.path: no clip has its file ({where}); fix the path")
        first = self._first(files)
        self.columns = list(first.columns)
        self.dim = first.values.shape[1]
        if self.dim == 0:
            raise UgclError(f"encoders.{name}.columns: {files[0]} has no such column; fix the patterns")
        self.rate = float(self._rate(first) if config.rate is None else config.rate)
        digest = hashlib.sha256()
        for path in files:
            digest.update(f"{path.relative_to(root).as_posix()}\0{sha256(path)}\0".encode())
        facts = {
            "columns": self.columns,
            "rate": self.rate,
            "files": len(files),
            "sha256": digest.hexdigest(),
        }
        self.settings: dict[str, Any] = config.model_dump(mode="json") | facts

    def encode(self, clip: Clip) -> np.ndarray:
        """The clip's vectors, (T, dim) float32.

        Raises:
            MediaError: missing, with the path that was looked for (absent where the manifest names nothing of
                the modality either); empty, unreadable, truncated; no_face where all rows of a video failed,
                else silent.
        """
        path = self._path(clip.name, clip.audio, clip.video)
        if not path.exists() and not clip.names(self.modality):
            raise MediaError(
                "absent", f"{path}: no such file, and the manifest names none of the clip either"
            )
        rows = read(path, self.config, self.columns if self.config.is_table else None)
        if rows.values.size == 0:
            raise MediaError("empty", f"{path}: has no values")
        if rows.values.shape[1] != self.dim:
            raise MediaError(
                "unreadable", f"{path}: {rows.values.shape[1]} columns, those of other clips have {self.dim}"
            )
        failed = "no_face" if self.modality == "video" else "silent"
        if not rows.good.any():
            raise MediaError(failed, f"{path}: all {len(rows.good)} rows failed")
        values = self._vector(path, rows, clip) if self.rate == 0 else self._grid(path, rows, clip)
        if not np.isfinite(values).all():
            raise MediaError("unreadable", f"{path}: has values that are not finite")
        if not values.any():
            raise MediaError(failed, f"{path}: all values are 0, which stands for nothing found")
        return values.astype(np.float32)

    def _vector(self, path: Path, rows: Rows, clip: Clip) -> np.ndarray:
        if len(rows.values) > 1:
            raise MediaError("unreadable", f"{path}: {len(rows.values)} rows, one is expected; set rate")
        if self._interval(clip) is not None:
            raise MediaError(
                "unreadable", f"{path}: one vector of the whole recording, the clip is a part of it"
            )
        return rows.values

    def _grid(self, path: Path, rows: Rows, clip: Clip) -> np.ndarray:
        """The nearest good row of every point of the grid, (points, dim)."""
        times = np.arange(len(rows.values)) / self.rate if rows.times is None else rows.times
        last = times[-1] + (float(np.median(np.diff(times))) if len(times) > 1 else 1 / self.rate)
        start, end = 0.0, last
        if (interval := self._interval(clip)) is not None:
            start, end = interval.start, min(last, interval.end)
            if end <= start:
                raise MediaError(
                    "truncated", f"{path}: rows end at {last:.2f} s, the clip begins at {start:.2f} s"
                )
        points = start + np.arange(max(1, round((end - start) * self.rate))) / self.rate
        # Of a segment only its own rows count, and the one that its first point is nearest to.
        inside = rows.good & (times >= start - 0.5 / self.rate) & (times < end)
        if not inside.any():
            raise MediaError(
                "no_face" if self.modality == "video" else "silent",
                f"{path}: all rows from {start:.2f} to {end:.2f} s failed",
            )
        known, found = times[inside], rows.values[inside]
        middles = (known[1:] + known[:-1]) / 2
        return found[np.searchsorted(middles, points)]

    def _interval(self, clip: Clip) -> Interval | None:
        """The clip's part of the recording that its file is about; None where the file is the clip's own."""
        if "{clip}" in self.config.path:
            return None
        return clip.sound_interval if self.modality == "audio" and clip.audio is not None else clip.interval

    def _path(self, clip: str, audio: Any, video: Any) -> Path:
        first, second = (audio, video) if self.modality == "audio" else (video, audio)
        stem = Path(first or second or clip).stem
        return self.root / self.config.path.replace("{clip}", clip).replace("{stem}", stem)

    def _first(self, files: Iterable[Path]) -> Rows:
        """The first file that can be read, which decides columns and, where it is not given, the rate."""
        fault = None
        for path in files:
            try:
                rows = read(path, self.config)
            except MediaError as error:
                fault = fault or error
                continue
            if rows.values.size == 0 and not self.config.is_table:
                fault = fault or MediaError("empty", f"{path}: has no values")
                continue
            if self.config.rate is not None or len(rows.values) > 1:
                return rows
        reason = fault.detail if fault else "all have one row; set rate"
        raise UgclError(f"encoders.{self.name}: no file can be read: {reason}")

    def _rate(self, rows: Rows) -> float:
        """Rows per second, to a hundredth: times are written with three digits."""
        assert rows.times is not None  # checked with the settings
        rate = round((len(rows.times) - 1) / float(rows.times[-1] - rows.times[0]), 2)
        log.info("encoders.%s: %g vectors per second, by the times of the first file", self.name, rate)
        return rate
