"""One decoded picture of a video, with its place on the clip's time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Frame:
    """One decoded picture; the pixels are converted only when asked for.

    Attributes:
        index: number of the frame in the file, from 0.
        time: presentation time on the clip's axis, seconds.
        duration: how long the frame is shown, seconds.
        region: the part of the upright picture that belongs to the clip: "left" or "right" half, "" for all.
    """

    index: int
    time: float
    duration: float
    picture: Any
    region: str = ""

    def rgb(self) -> np.ndarray:
        """The clip's part of the picture as (height, width, 3) uint8, upright by the file's rotation."""
        pixels = self.picture.to_ndarray(format="rgb24", threads=1)
        quarter_turns = round((self.picture.rotation or 0) / 90) % 4
        pixels = np.rot90(pixels, quarter_turns)
        half = pixels.shape[1] // 2
        if self.region:
            pixels = pixels[:, :half] if self.region == "left" else pixels[:, -half:]
        return np.ascontiguousarray(pixels)
