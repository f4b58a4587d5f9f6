"""The video encoder that needs no weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ugcl.config.features import Hog
from ugcl.features.faces import alignment
from ugcl.features.failure import MediaError
from ugcl.features.media import Clip


class HogEncoder:
    """Histograms of oriented gradients (Dalal and Triggs 2005) of the aligned grey face crop.

    Nine orientations in cells of an eighth of the crop's side, blocks of 2 × 2 cells that overlap by one
    cell: 7 × 7 × 4 × 9 = 1764 values a frame for every size.
    """

    modality = "video"
    layers = 1
    needs_faces = True

    def __init__(self, name: str, config: Hog) -> None:
        import cv2

        self.name, self.rate, self.size, self.margin = name, config.fps, config.size, config.margin
        self.settings: dict[str, Any] = config.model_dump(mode="json")
        cell = config.size // 8
        self.descriptor = cv2.HOGDescriptor(
            (config.size, config.size), (2 * cell, 2 * cell), (cell, cell), (cell, cell), 9
        )
        self.dim = int(self.descriptor.getDescriptorSize())

    def encode(self, clip: Clip) -> np.ndarray:
        """HOG vectors on the time grid, (frames, dim) float32.

        A frame without a face takes the vector of the nearest frame with one.
        """
        track = clip.faces
        if track is None:
            raise MediaError("no_face", f"{clip.name}: the face table has no row of this clip")
        if track.failure:
            raise MediaError(track.failure, track.detail)
        visible = track.visible
        vectors: list[np.ndarray | None] = []
        shown, vector = -1, None
        for _, frame in clip.sampled(self.rate):
            if frame.index != shown:  # a repeated frame is described once
                shown, vector = frame.index, None
                if shown < len(visible) and visible[shown]:
                    vector = self.describe(frame.rgb(), track.landmarks[shown])
            vectors.append(vector)
        known = np.array([i for i, vector in enumerate(vectors) if vector is not None])
        if len(known) == 0:
            raise MediaError("no_face", f"{clip.name}: no sampled frame has a face")
        middles = (known[1:] + known[:-1]) / 2
        nearest = known[np.searchsorted(middles, np.arange(len(vectors)))]
        return np.stack([vectors[i] for i in nearest])

    def describe(self, rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """HOG of one picture's face, (dim,) float32."""
        import cv2

        crop = alignment.crop(rgb, landmarks, self.size, self.margin)
        return self.descriptor.compute(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)).ravel().astype(np.float32)
