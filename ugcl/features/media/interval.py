"""A part of a media file: one utterance of a dialog that was recorded in one piece."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ugcl.features.media.failure import MediaError
from ugcl.features.media.frame import Frame

# Decoding begins this much before the start, seconds: indexes are coarse, and coders look back.
MARGIN = 0.5


@dataclass(frozen=True)
class Interval:
    """From `start` to before `end`, seconds after the file's time zero; an infinite end is the file's."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise MediaError("empty", f"the interval {self.start} to {self.end} s has no length; fix its row")

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start

    @property
    def bounded(self) -> bool:
        """Whether it ends before the file does."""
        return math.isfinite(self.end)


def seek(container: Any, stream: Any, second: float) -> bool:
    """Move to a key frame at or before a second of the file's own clock.

    Returns:
        False where the format has no way to move; reading then begins where it stands.
    """
    try:
        container.seek(round(second / stream.time_base), stream=stream)
    except Exception:  # whatever the reason, there is another way
        return False
    return True


def cut(frames: Iterable[Frame], interval: Interval) -> Iterator[Frame]:
    """The frames that are shown during an interval, numbered from 0 and timed from its start.

    The frame that is shown when the interval starts is its first one, at time 0, and the last one ends with
    the interval.
    """
    held: Frame | None = None
    index = 0
    for frame in frames:
        if held is not None and frame.time > interval.start:
            yield _inside(held, index, interval)
            index += 1
        held = frame if frame.time < interval.end else None
        if held is None:
            return
    if held is not None and held.time + held.duration > interval.start:
        yield _inside(held, index, interval)


def _inside(frame: Frame, index: int, interval: Interval) -> Frame:
    begin = max(frame.time, interval.start)
    end = min(frame.time + frame.duration, interval.end)
    return replace(frame, index=index, time=begin - interval.start, duration=max(end - begin, 0.0))
