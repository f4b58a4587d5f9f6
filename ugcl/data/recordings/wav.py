"""The header of a WAV file, and whether what it says of its data can be true.

Recorders that write into a pipe do not know a size and write 0 or the largest number; one that was killed
leaves the size it last knew; browser recorders count the header as data. Only a size that is much larger than
what follows says that bytes are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

STREAMED = 0x7FFF_0000  # bytes; sizes from here on mean "not known"
LOWEST = 4000  # bytes per second where the header names no rate
SLACK = 0.25  # seconds of data that may be missing or left over


@dataclass(frozen=True)
class WavHeader:
    """What a header says."""

    codec: int  # format tag of the fmt chunk; 1 and 3 are PCM, 85 is MP3
    byte_rate: int  # mean bytes per second
    declared: int  # size of the data chunk by its header, bytes
    present: int  # bytes from the start of the data to the end of the file
    followed: bool  # whether what follows the declared data are chunks, or so little that it does not matter

    @property
    def streamed(self) -> bool:
        """Whether the size was not known when the header was written."""
        return self.declared >= STREAMED or (self.declared == 0 and not self.followed)

    @property
    def stale(self) -> bool:
        """Whether sound goes on behind the declared end."""
        return not self.streamed and not self.followed

    @property
    def missing(self) -> float:
        """Seconds of declared data beyond the end of the file, 0 where they are too few to matter."""
        if self.streamed:
            return 0.0
        seconds = (self.declared - self.present) / (self.byte_rate or LOWEST)
        return seconds if seconds > SLACK else 0.0

    @property
    def open_ended(self) -> bool:
        """Whether the data have to be read up to the end of the file, whatever the header says."""
        return self.stale or (self.declared == 0 and self.streamed)


def read(path: Path) -> WavHeader | None:
    """Read the header of a RIFF file; None where the file is not one, or its data chunk is not found."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        codec, byte_rate, offset = 0, 0, 12
        while offset + 8 <= size:
            file.seek(offset)
            name, length = file.read(4), int.from_bytes(file.read(4), "little")
            if name == b"fmt ":
                fields = file.read(12)
                codec, byte_rate = int.from_bytes(fields[:2], "little"), int.from_bytes(fields[8:], "little")
            elif name == b"data":
                start, present = offset + 8, size - offset - 8
                slack = SLACK * (byte_rate or LOWEST)
                followed = present - length <= slack or _chunks(file, start + length, size)
                return WavHeader(codec, byte_rate, length, present, followed)
            offset += 8 + length + length % 2
    return None


def _chunks(file: BinaryIO, offset: int, size: int) -> bool:
    """Whether the rest of a file is a row of chunks; the padding byte of an odd one may be missing."""
    for begin in (offset + offset % 2, offset):
        at = begin
        while at + 8 <= size:
            file.seek(at)
            name, length = file.read(4), int.from_bytes(file.read(4), "little")
            if not all(32 <= byte < 127 for byte in name):
                break
            at += 8 + length + length % 2
        if at > begin and size - 1 <= at <= size + 1:
            return True
    return False
