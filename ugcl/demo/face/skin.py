"""The painted front of a face: skin, lips, brows, beard, and the masks of folds that expressions deepen.

A texture covers the base mesh in front projection: columns are x from -1 to 1 dm, rows are y from 8.1 down
to 6.1 dm. The mesh carries base coordinates to every pixel, so paint follows each face and each movement.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

RESOLUTION = 512
LEFT, TOP, SPAN = -1.0, 8.1, 2.0
FOLDS = ("forehead", "glabella", "nasolabial", "nose", "crow")


@dataclass(frozen=True)
class Paint:
    """What is painted on one face; colours are linear RGB in 0..1."""

    skin: tuple[float, float, float]
    lips: tuple[float, float, float]
    brow: tuple[float, float, float]
    brow_thickness: float  # dm, half height at the thickest place
    brow_height: float  # dm above the usual place
    beard: float  # 0 none .. 1 full
    age: float  # 0 young .. 1 old: deepens lines at rest
    blush: float  # redness of cheeks and nose


def _grid() -> tuple[np.ndarray, np.ndarray]:
    steps = (np.arange(RESOLUTION) + 0.5) / RESOLUTION * SPAN
    return np.meshgrid((LEFT + steps).astype(np.float32), (TOP - steps).astype(np.float32))


def _bump(x: np.ndarray, y: np.ndarray, cx: float, cy: float, sx: float, sy: float) -> np.ndarray:
    return np.exp(-(((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2))


def _noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    field = cv2.GaussianBlur(rng.standard_normal((RESOLUTION, RESOLUTION)).astype(np.float32), (0, 0), sigma)
    return field / field.std()


def _line(x: np.ndarray, y: np.ndarray, points: list[tuple[float, float]], width: float) -> np.ndarray:
    """A soft line through points (dm), 1 on its middle line."""
    canvas = np.zeros_like(x)
    pixels = [((px - LEFT) / SPAN * RESOLUTION, (TOP - py) / SPAN * RESOLUTION) for px, py in points]
    cv2.polylines(canvas, [np.array(pixels, np.int32)], False, 1.0, 2, cv2.LINE_AA)
    blurred = cv2.GaussianBlur(canvas, (0, 0), width / SPAN * RESOLUTION)
    return blurred / max(float(blurred.max()), 1e-6)


def folds() -> np.ndarray:
    """Masks of the folds, (len(FOLDS), RESOLUTION, RESOLUTION) float32 in 0..1."""
    x, y = _grid()
    masks = np.zeros((len(FOLDS), RESOLUTION, RESOLUTION), np.float32)
    for height in (7.66, 7.74, 7.82):
        for side in (-1, 1):
            points = [(side * s, height + 0.03 * np.cos(s * 8) - 0.05 * s) for s in np.linspace(0, 0.38, 8)]
            masks[0] = np.maximum(masks[0], _line(x, y, points, 0.013))
    for side in (-1, 1):
        masks[1] = np.maximum(masks[1], _line(x, y, [(side * 0.055, 7.38), (side * 0.07, 7.55)], 0.014))
        points = [(side * 0.17, 6.98), (side * 0.27, 6.88), (side * 0.345, 6.74), (side * 0.34, 6.66)]
        masks[2] = np.maximum(masks[2], _line(x, y, points, 0.018))
        for height in (7.14, 7.2, 7.26):
            points = [(side * 0.03, height), (side * 0.12, height + 0.04)]
            masks[3] = np.maximum(masks[3], _line(x, y, points, 0.01))
        for tip in (7.16, 7.25, 7.34):
            masks[4] = np.maximum(masks[4], _line(x, y, [(side * 0.52, 7.25), (side * 0.62, tip)], 0.009))
    return masks


def _brows(x: np.ndarray, y: np.ndarray, paint: Paint, rng: np.random.Generator) -> np.ndarray:
    """Coverage of the two brows; the gap between them is at least 0.2 dm wide."""
    along = (np.abs(x) - 0.115) / 0.385  # 0 at the inner end, 1 at the tail
    arch = 7.415 + paint.brow_height + 0.055 * np.sin(np.clip(along, 0, 1) * 2.3) - 0.02 * along
    half = paint.brow_thickness * np.clip(1.15 - 0.85 * np.clip(along, 0, 1) ** 1.5, 0, 1)
    inside = np.clip((half - np.abs(y - arch)) / 0.014, 0, 1)
    inside *= np.clip(along / 0.08, 0, 1) * np.clip((1 - along) / 0.12, 0, 1)
    strands = 0.82 + 0.18 * _noise(rng, 0.9)
    return np.clip(inside * strands, 0, 1)


def lips_mask() -> np.ndarray:
    """Coverage of the lips."""
    x, y = _grid()
    width = 0.285
    t = np.clip(np.abs(x) / width, 0, 1)
    middle = 6.695 - 0.012 * t**2
    upper = middle + 0.082 * (1 - t**2.2) - 0.018 * np.exp(-((x / 0.05) ** 2))
    lower = middle - 0.105 * (1 - t**2.4)
    inside = np.clip((upper - y) / 0.012, 0, 1) * np.clip((y - lower) / 0.014, 0, 1)
    return inside * (np.abs(x) < width)


def albedo(paint: Paint, rng: np.random.Generator) -> np.ndarray:
    """Linear RGB (RESOLUTION, RESOLUTION, 3) float32 of one face."""
    x, y = _grid()
    skin = np.array(paint.skin, np.float32)
    image = np.broadcast_to(skin, (*x.shape, 3)).copy()
    image *= (1 + 0.035 * _noise(rng, 10) + 0.03 * _noise(rng, 1.2))[..., None]

    side = np.abs(x)
    red = _bump(side, y, 0.42, 6.98, 0.2, 0.16) + 0.7 * _bump(x, y, 0, 6.98, 0.13, 0.1)
    red = paint.blush * red[..., None] * np.array([0.02, -0.20, -0.18], np.float32)
    image *= 1 + red
    lids = _bump(side, y, 0.31, 7.33, 0.17, 0.06) + 0.7 * _bump(side, y, 0.3, 7.17, 0.16, 0.04)
    image *= 1 - (0.10 + 0.12 * paint.age) * lids[..., None]

    for mask, depth in zip(folds(), (0.22, 0.15, 0.25, 0.0, 0.25), strict=True):
        image *= 1 - paint.age * depth * mask[..., None]

    if paint.beard:
        cheek = np.clip((6.86 - y + 0.9 * np.clip(side - 0.33, 0, 1)) / 0.1, 0, 1)
        chin = cheek * np.clip((side - 0.03 + 4 * np.abs(y - 6.83)) / 0.05, 0, 1)
        chin *= np.clip((y - 6.28) / 0.1, 0, 1)
        cover = np.clip(chin * paint.beard * (0.75 + 0.25 * _noise(rng, 0.8)), 0, 0.95)[..., None]
        image = image * (1 - cover) + cover * np.array(paint.brow, np.float32) * 1.1

    lips = (0.85 * lips_mask())[..., None]
    image = image * (1 - lips) + lips * np.array(paint.lips, np.float32)
    brows = (0.93 * _brows(x, y, paint, rng))[..., None]
    image = image * (1 - brows) + brows * np.array(paint.brow, np.float32)
    return np.clip(image, 0.002, 1).astype(np.float32)
