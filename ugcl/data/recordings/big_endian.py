"""The headers of AIFF and AU files, and whether the file holds more sound than they name.

A recorder that was killed leaves the size it last knew. Of a WAV file such sound can be read
(:mod:`ugcl.data.recordings.wav`); no reader here does so for these, so they are refused and not cut short.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from ugcl.data.recordings.wav import SLACK, STREAMED

BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
"""Bytes per sample of AU's encodings (µ-law, linear PCM, float, A-law)."""


def held_back(path: Path) -> tuple[float, float] | None:
    """Seconds of sound that the header names, and that the file holds, where these are more; else None."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b".snd":
            found = _au(file)
        elif head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
            found = _aiff(file, size)
        else:
            return None
    if found is None:
        return None
    start, named, per_second = found
    held = size - start
    if named >= STREAMED or held - named <= SLACK * per_second:
        return None
    return named / per_second, held / per_second


def _au(file: BinaryIO) -> tuple[int, int, int] | None:
    """Where the data begin, how many bytes the header names, and bytes per second."""
    file.seek(4)
    start, named, encoding, rate, channels = (_number(file.read(4)) for _ in range(5))
    per_second = BYTES.get(encoding, 0) * rate * channels
    return (start, named, per_second) if per_second else None


def _aiff(file: BinaryIO, size: int) -> tuple[int, int, int] | None:
    """The same; None where chunks follow the sound up to the file's end, as they should."""
    offset, per_second, sound = 12, 0, (0, 0)
    while offset + 8 <= size:
        file.seek(offset)
        name, length = file.read(4), _number(file.read(4))
        if not all(32 <= byte < 127 for byte in name):
            break  # samples where a chunk should begin
        if name == b"COMM":
            fields = file.read(18)
            channels, bits = _number(fields[:2]), _number(fields[6:8])
            exponent, mantissa = _number(fields[8:10]) & 0x7FFF, _number(fields[10:18])
            per_second = channels * -(-bits // 8) * round(mantissa * 2.0 ** (exponent - 16383 - 63))
        elif name == b"SSND":
            sound = offset + 16, max(0, length - 8)
        offset += 8 + length + length % 2
    whole = size - 1 <= offset <= size + 1
    return None if whole or not per_second or not sound[0] else (*sound, per_second)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
