"""The sound track of a media file, decoded with ffmpeg and laid on the file's time axis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ugcl.data.recordings.length import origin, promised
from ugcl.features.media.container import choose, decode, open_container
from ugcl.features.media.ending import check_end
from ugcl.features.media.failure import MediaError
from ugcl.features.media.interval import MARGIN, Interval, seek

Block = tuple[np.ndarray, list[str], int]
"""(channels, samples) float32, ffmpeg's names of the channels, and the sampling rate, Hz."""

GAP = 0.1  # seconds between two blocks that are a gap; less is rounding, or two clocks that drift
LONGEST_GAP = 600.0  # seconds that are believed of a file that does not say how long it is


def decoded(path: Path, interval: Interval | None, notes: list[str], **options: str) -> Iterator[Block]:
    """The sound of a file, or of an interval of it, block by block from the clip's time zero.

    Args:
        interval: the part to read; all where it is None.
    """
    # An index may lead past the start, and what follows a jump may not be decodable: then all is read.
    if interval is not None and interval.start > MARGIN:
        source = _decoded(path, interval, [], options, jump=True)
        try:
            first = next(source, None)
        except MediaError:
            first = None
        if first is not None:
            yield first
            yield from source
            return
    yield from _decoded(path, interval, notes, options, jump=False)


def _decoded(
    path: Path, interval: Interval | None, notes: list[str], options: dict[str, str], jump: bool
) -> Iterator[Block]:
    with open_container(path, **options) as container:
        stream = choose(container.streams.audio, "sound tracks", notes)
        if stream is None:
            raise MediaError("no_audio", f"{path}: the file has no sound stream")
        start = origin(container)
        if jump and interval is not None and not seek(container, stream, start + interval.start - MARGIN):
            return
        axis = _Axis(interval, (container.duration or 0) / 1e6 if promised(container, path) else 0.0)
        to_float, form = None, None
        for frame in decode(container, stream, path):
            time = None if frame.time is None else frame.time - start
            if jump and axis.rate == 0 and interval is not None and (time is None or time > interval.start):
                return
            if form != (form := (frame.format.name, frame.layout.name, frame.sample_rate)):
                to_float = _to_float(axis.rate)
            rate = axis.rate or frame.sample_rate  # a coder may put out twice the rate that the header names
            yield from axis.silence(time, len(frame.layout.channels), rate)
            names = [channel.name for channel in frame.layout.channels]
            for block in to_float.resample(frame):
                samples = axis.place(block.to_ndarray())
                if samples.shape[1]:
                    yield samples, names, rate
            if axis.full:
                return
        if axis.gaps:
            notes.append(f"{axis.gaps:.2f} s are missing inside the sound; they are taken as silence")
        if axis.rate and (interval is None or not interval.bounded):
            check_end(path, container, stream, axis.end)


def _to_float(rate: int) -> Any:
    """Turns frames into floating-point channels; at `rate` where a file's rate changes on the way."""
    import av

    return av.AudioResampler(format="fltp", rate=rate or None)


class _Axis:
    """Where the next sample stands on the clip's time axis.

    Attributes:
        rate: samples per second; 0 before the first one.
        gaps: seconds of silence that were laid between blocks.
    """

    def __init__(self, interval: Interval | None, longest: float) -> None:
        self.start = interval.start if interval is not None else 0.0
        self.length = interval.duration if interval is not None else float("inf")
        self.longest, self.rate, self.position, self.gaps = longest, 0, 0, 0.0

    @property
    def end(self) -> float:
        """Seconds on the file's axis."""
        return self.start + self.position / self.rate

    @property
    def full(self) -> bool:
        """Whether the clip's end was reached."""
        return self.position >= self.length * self.rate - 0.5

    def silence(self, time: float | None, channels: int, rate: int) -> Iterator[Block]:
        """Zeros up to a block's time: those before the first block, and those of a gap."""
        if self.rate == 0:
            # An encoder's priming samples lie before time zero and are cut.
            self.rate, missing = rate, round(((time or 0.0) - self.start) * rate)
            if missing < 0:
                self.position, missing = missing, 0
        else:
            gap = 0.0 if time is None else time - self.end
            believed = time is not None and (time <= self.longest if self.longest else gap <= LONGEST_GAP)
            missing = round(gap * rate) if gap > GAP and believed else 0
            self.gaps += missing / rate
        while missing > 0:
            zeros = self.place(np.zeros((channels, min(missing, rate)), np.float32))
            missing -= rate
            if zeros.shape[1]:
                yield zeros, ["FC"] * channels, rate

    def place(self, samples: np.ndarray) -> np.ndarray:
        """A block without what lies before the clip's start or behind its end."""
        begin, self.position = self.position, self.position + samples.shape[1]
        if begin < 0:
            samples, begin = samples[:, -begin:], 0
        if self.length != float("inf"):
            samples = samples[:, : max(0, round(self.length * self.rate) - begin)]
        return samples
