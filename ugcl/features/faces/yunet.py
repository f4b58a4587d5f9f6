"""Face detection by YuNet, through OpenCV, from a file of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ugcl.errors import UgclError
from ugcl.features.faces.detector import AtOneSize, Detection


class Yunet(AtOneSize):
    """YuNet (Wu, Peng and Yu 2023, Machine Intelligence Research 20(5)), as cv2.FaceDetectorYN runs it.

    A picture is searched at the size at which the smallest face looked for has :attr:`PIXELS` pixels, if that
    is smaller than its own.

    Args:
        weights: ONNX file with the outputs cls, obj, bbox and kps at strides 8, 16 and 32.
        min_face: side of the smallest face looked for, as a share of the picture's shorter side.

    Raises:
        UgclError: the file is not there, or OpenCV cannot read it.
    """

    PIXELS = 20  # the network was trained on faces from about 10 pixels on
    WEAKEST, OVERLAP, MOST = 0.5, 0.3, 5000  # score, overlap of two faces, candidates before that is asked

    def __init__(self, weights: Path, min_face: float) -> None:
        import cv2

        if not weights.is_file():
            raise UgclError(f"{weights}: no such file; set faces.weights to YuNet's ONNX file")
        self.min_face = min_face
        try:
            limits = self.WEAKEST, self.OVERLAP, self.MOST
            self.network = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), *limits)
        except cv2.error as error:
            raise UgclError(
                f"{weights}: OpenCV cannot read it as a network ({' '.join(str(error).split())[:120]});"
                " set faces.weights to YuNet's ONNX file"
            ) from None

    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        import cv2

        height, width = rgb.shape[:2]
        scale = min(1.0, self.PIXELS / (self.min_face * min(height, width)))
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        if small == (width, height):
            return self.run(rgb, 0)
        view = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA)
        factor = np.array([width, height]) / small
        # A box ends at pixels' edges, a landmark is a place between their middles.
        return [
            Detection(face.box * np.tile(factor, 2), face.score, (face.landmarks + 0.5) * factor - 0.5)
            for face in self.run(view, 0)
        ]

    def run(self, rgb: np.ndarray, smallest: int) -> list[Detection]:
        import cv2

        self.network.setInputSize((rgb.shape[1], rgb.shape[0]))
        try:
            _, found = self.network.detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise UgclError(
                f"faces.weights: the network does not work as YuNet ({' '.join(str(error).split())[:120]});"
                " take the file that sources.csv names"
            ) from None
        return detections(found, smallest)


def detections(found: np.ndarray | None, smallest: float = 0.0) -> list[Detection]:
    """Read what cv2.FaceDetectorYN gives.

    Args:
        found: (faces, 15): box (left, top, width, height), five landmarks (x, y), score; None for no face.
            The landmarks begin with the person's own right eye, which is the left one in the picture: eyes,
            nose tip and mouth corners have the order of :class:`Detection`.
        smallest: boxes whose longer side is below this many pixels are left out.
    """
    if found is None:
        return []
    rows = np.asarray(found, dtype=float).reshape(-1, 15)
    return [
        Detection(row[:4].copy(), float(row[14]), row[4:14].reshape(5, 2).copy())
        for row in rows
        if row[2:4].max() >= smallest
    ]
