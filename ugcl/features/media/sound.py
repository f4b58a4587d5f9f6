"""Decoding sound to one channel at one rate, whole or by stretches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ugcl.data.recordings import big_endian, wav
from ugcl.data.recordings.length import PLAIN
from ugcl.features.media.container import check_file, refused
from ugcl.features.media.ending import END_TOLERANCE
from ugcl.features.media.failure import MediaError
from ugcl.features.media.interval import Interval
from ugcl.features.media.track import Block, decoded

RATE = 16_000  # Hz: what the speech encoders were trained on
STRETCH = 30.0  # seconds that are held at a time
SHORTEST = 0.001  # seconds; fewer samples are a broken file and not a sound
BLOCK = 1 << 16  # samples that libsndfile reads at a time
UNKNOWN = 1 << 40  # samples; a stream without an end is said to have more
SILENCE = 1e-4  # largest magnitude of a recording without sound (-80 dBFS)
WEIGHTS = {"FC": 1.0, "FL": 0.5**0.5, "FR": 0.5**0.5, "LFE": 0.0, "LFE2": 0.0}  # of channels; others ½

Reader = Callable[[Path, Interval | None, list[str]], Iterator[Block]]


def sound(
    path: Path, rate: int = RATE, interval: Interval | None = None, notes: list[str] | None = None
) -> np.ndarray:
    """Read a file's sound, or an interval of it, as mono: (samples,) float32; see :func:`stretches`."""
    parts = list(stretches(path, rate, interval, notes))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def stretches(
    path: Path,
    rate: int = RATE,
    interval: Interval | None = None,
    notes: list[str] | None = None,
    seconds: float = STRETCH,
) -> Iterator[np.ndarray]:
    """Read a file's sound, or an interval of it, as mono, with constant memory.

    Args:
        path: a sound file, or a video file whose default sound track is read. A track that starts later than
            the file's earliest stream is preceded by zeros, and a gap in its time stamps is filled with
            zeros, so that sound and pictures share one time axis.
        rate: sampling rate of the result, Hz.
        interval: the part to read; all where it is None.
        notes: takes what a reader should know of the file, such as several sound tracks.
        seconds: length of a stretch; the last one may be shorter.

    Yields:
        (samples,) float32, full scale ±1.

    Raises:
        MediaError: missing, empty, no_audio, truncated, unreadable, or silent (peak below -80 dBFS); also
            after some stretches, for the end of a file is only known when it is reached.
    """
    check_file(path)
    size, held = round(seconds * rate), np.zeros(0, np.float32)
    for samples in _resampled(_checked(path, interval, [] if notes is None else notes), rate):
        held = np.concatenate([held, samples]) if len(held) else samples
        while len(held) > size:  # the last stretch is never empty
            yield np.ascontiguousarray(held[:size], dtype=np.float32)
            held = held[size:]
    yield np.ascontiguousarray(held, dtype=np.float32)


def _resampled(blocks: Iterator[tuple[np.ndarray, int]], rate: int) -> Iterator[np.ndarray]:
    stream = None
    for samples, source_rate in blocks:
        if source_rate == rate:
            yield samples
            continue
        if stream is None:
            import soxr

            stream = soxr.ResampleStream(source_rate, rate, 1, dtype="float32")
        yield stream.resample_chunk(np.ascontiguousarray(samples, np.float32))
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _checked(path: Path, interval: Interval | None, notes: list[str]) -> Iterator[tuple[np.ndarray, int]]:
    """Mono blocks (samples,) with their rate; refused where all of them are silent."""
    count, rate, peak, loudest = 0, 1, 0.0, 0.0
    for channels, names, rate in _read(path, interval, notes):
        samples = mix(channels, names)
        if not np.isfinite(samples).all():
            raise MediaError("unreadable", f"{path}: samples are not finite")
        count += len(samples)
        peak = max(peak, float(np.abs(samples).max(initial=0.0)))
        loudest = max(loudest, float(np.abs(channels).max(initial=0.0)))
        yield samples, rate
    if interval is not None and count / rate < min(interval.duration - END_TOLERANCE, SHORTEST):
        raise MediaError("truncated", f"{path}: the sound ends before the clip starts")
    if interval is not None and interval.bounded and count / rate < interval.duration - END_TOLERANCE:
        end = f"{interval.start + count / rate:.2f} s, the clip at {interval.end:.2f} s"
        raise MediaError("truncated", f"{path}: the sound ends at {end}")
    if count == 0:
        raise MediaError("empty", f"{path}: the sound has zero samples")
    if count < SHORTEST * rate:
        length = f"{count} sample{'s' * (count > 1)} ({1000 * count / rate:.3g} ms)"
        raise MediaError("empty", f"{path}: the sound has {length}, too few for a sound")
    if peak < SILENCE <= loudest:
        raise MediaError("silent", f"{path}: the channels cancel each other; save one of them alone")
    if peak < SILENCE:
        raise MediaError("silent", f"{path}: the sound never exceeds -80 dBFS")


def _read(path: Path, interval: Interval | None, notes: list[str]) -> Iterator[Block]:
    """Blocks of the first reader that takes the file and finds something in it."""
    header = wav.read(path)
    if header is not None and header.missing:
        raise MediaError("truncated", f"{path}: the header promises {header.missing:.2f} s more")
    if header is None and (sizes := big_endian.held_back(path)):
        named, held = (f"{size:.2f} s" for size in sizes)
        advice = "save it again, for example as WAV"
        raise MediaError(
            "unreadable", f"{path}: the header names {named} of sound, the file holds {held}; {advice}"
        )
    readers: list[Reader] = [_by_libsndfile, decoded]
    if path.suffix.lower() not in PLAIN:
        readers.reverse()
    if header is not None and header.open_ended:
        readers = [lambda *wanted: decoded(*wanted, ignore_length="1")]
        if header.stale:
            named, held = (size / header.byte_rate for size in (header.declared, header.present))
            notes.append(f"the header names {named:.2f} s of sound, the file holds {held:.2f} s; all is read")
    faults: list[MediaError] = []
    nothing = False
    for reader in readers:
        source, given = reader(path, interval, notes), False
        try:
            for block in source:
                given = True
                yield block
        except Exception as error:
            fault = refused(path, error)
            if given:
                raise fault from None
            faults.append(fault)
        else:
            nothing = True
        if given:
            return
    if faults and not nothing:
        raise next((fault for fault in faults if fault.failure != "unreadable"), faults[0]) from None


def _by_libsndfile(path: Path, interval: Interval | None, notes: list[str]) -> Iterator[Block]:
    """Blocks of a file that libsndfile reads.

    Raises:
        MediaError: truncated, where the header counts more samples than there are.
        Exception: whatever libsndfile raises of a file that it does not read.
    """
    import soundfile

    start, end = (interval.start, interval.end) if interval is not None else (0.0, float("inf"))
    with soundfile.SoundFile(os.fsencode(path)) as file:
        if file.channels > 2:
            raise ValueError("of several channels only ffmpeg says which is the centre")
        rate, first, read = file.samplerate, round(start * file.samplerate), 0
        counted = not file.subtype.startswith("MPEG") and file.frames < UNKNOWN
        wanted = file.frames - first if counted else UNKNOWN
        if end != float("inf"):
            wanted = min(wanted, round((end - start) * rate))
        if first:
            file.seek(min(first, file.frames))
        while read < wanted:
            try:
                block = file.read(min(BLOCK, wanted - read), dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                if not read:
                    raise
                raise MediaError("truncated", f"{path}: {error} after {read} samples") from None
            if len(block) == 0:
                break
            read += len(block)
            yield block.T, [], rate
        if counted and read < wanted - END_TOLERANCE * rate:
            raise MediaError("truncated", f"{path}: {first + read} of {file.frames} samples")


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
