"""The video encoder that needs no weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ugcl.config.features import Hog
from ugcl.features.media.clip import Clip
from ugcl.features.networks.face_frames import Grid, face_blocks

BLOCK = 64  # crops that are held at a time


class HogEncoder:
    """Histograms of oriented gradients (Dalal and Triggs 2005) of the aligned grey face crop.

    Nine orientations in cells of an eighth of the crop's side, blocks of 2 × 2 cells that overlap by one
    cell: 7 × 7 × 4 × 9 = 1764 values per frame for every size.
    """

    modality = "video"
    layers = 1
    needs_faces = True

    def __init__(self, name: str, config: Hog) -> None:
        import cv2

        self.name, self.rate, self.config = name, config.fps, config
        self.settings: dict[str, Any] = config.model_dump(mode="json")
        cell = config.size // 8
        sizes = [(side, side) for side in (config.size, 2 * cell, cell, cell)]
        self.descriptor = cv2.HOGDescriptor(*sizes, 9)
        self.dim = int(self.descriptor.getDescriptorSize())

    def blocks(self, clip: Clip) -> Iterator[np.ndarray]:
        """HOG vectors on the time grid, block by block, (frames, dim) float32 each."""
        grid = Grid()
        for block in face_blocks(clip, self.rate, self.config.size, self.config.margin, BLOCK):
            yield grid.add(block.shown, np.stack([self.describe(crop) for crop in block.crops]))
        yield grid.rest()

    def encode(self, clip: Clip) -> np.ndarray:
        """HOG vectors on the time grid, (frames, dim) float32."""
        return np.concatenate(list(self.blocks(clip)))

    def describe(self, crop: np.ndarray) -> np.ndarray:
        """HOG of one crop, (dim,) float32."""
        import cv2

        return self.descriptor.compute(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)).ravel().astype(np.float32)
