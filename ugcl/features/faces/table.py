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
SUMMARY = ["clip", "frames", "frames_with_face", "mean_score", "failure", "detail"]


@dataclass(frozen=True)
class Track:
    """One face through a clip; row i is frame i of the file.

    Attributes:
        times: (frames,) seconds.
        boxes: (frames, 4) left, top, width, height in pixels; NaN where there is no face.
        scores: (frames,) detector's confidence, interpolated between detections; NaN without a face.
        detected: (frames,) bool, False where box and landmarks are interpolated.
        landmarks: (frames, 5, 2) x and y in pixels; NaN where there is no face.
        failure: why the clip has no usable track, or "".
        detail: what was found, if there is a failure.
    """

    times: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    detected: np.ndarray
    landmarks: np.ndarray
    failure: str = ""
    detail: str = ""

    @property
    def visible(self) -> np.ndarray:
        """(frames,) bool: the frame has a face."""
        return ~np.isnan(self.scores)

    @classmethod
    def none(cls, failure: str, detail: str) -> Track:
        """The track of a clip that could not be decoded."""
        empty = np.empty(0)
        return cls(
            empty, empty.reshape(0, 4), empty, empty.astype(bool), np.empty((0, 5, 2)), failure, detail
        )

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


def read(table: Path) -> Iterator[tuple[str, Track]]:
    """Read the tracks of a shard, clip by clip in the order of its summary."""
    rows = pd.read_csv(table, dtype={"clip": str}, float_precision="round_trip")
    groups = dict(iter(rows.groupby("clip", sort=False)))
    summary = pd.read_csv(summary_path(table), dtype={"clip": str}, keep_default_na=False)
    for entry in summary.itertuples():
        group = groups.get(entry.clip)
        if group is None:
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
