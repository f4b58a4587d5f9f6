"""Decoding sound to one channel at one rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ugcl.features.media.ending import END_TOLERANCE, check_end, origin
from ugcl.features.media.failure import MediaError
from ugcl.features.media.interval import MARGIN, Interval, seek
from ugcl.features.media.video import decode, open_container

RATE = 16_000  # Hz: what the speech encoders were trained on
SILENCE = 1e-4  # largest magnitude of a recording without sound (-80 dBFS)
WEIGHTS = {"FC": 1.0, "FL": 0.5**0.5, "FR": 0.5**0.5, "LFE": 0.0, "LFE2": 0.0}  # of channels; others ½
_PLAIN = {".wav", ".flac", ".ogg", ".aiff", ".aif", ".au"}


def sound(path: Path, rate: int = RATE, interval: Interval | None = None) -> np.ndarray:
    """Read a file's sound, or an interval of it, as mono.

    Args:
        path: a sound file, or a video file whose first sound stream is read. A stream that starts later
            than the file's earliest stream is preceded by zeros, so that sound and picture share time zero.
        rate: sampling rate of the result, Hz.
        interval: the part to read; all where it is None.

    Returns:
        (samples,) float32, full scale ±1.

    Raises:
        MediaError: missing, empty, no_audio, truncated, unreadable, or silent (peak below -80 dBFS).
    """
    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    if path.stat().st_size == 0:
        raise MediaError("empty", f"{path}: the file has zero bytes")
    if path.suffix.lower() in _PLAIN:
        (samples, source_rate), begin = _read_plain(path), 0.0
    else:
        samples, source_rate, begin = _read_container(path, interval)
    samples = _place(samples, source_rate, begin, interval, path)
    if len(samples) == 0:
        raise MediaError("empty", f"{path}: the sound has zero samples")
    if not np.isfinite(samples).all():
        raise MediaError("unreadable", f"{path}: samples are not finite")
    if np.abs(samples).max() < SILENCE:
        raise MediaError("silent", f"{path}: the sound never exceeds -80 dBFS")
    if source_rate != rate:
        import soxr

        samples = soxr.resample(samples, source_rate, rate)
    return np.ascontiguousarray(samples, dtype=np.float32)


def _read_plain(path: Path) -> tuple[np.ndarray, int]:
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            missing = _missing_bytes(path)
            if missing:
                raise MediaError("truncated", f"{path}: the header promises {missing} bytes more")
            expected, rate, channels = file.frames, file.samplerate, file.channels
            if channels > 2:  # which of them is the centre, only the container's reader tells
                samples, rate, _ = _read_container(path, None)
                return samples, rate
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        # A flac file that was cut opens well and fails on reading.
        failure = "truncated" if "lost sync" in str(error) else "unreadable"
        raise MediaError(failure, f"{path}: {error}") from None
    if len(samples) < expected:
        raise MediaError("truncated", f"{path}: {len(samples)} of {expected} samples")
    return mix(samples.T, []), rate


def mix(channels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """One channel of several: their mean, weighted as in a stereo mix (ITU-R BS.775-3, annex 4).

    The centre counts 1, left and right √½, what is around and behind ½, the low frequencies nothing. Of one
    or two channels it is the plain mean. No full-scale sound becomes larger than full scale.

    Args:
        channels: (channels, samples).
        names: ffmpeg's names of the channels (FL, FR, FC, LFE, …); with none all count the same.

    Returns:
        (samples,).
    """
    weights = np.array([WEIGHTS.get(name, 0.5) for name in names] or [1.0] * len(channels), channels.dtype)
    if not weights.any():
        weights[:] = 1
    return weights @ channels / weights.sum()


def _missing_bytes(path: Path) -> int:
    """Bytes that a RIFF header promises beyond the end of the file; streams write 0 or the maximum."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF":
        return 0
    promised = int.from_bytes(head[4:8], "little") + 8
    streamed = promised >= 2**31 - 1 or promised <= 8
    return 0 if streamed else max(0, promised - path.stat().st_size)


def _read_container(path: Path, interval: Interval | None) -> tuple[np.ndarray, int, float]:
    """Samples, their rate, and the time of the first of them on the file's axis, seconds."""
    # An index may lead past the start, and stamps may be lost on the way there: then all is read.
    jump = interval is not None and interval.start > MARGIN
    found = _decode_sound(path, interval, jump=True) if jump else None
    if found is None:
        found = _decode_sound(path, interval, jump=False)
    if len(found[0]) == 0:
        raise MediaError("empty", f"{path}: the sound stream has no samples")
    return found


def _decode_sound(path: Path, interval: Interval | None, jump: bool) -> Any:
    import av

    with open_container(path) as container:
        if not container.streams.audio:
            raise MediaError("no_audio", f"{path}: the file has no sound stream")
        stream = container.streams.audio[0]
        start, rate, first, blocks = origin(container), stream.rate, None, []
        if jump and not seek(container, stream, start + interval.start - MARGIN):
            return None
        to_float = av.AudioResampler(format="fltp")
        for frame in decode(container, stream, path):
            time = None if frame.time is None else frame.time - start
            if first is None:
                if jump and (time is None or time > interval.start):
                    return None
                first = time or 0.0
            if interval is not None and time is not None and time >= interval.end:
                break
            rate = frame.sample_rate  # a coder may put out twice the rate that the header names
            names = [channel.name for channel in frame.layout.channels]
            blocks += [mix(block.to_ndarray(), names) for block in to_float.resample(frame)]
        if interval is None and blocks:
            check_end(path, container, stream, first + sum(map(len, blocks)) / rate)
    if jump and not blocks:
        return None
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return samples, rate, first


def _place(samples: np.ndarray, rate: int, begin: float, interval: Interval | None, path: Path) -> np.ndarray:
    """Samples from the clip's time zero to its end: zeros before `begin`, nothing from before the clip."""
    offset = round((begin - (interval.start if interval else 0.0)) * rate)
    # An encoder's priming samples lie before time zero and are cut.
    samples = np.pad(samples, (offset, 0)) if offset >= 0 else samples[-offset:]
    if interval is None:
        return samples
    if len(samples) / rate < interval.duration - END_TOLERANCE:
        end = interval.start + len(samples) / rate
        raise MediaError(
            "truncated", f"{path}: the sound ends at {end:.2f} s, the clip at {interval.end:.2f} s"
        )
    return samples[: round(interval.duration * rate)]
