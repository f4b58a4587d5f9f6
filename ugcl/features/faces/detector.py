"""What every face detector offers, and what the detectors have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np

MIN_OVERLAP = 0.3  # intersection over union of one face on two consecutive detections


@dataclass(frozen=True)
class Detection:
    """One face in one picture, pixels.

    Attributes:
        landmarks: (5, 2) float, x and y of the left eye, right eye, nose tip, left and right mouth corner,
            where left means left in the picture.
    """

    box: np.ndarray  # (4,) float: left, top, width, height
    score: float  # confidence, 0..1
    landmarks: np.ndarray


class Detector(Protocol):
    """Finds faces in one picture; `rgb` is (height, width, 3) uint8."""

    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        """All faces of a picture, in any order."""
        ...

    def near(self, rgb: np.ndarray, box: np.ndarray) -> Detection | None:
        """The face that overlaps a box of an earlier picture, or None."""
        ...


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes (left, top, width, height)."""
    left, top = np.maximum(a[:2], b[:2])
    right, bottom = np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    common = max(0.0, right - left) * max(0.0, bottom - top)
    union = a[2] * a[3] + b[2] * b[3] - common
    return common / union if union > 0 else 0.0


class AtOneSize(ABC):
    """What detectors have in common: they look again at a known face at one size, whatever it has."""

    SIDE = 128  # pixels of a face in the picture shown by `near`
    ROOM = 0.5  # picture around it on each side, share of the face
    SMALLEST = 0.8  # smallest face looked for there, share of the face

    @abstractmethod
    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        """All faces of a picture, (height, width, 3) uint8."""

    def near(self, rgb: np.ndarray, box: np.ndarray) -> Detection | None:
        """The face that overlaps a box, seen at a fixed size."""
        import cv2

        side = float(max(box[2:])) * (1 + 2 * self.ROOM)
        corner = box[:2] + box[2:] / 2 - side / 2
        pixels = round(self.SIDE * (1 + 2 * self.ROOM))
        scale = pixels / side
        # A pixel's middle is half a pixel from its corner, in both pictures.
        shift = -scale * (corner + 0.5) + 0.5
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        view = cv2.warpAffine(rgb, matrix, (pixels, pixels), flags=cv2.INTER_LINEAR)
        faces = [
            Detection(face.box / scale + [*corner, 0, 0], face.score, face.landmarks / scale + corner)
            for face in self.run(view, int(self.SIDE * self.SMALLEST))
        ]
        return max(
            (face for face in faces if overlap(face.box, box) >= MIN_OVERLAP),
            key=lambda face: face.score,
            default=None,
        )

    @abstractmethod
    def run(self, rgb: np.ndarray, smallest: int) -> list[Detection]:
        """The network's faces of a picture whose side is not below `smallest` pixels."""
