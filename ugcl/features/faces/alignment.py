"""Similarity alignment of a face on five landmarks."""

from __future__ import annotations

import numpy as np

# Eyes, nose tip and mouth corners of a frontal face in the unit square (the customary 112 × 112 layout
# of ArcFace, Deng et al. 2019, made symmetric).
TEMPLATE = np.array([[0.342, 0.461], [0.658, 0.461], [0.5, 0.640], [0.370, 0.824], [0.630, 0.824]])


def template(size: int, margin: float) -> np.ndarray:
    """Where the five landmarks come to lie in a size × size crop, (5, 2) pixels.

    Args:
        size: side of the crop, pixels.
        margin: extra room on each side as a share of the customary layout's side.
    """
    return (0.5 + (TEMPLATE - 0.5) / (1 + 2 * margin)) * size


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The similarity transform that maps points on points with the least squared error.

    Args:
        source, target: (points, 2), at least two distinct points.

    Returns:
        (2, 3) matrix [[a, -b, tx], [b, a, ty]] for cv2.warpAffine and ``source @ m[:, :2].T + m[:, 2]``.
    """
    centre_source, centre_target = source.mean(axis=0), target.mean(axis=0)
    s, t = source - centre_source, target - centre_target
    scale = (s**2).sum()
    if scale == 0:
        raise ValueError("the points of `source` coincide")
    # With complex numbers z = x + iy the optimum is the projection <s, t> / <s, s>.
    a = (s * t).sum() / scale
    b = (s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum() / scale
    rotation = np.array([[a, -b], [b, a]])
    return np.hstack([rotation, (centre_target - rotation @ centre_source)[:, None]])


def crop(picture: np.ndarray, landmarks: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Cut the aligned face out of a picture.

    Args:
        picture: (height, width) or (height, width, 3) uint8.
        landmarks: (5, 2) pixels of the picture.
        size: side of the crop, pixels.

    Returns:
        (size, size[, 3]) uint8; what lies outside the picture repeats its border.
    """
    import cv2

    matrix = similarity(landmarks, template(size, margin))
    # A reduction by more than a half would alias: draw the crop larger and average its pixels.
    factor = max(1, round(1 / max(float(np.hypot(*matrix[:, 0])), 1 / 16)))
    if factor > 1:
        matrix = similarity(landmarks, (template(size, margin) + 0.5) * factor - 0.5)
    large = cv2.warpAffine(
        picture,
        matrix,
        (size * factor, size * factor),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA) if factor > 1 else large
