"""Decoding video by its timestamps.

Time zero is the start of the file's earliest stream, for sound and picture alike, so that a delay between
the streams of one file survives decoding.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ugcl.features.media.ending import END_TOLERANCE, box_past_end, check_end, origin
from ugcl.features.media.failure import MediaError
from ugcl.features.media.frame import Frame
from ugcl.features.media.interval import MARGIN, Interval, cut, seek


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """Open a media file with PyAV and turn every reading fault into a :class:`MediaError`."""
    import av

    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    if path.stat().st_size == 0:
        raise MediaError("empty", f"{path}: the file has zero bytes")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        failure = "truncated" if box_past_end(path) else "unreadable"
        raise MediaError(failure, f"{path}: {error}") from None
    with container:
        yield container


def decode(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """Decode one stream; a fault after the first frame means that the file was cut."""
    import av

    stream.codec_context.thread_count = 1  # shards are the unit of parallel work
    count = 0
    try:
        for item in container.decode(stream):
            count += 1
            yield item
    except (av.error.FFmpegError, OSError) as error:
        failure = "truncated" if count or box_past_end(path) else "unreadable"
        raise MediaError(failure, f"{path}: {error} after {count} frames") from None


def frames(path: Path, interval: Interval | None = None, region: str = "") -> Iterator[Frame]:
    """Decode a video file, or an interval of it, frame by frame in presentation order with constant memory.

    Args:
        path: any container and codec that ffmpeg reads (mp4, flv, avi, webm, …).
        interval: the part to decode; only it, and what its decoding needs, is read.
        region: see :class:`Frame`.

    Raises:
        MediaError: missing, empty, unreadable, no_video, or truncated (also after some frames were given:
            the end of the file is only known when it is reached).
    """
    yield from _whole(path, region) if interval is None else _part(path, interval, region)


def _whole(path: Path, region: str) -> Iterator[Frame]:
    with open_container(path) as container:
        stream = _video_stream(container, path)
        count, end = 0, 0.0
        for frame in _shown(container, stream, path, region):
            yield frame
            count, end = count + 1, frame.time + frame.duration
        if count == 0:
            raise MediaError("empty", f"{path}: the video stream has no frames")
        check_end(path, container, stream, end)


def _part(path: Path, interval: Interval, region: str) -> Iterator[Frame]:
    # An index may lead past the start, and stamps may be lost on the way there: then all is read.
    for jump in (True, False):
        with open_container(path) as container:
            stream = _video_stream(container, path)
            early = interval.start - MARGIN
            if jump and (early <= 0 or not seek(container, stream, origin(container) + early)):
                continue
            shown = _shown(container, stream, path, region)
            first = next(shown, None)
            if jump and (first is None or first.picture.pts is None or first.time > interval.start):
                continue
            index, end = 0, 0.0
            for frame in cut(itertools.chain([first] if first else [], shown), interval):
                yield frame
                index, end = index + 1, frame.time + frame.duration
        if index == 0 or end < interval.duration - END_TOLERANCE:
            told = f"pictures end at {interval.start + end:.2f} s, the clip at {interval.end:.2f} s"
            raise MediaError("truncated", f"{path}: {told}")
        return


def _shown(container: Any, stream: Any, path: Path, region: str) -> Iterator[Frame]:
    """Frames from where the container stands, on the file's axis."""
    start, rate = origin(container), float(stream.average_rate or stream.base_rate or 25)
    index, end, previous = 0, 0.0, None
    for picture in decode(container, stream, path):
        # A frame without a stamp follows the last one.
        time = end if picture.pts is None else float(picture.pts * stream.time_base) - start
        duration = float((picture.duration or 0) * stream.time_base) or 1 / rate
        if previous is not None and time <= previous:
            continue  # two frames of one instant: the first one is shown
        yield Frame(index, time, duration, picture, region)
        index, end, previous = index + 1, time + duration, time


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


def _video_stream(container: Any, path: Path) -> Any:
    for stream in container.streams.video:
        if not (stream.disposition & stream.disposition.attached_pic):  # cover art is no video
            return stream
    raise MediaError("no_video", f"{path}: the file has no video stream")
