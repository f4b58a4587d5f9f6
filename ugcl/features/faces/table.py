"""The face track of a clip and the table a shard of tracks is kept in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl.errors import UgclError
from ugcl.identity import compare

BOX = ["x", "y", "w", "h"]
LANDMARKS = [f"{axis}{point}" for point in range(1, 6) for axis in "xy"]
COLUMNS = ["clip", "frame", "time", *BOX, "score", "detected", *LANDMARKS]
READ = 20_000  # rows of a table that are read at a time
SUMMARY = ["clip", "frames", "frames_with_face", "mean_score", "failure", "detail", "digest"]
DIGITS = 16
"""Hexadecimal digits of a track's digest."""


@dataclass(frozen=True)
class Track:
    """One face through a clip; row i is frame i of the file."""

    times: np.ndarray  # (frames,) seconds
    boxes: np.ndarray  # (frames, 4) left, top, width, height in pixels; NaN without a face
    scores: np.ndarray  # (frames,) detector's confidence, interpolated between detections; NaN without a face
    detected: np.ndarray  # (frames,) bool, False where box and landmarks are interpolated
    landmarks: np.ndarray  # (frames, 5, 2) x and y in pixels; NaN without a face
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

    def summary(self, clip: str, content: bytes, table: Path) -> dict[str, object]:
        """One row of the summary of a table of faces; `content` are the track's rows as they stand there."""
        visible = self.visible
        score = f"{self.scores[visible].mean():.6f}" if visible.any() else ""
        found = begun(table)
        found.update(content)
        digest = found.hexdigest()[:DIGITS]
        values = (clip, len(visible), int(visible.sum()), score, self.failure, self.detail, digest)
        return dict(zip(SUMMARY, values, strict=True))


def begun(table: Path) -> Any:
    """A SHA-256 of a track, begun with the corpus and shard that the path of its table names."""
    return hashlib.sha256(f"{table.parent.name}/{table.stem}".encode())


def summary_path(table: Path) -> Path:
    """The summary beside a shard's table of faces."""
    return table.with_suffix(".summary.csv")


def text(rows: pd.DataFrame, header: bool = False) -> str:
    """Rows of a table of faces, or of its summary, as they stand in the file."""
    return rows.to_csv(index=False, header=header, lineterminator="\n", float_format="%.6f")


def read(table: Path) -> Iterator[tuple[str, Track]]:
    """Read the tracks of a shard, clip by clip in the order of its summary, a part of the file at a time.

    Raises:
        UgclError: the summary has no digests, or the tracks are not those that it is about.
    """
    text = {"clip": str, "digest": str}
    summary = pd.read_csv(summary_path(table), dtype=text, keep_default_na=False)
    if "digest" not in summary:
        raise UgclError(f"{summary_path(table)}: has no digests; track the faces of this shard again")
    _verify(table, dict(zip(summary["clip"], summary["digest"], strict=True)))
    groups = _groups(table)
    clip, group = next(groups, ("", None))
    for entry in summary.itertuples():
        if group is None or clip != entry.clip:
            yield entry.clip, Track.none(entry.failure, entry.detail)
            continue
        times, boxes, scores = (group[column].to_numpy(float) for column in ("time", BOX, "score"))
        detected = group["detected"].to_numpy(bool)
        landmarks = group[LANDMARKS].to_numpy(float).reshape(-1, 5, 2)
        yield entry.clip, Track(times, boxes, scores, detected, landmarks, entry.failure, entry.detail)
        clip, group = next(groups, ("", None))


def digests(table: Path, clips: Iterable[str]) -> dict[str, str]:
    """What the tracks of some clips, and of all others in a table, hash to (see `Track.summary`)."""
    found = {clip: begun(table) for clip in clips}
    with table.open("rb") as file:
        next(file, b"")
        for line in file:
            name = line.partition(b",")[0].decode(errors="replace")
            found.setdefault(name, begun(table)).update(line)
    return {clip: digest.hexdigest()[:DIGITS] for clip, digest in found.items()}


def _verify(table: Path, expected: dict[str, str]) -> None:
    """Refuse a table with a track that is not the one that was written, such as after a fault of a disk."""
    for clip, digest in digests(table, expected).items():
        advice = f"its track of clip {clip!r} is not the one that was made; track this shard's faces again"
        compare(table, {"digest": digest}, {"digest": expected.get(clip, "")}, advice)


def _groups(table: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each clip, which stand together in the file."""
    rest: pd.DataFrame | None = None
    # Only a number can be absent: a clip may be called NA, nan or None.
    absent = {column: [""] for column in COLUMNS if column != "clip"}
    options = {"dtype": {"clip": str}, "keep_default_na": False, "na_values": absent}
    with pd.read_csv(table, float_precision="round_trip", chunksize=READ, **options) as parts:
        for part in parts:
            rows = part if rest is None else pd.concat([rest, part], ignore_index=True)
            groups = list(rows.groupby("clip", sort=False))
            yield from groups[:-1]
            rest = groups[-1][1] if groups else None
    if rest is not None:
        yield rest["clip"].iloc[0], rest
