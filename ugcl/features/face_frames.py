"""Aligned face crops on an even grid of times, one vector each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ugcl.features.faces import alignment
from ugcl.features.failure import MediaError
from ugcl.features.media import Clip


def over_faces(
    clip: Clip, fps: float, size: int, margin: float, describe: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Describe the aligned face at every point of the time grid.

    A point without a face takes the vector of the nearest point with one; a frame that is shown at several
    points is described once.

    Args:
        clip: a clip with its face track.
        fps: grid rate, Hz.
        size: side of the crop, pixels.
        margin: see :func:`ugcl.features.faces.alignment.template`.
        describe: (size, size, 3) uint8 → (dim,) float32.

    Returns:
        (points, dim) float32.

    Raises:
        MediaError: the track failed, or no point has a face.
    """
    track = clip.faces
    if track is None:
        raise MediaError("no_face", f"{clip.name}: the face table has no row of this clip")
    if track.failure:
        raise MediaError(track.failure, track.detail)
    visible = track.visible
    vectors: list[np.ndarray | None] = []
    shown, vector = -1, None
    for _, frame in clip.sampled(fps):
        if frame.index != shown:
            shown, vector = frame.index, None
            if shown < len(visible) and visible[shown]:
                vector = describe(alignment.crop(frame.rgb(), track.landmarks[shown], size, margin))
        vectors.append(vector)
    known = np.array([i for i, vector in enumerate(vectors) if vector is not None])
    if len(known) == 0:
        raise MediaError("no_face", f"{clip.name}: no sampled frame has a face")
    middles = (known[1:] + known[:-1]) / 2
    nearest = known[np.searchsorted(middles, np.arange(len(vectors)))]
    return np.stack([vectors[i] for i in nearest])
