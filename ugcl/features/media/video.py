"""Decoding video by its timestamps.

Time zero is the start of the file's earliest stream, for sound and picture, so that a delay between
the streams of one file survives decoding.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from ugcl.data.recordings.length import origin
from ugcl.features.media.container import choose, decode, open_container
from ugcl.features.media.ending import END_TOLERANCE, check_end
from ugcl.features.media.failure import MediaError
from ugcl.features.media.frame import Frame
from ugcl.features.media.interval import MARGIN, Interval, cut, seek

REORDERED = {"avi": 16}  # frames by which a coder moves another one at most, where stamps may follow it
WIDEST = 10.0  # of a pixel, times its height


def frames(
    path: Path, interval: Interval | None = None, region: str = "", notes: list[str] | None = None
) -> Iterator[Frame]:
    """Decode a video file, or an interval of it, frame by frame in presentation order with constant memory.

    Args:
        path: any container and codec that ffmpeg reads (mp4, flv, avi, webm, …).
        interval: the part to decode; only it, and what its decoding needs, is read.
        region: see :class:`Frame`.

    Raises:
        MediaError: missing, empty, unreadable, no_video, or truncated (also after some frames were given: the
            end of the file is only known when it is reached).
    """
    yield from _whole(path, region, notes) if interval is None else _part(path, interval, region, notes)


def _whole(path: Path, region: str, notes: list[str] | None) -> Iterator[Frame]:
    with open_container(path) as container:
        stream = _video_stream(container, path, notes)
        count, end = 0, 0.0
        for frame in _shown(container, stream, path, region):
            yield frame
            count, end = count + 1, frame.time + frame.duration
        if count == 0:
            raise MediaError("empty", f"{path}: the video stream has no frames")
        check_end(path, container, stream, end)


def _part(path: Path, interval: Interval, region: str, notes: list[str] | None) -> Iterator[Frame]:
    with open_container(path) as container:
        stream = _video_stream(container, path, notes)
        shown = _from(container, stream, path, region, interval.start)
        if shown is not None:
            yield from _cut(shown, path, interval, container, stream)
            return
    # The index leads past the start, or what follows a jump cannot be decoded: all is read.
    with open_container(path) as container:
        stream = _video_stream(container, path, None)
        shown = _shown(container, stream, path, region)
        yield from _cut(shown, path, interval, container, stream)


def _from(container: Any, stream: Any, path: Path, region: str, start: float) -> Iterator[Frame] | None:
    """Frames from a little before a time on, None where the container cannot be moved there."""
    early = start - MARGIN
    if early <= 0 or not seek(container, stream, origin(container) + early):
        return None
    shown = _shown(container, stream, path, region)
    try:
        first = next(shown, None)
    except MediaError:
        return None
    if first is None or first.picture.pts is None or first.time > start:
        return None
    return itertools.chain([first], shown)


def _cut(
    shown: Iterator[Frame], path: Path, interval: Interval, container: Any, stream: Any
) -> Iterator[Frame]:
    index, end = 0, 0.0
    for frame in cut(shown, interval):
        yield frame
        index, end = index + 1, frame.time + frame.duration
    if index and not interval.bounded:
        check_end(path, container, stream, interval.start + end)
    elif index == 0 or end < interval.duration - END_TOLERANCE:
        found = f"pictures end at {interval.start + end:.2f} s, the clip "
        found += f"at {interval.end:.2f} s" if interval.bounded else f"begins at {interval.start:.2f} s"
        raise MediaError("truncated", f"{path}: {found}")


def _shown(container: Any, stream: Any, path: Path, region: str) -> Iterator[Frame]:
    """Frames from where the container stands, on the file's axis."""
    start, rate = origin(container), float(stream.average_rate or stream.base_rate or 25)
    index, end, previous, aspect = 0, 0.0, None, _aspect(stream)
    for picture, stamp in _stamped(decode(container, stream, path), REORDERED.get(container.format.name, 4)):
        # A frame without a stamp follows the last one.
        time = end if stamp is None else float(stamp * stream.time_base) - start
        duration = float((picture.duration or 0) * stream.time_base) or 1 / rate
        if previous is not None and time <= previous:
            continue  # two frames of one instant: the first one is shown
        yield Frame(index, time, duration, picture, region, aspect)
        index, end, previous = index + 1, time + duration, time


def _stamped(pictures: Iterator[Any], reach: int) -> Iterator[tuple[Any, int | None]]:
    """Pictures, which come in the order in which they are shown, with their stamps in that order too.

    Formats without presentation times (AVI) give frames that are coded ahead of others the stamps of others:
    the same stamps, in another order. A picture is moved by `reach` places at most.
    """
    held: deque[Any] = deque()
    stamps: list[int] = []
    for picture in pictures:
        if picture.pts is None:
            while held:
                yield held.popleft(), heappop(stamps)
            yield picture, None
            continue
        held.append(picture)
        heappush(stamps, picture.pts)
        if len(held) > reach:
            yield held.popleft(), heappop(stamps)
    while held:
        yield held.popleft(), heappop(stamps)


def _aspect(stream: Any) -> float:
    """Width of a pixel over its height; 1 where the file does not say it, or says what cannot be."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / WIDEST <= aspect <= WIDEST else 1.0


def sample(source: Iterator[Frame], fps: float) -> Iterator[tuple[float, Frame]]:
    """Put frames on an even grid of times: at k / fps, the frame with the nearest earlier timestamp.

    Frames are dropped or repeated as needed; the time before the first frame shows the first frame.
    The grid ends with the last frame's display time.

    Yields:
        (time in seconds, frame) for k = 0, 1, …
    """
    tolerance = 0.0005 + 1e-6  # containers round stamps to a millisecond
    k, shown = 0, None
    for frame in source:
        while shown is not None and k / fps < frame.time - tolerance:
            yield k / fps, shown
            k += 1
        shown = frame
    while shown is not None and k / fps < shown.time + shown.duration - tolerance:
        yield k / fps, shown
        k += 1


def _video_stream(container: Any, path: Path, notes: list[str] | None) -> Any:
    stream = choose(container.streams.video, "video tracks", notes)
    if stream is None:
        raise MediaError("no_video", f"{path}: the file has no video stream")
    return stream
