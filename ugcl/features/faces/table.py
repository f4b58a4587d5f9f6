"""The face track of a clip and the table a shard of tracks is kept in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

BOX = ["x", "y", "w", "h"]
LANDMARKS = [f"{axis}{point}" for point in range(1, 6) for axis in "xy"]
COLUMNS = ["clip", "frame", "time", *BOX, "score", "detected", *LANDMARKS]
READ = 20_000  # rows of a table that are read at a time
SUMMARY = ["clip", "frames", "frames_with_face", "mean_score", "failure", "detail"]


@dataclass(frozen=True)
class Track:
    """One face through a clip; row i is frame i of the file."""

    times: np.ndarray  # (frames,) seconds
    boxes: np.ndarray  # (frames, 4) left, top, width, height in pixels; NaN where there is no face
    scores: np.ndarray  # (frames,) detector's confidence, interpolated between detections; NaN without a face
    detected: np.ndarray  # (frames,) bool, False where box and landmarks are interpolated
    landmarks: np.ndarray  # (frames, 5, 2) x and y in pixels; NaN where there is no face
    failure: str = ""  # why the clip has no usable track, or ""
    detail: str = ""  # what was found, if there is a failure

    @property
    def visible(self) -> np.ndarray:
        """(frames,) bool: the frame has a face."""
        return ~np.isnan(self.scores)

    @classmethod
    def none(cls, failure: str, detail: str) -> Track:
        """The track of a clip that could not be decoded."""
        empty = np.empty(0)
        boxes, landmarks = np.empty((0, 4)), np.empty((0, 5, 2))
        return cls(empty, boxes, empty, empty.astype(bool), landmarks, failure, detail)

    def rows(self, clip: str) -> pd.DataFrame:
        """The track as table rows, columns :data:`COLUMNS`."""
        count = len(self.times)
        table = pd.DataFrame({"clip": [clip] * count, "frame": np.arange(count), "time": self.times})
        table[BOX] = self.boxes
        table["score"] = self.scores
        table["detected"] = self.detected.astype(int)
        table[LANDMARKS] = self.landmarks.reshape(count, 10)
        return table

    def summary(self, clip: str) -> dict[str, object]:
        """One row of the summary table."""
        visible = self.visible
        score = f"{self.scores[visible].mean():.6f}" if visible.any() else ""
        values = (clip, len(visible), int(visible.sum()), score, self.failure, self.detail)
        return dict(zip(SUMMARY, values, strict=True))


def summary_path(table: Path) -> Path:
    """The summary beside a shard's table of faces."""
    return table.with_suffix(".summary.csv")


def text(rows: pd.DataFrame, header: bool = False) -> str:
    """Rows of a table of faces, or of its summary, as they stand in the file."""
    return rows.to_csv(index=False, header=header, lineterminator="\n", float_format="%.6f")


def read(table: Path) -> Iterator[tuple[str, Track]]:
    """Read the tracks of a shard, clip by clip in the order of its summary, a part of the file at a time."""
    groups = _groups(table)
    summary = pd.read_csv(summary_path(table), dtype={"clip": str}, keep_default_na=False)
    clip, group = next(groups, ("", None))
    for entry in summary.itertuples():
        if group is None or clip != entry.clip:
            yield entry.clip, Track.none(entry.failure, entry.detail)
            continue
        yield (
            entry.clip,
            Track(
                times=group["time"].to_numpy(float),
                boxes=group[BOX].to_numpy(float),
                scores=group["score"].to_numpy(float),
                detected=group["detected"].to_numpy(bool),
                landmarks=group[LANDMARKS].to_numpy(float).reshape(-1, 5, 2),
                failure=entry.failure,
                detail=entry.detail,
            ),
        )
        clip, group = next(groups, ("", None))


def _groups(table: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each clip, which stand together in the file."""
    rest: pd.DataFrame | None = None
    # Only a number can be absent: a clip may be called NA, nan or None.
    absent = {column: [""] for column in COLUMNS if column != "clip"}
    with pd.read_csv(
        table,
        dtype={"clip": str},
        float_precision="round_trip",
        chunksize=READ,
        keep_default_na=False,
        na_values=absent,
    ) as parts:
        for part in parts:
            rows = part if rest is None else pd.concat([rest, part], ignore_index=True)
            groups = list(rows.groupby("clip", sort=False))
            yield from groups[:-1]
            rest = groups[-1][1] if groups else None
    if rest is not None:
        yield rest["clip"].iloc[0], rest
