"""A video with its face track drawn in, for people to look at."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from ugcl.data.recordings.files import file_name
from ugcl.features.faces.table import Track
from ugcl.features.media.clip import Clip

DETECTED, INTERPOLATED = (40, 220, 90), (255, 190, 30)
"""Colours of a box, RGB: found on this frame, or laid between two that were."""

TICK = Fraction(1, 90_000)  # the clock of MPEG systems (ISO/IEC 13818-1, §2.4.2), seconds


def draw(rgb: np.ndarray, track: Track, index: int, caption: str = "") -> np.ndarray:
    """Draw a frame's box and landmarks, and a line of text at its foot.

    Args:
        rgb: (height, width, 3) uint8; it is left as it is.
        track: the clip's track.
        index: number of the frame; where it has no face only the text is drawn.

    Returns:
        (height, width, 3) uint8.
    """
    import cv2

    picture = rgb.copy()
    height, width = picture.shape[:2]
    thick = max(1, round(min(height, width) / 180))
    if track.visible[index]:
        colour = DETECTED if track.detected[index] else INTERPOLATED
        x, y, w, h = track.boxes[index]
        corners = [(round(x), round(y)), (round(x + w), round(y + h))]
        cv2.rectangle(picture, *corners, colour, thick, cv2.LINE_AA)
        for point in track.landmarks[index]:
            cv2.circle(picture, tuple(np.round(point).astype(int).tolist()), thick, colour, -1, cv2.LINE_AA)
    if caption:
        size, pen = max(0.35, min(height, width) / 800), max(1, thick // 2)
        place = (4 * thick, height - 5 * thick)
        for colour, weight in (((0, 0, 0), pen + 2), ((255, 255, 255), pen)):
            cv2.putText(picture, caption, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, weight, cv2.LINE_AA)
    return picture


def path(folder: Path, clip: Clip) -> Path:
    """The file of a clip's preview."""
    return folder / file_name(clip.name, ".mp4")


def write(clip: Clip, track: Track, target: Path) -> Path:
    """Write a clip's pictures with its track as a soundless mp4 (H.264), each at its own time.

    A last odd row or column of pixels, which H.264 with halved chroma cannot hold, is left out.

    Raises:
        MediaError: the clip cannot be decoded.
    """
    import av
    import cv2

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    with av.open(str(partial), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "20", "preset": "veryfast"})
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", TICK
        size = None
        for frame in clip.frames():
            rgb = frame.rgb()
            if size is None:
                size = stream.width, stream.height = (rgb.shape[1] & ~1, rgb.shape[0] & ~1)
            drawn = draw(rgb, track, frame.index, _caption(track, frame.index))[: size[1], : size[0]]
            if drawn.shape[1::-1] != size:
                drawn = cv2.resize(drawn, size)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), format="rgb24")
            picture.pts, picture.time_base = round(frame.time / TICK), TICK
            picture.duration = round(frame.duration / TICK)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    partial.replace(target)
    return target


def _caption(track: Track, index: int) -> str:
    time = f"{index}  {track.times[index]:.2f} s  "
    if not track.visible[index]:
        return time + "no face"
    return time + f"{track.scores[index]:.3f}" + ("" if track.detected[index] else " interpolated")
