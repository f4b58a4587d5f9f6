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
        crops: (crops, size, size, 3) uint8, what is first shown at these points.
        shown: (points,) number of the crop that is shown at each, among all of the clip; -1 for no face.
    """

    crops: np.ndarray
    shown: np.ndarray


def face_blocks(clip: Clip, fps: float, size: int, margin: float, count: int) -> Iterator[FaceBlock]:
    """Cut the aligned faces out of a clip, on the time grid, with constant memory.

    A frame that is shown at several points is cut once.

    Args:
        clip: a clip with its face track.
        fps: grid rate, Hz.
        size: side of the crop, pixels.
        margin: see :func:`ugcl.features.faces.alignment.template`.
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


def on_grid(shown: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The vector of every point of the grid; a point without a face takes that of the nearest with one.

    Args:
        shown: (points,) see :class:`FaceBlock`; one of them at least has a face.
        vectors: (crops, dim).

    Returns:
        (points, dim).
    """
    known = np.flatnonzero(shown >= 0)
    middles = (known[1:] + known[:-1]) / 2
    return vectors[shown[known[np.searchsorted(middles, np.arange(len(shown)))]]]
