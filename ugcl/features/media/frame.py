"""One decoded picture of a video, with its place on the clip's time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ugcl.features.media.failure import MediaError


@dataclass(frozen=True)
class Frame:
    """One decoded picture; the pixels are converted only when asked for.

    Attributes:
        region: the part of the upright picture that belongs to the clip: "left" or "right" half, "" for all.
    """

    index: int  # number of the frame in the file, from 0
    time: float  # presentation time on the clip's axis, seconds
    duration: float  # how long the frame is shown, seconds
    picture: Any
    region: str = ""
    aspect: float = 1.0  # width of a pixel of the file over its height

    def rgb(self) -> np.ndarray:
        """The clip's part of the picture as (height, width, 3) uint8, upright and with square pixels.

        Where the file's pixels are not square, the shorter side of a pixel is stretched.

        Raises:
            MediaError: unreadable, where the pixels cannot be converted.
        """
        size = {}
        if self.aspect != 1:
            width, height = self.picture.width, self.picture.height
            size["width"] = round(width * max(1.0, self.aspect))
            size["height"] = round(height * max(1.0, 1 / self.aspect))
        try:
            pixels = self.picture.to_ndarray(format="rgb24", threads=1, **size)
        except Exception as error:  # a library's kinds of fault are many; this one is the file's
            form = self.picture.format.name
            raise MediaError("unreadable", f"frame {self.index}: no pixels of {form}: {error}") from None
        quarter_turns = round((self.picture.rotation or 0) / 90) % 4
        pixels = np.rot90(pixels, quarter_turns)
        half = pixels.shape[1] // 2
        if self.region:
            pixels = pixels[:, :half] if self.region == "left" else pixels[:, -half:]
        return np.ascontiguousarray(pixels)
