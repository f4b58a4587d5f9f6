"""Aligned face crops on an even grid of times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ugcl.features.faces import alignment
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError


@dataclass(frozen=True)
class FaceBlock:
    """Consecutive points of a clip's time grid.

    Attributes:
        shown: (points,) number of the crop that is shown at each, among all of the clip; -1 for no face.
    """

    crops: np.ndarray  # (crops, size, size, 3) uint8, what is first shown at these points
    shown: np.ndarray


def face_blocks(clip: Clip, fps: float, size: int, margin: float, count: int) -> Iterator[FaceBlock]:
    """Cut the aligned faces out of a clip, on the time grid, with constant memory.

    A frame that is shown at several points is cut once.

    Args:
        fps: grid rate, Hz.
        size: side of the crop, pixels.
        count: most crops of a block.

    Raises:
        MediaError: the track failed, or no point has a face.
    """
    track = clip.faces
    if track is None:
        raise MediaError("no_face", f"{clip.name}: the face table has no row of this clip")
    if track.failure:
        raise MediaError(track.failure, track.detail)
    visible = track.visible
    crops: list[np.ndarray] = []
    shown: list[int] = []
    cut, frame_number, current = 0, -1, -1
    for _, frame in clip.sampled(fps):
        if frame.index != frame_number:
            frame_number, current = frame.index, -1
            if frame_number < len(visible) and visible[frame_number]:
                if len(crops) == count:
                    yield FaceBlock(np.stack(crops), np.array(shown))
                    crops, shown = [], []
                crops.append(alignment.crop(frame.rgb(), track.landmarks[frame_number], size, margin))
                current, cut = cut, cut + 1
        shown.append(current)
    if cut == 0:
        raise MediaError("no_face", f"{clip.name}: no sampled frame has a face")
    yield FaceBlock(np.stack(crops), np.array(shown))


class Grid:
    """The vector of every point of a grid; a point without a face takes that of the nearest with one.

    Blocks of points go in, in their order, and the points whose vector is known come out.
    """

    def __init__(self) -> None:
        self.waiting, self.last = 0, None  # points without a vector yet; the vector before them

    def add(self, shown: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Lay a block on the grid.

        Args:
            shown: (points,) number of the vector that is shown at each, among all; -1 for no face.
            vectors: (crops, dim) the block's own.

        Returns:
            (points, dim) of the points that are known now.
        """
        known = np.flatnonzero(shown >= 0)
        if not len(known):
            self.waiting += len(shown)
            return vectors[:0]
        # Of a gap the first half, and its middle, takes the vector before it.
        before = 0 if self.last is None else (self.waiting + known[0] + 1) // 2
        after = self.waiting + known[0] - before
        middles = (known[1:] + known[:-1]) / 2
        inner = np.arange(known[0], known[-1] + 1)
        # A crop that an earlier block began may be shown first: it is the last vector.
        own = np.concatenate([vectors[:0] if self.last is None else self.last, vectors])
        first = shown.max() + 1 - len(own)
        numbers = shown[known[np.searchsorted(middles, inner)]] - first
        lead = [np.repeat(self.last, before, axis=0)] if before else []
        found = np.concatenate([*lead, np.repeat(own[[numbers[0]]], after, axis=0), own[numbers]])
        self.waiting, self.last = len(shown) - known[-1] - 1, own[[numbers[-1]]]
        return found

    def rest(self) -> np.ndarray:
        """The points behind the last face, (points, dim)."""
        return np.repeat(self.last, self.waiting, axis=0)
