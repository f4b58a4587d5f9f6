"""Sound files that libsndfile reads, block by block."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ugcl.features.media.ending import END_TOLERANCE
from ugcl.features.media.failure import MediaError

BLOCK = 1 << 16  # samples that are held at a time
UNKNOWN = 1 << 40  # samples; a stream without an end is said to have more


def channels(path: Path, start: float, end: float) -> Iterator[tuple[np.ndarray, int]]:
    """The samples of a sound file.

    Args:
        path: the file.
        start, end: the part to read, seconds; `end` may be infinite.

    Yields:
        (channels, samples) float32 and the sampling rate, Hz.

    Raises:
        MediaError: truncated, where the header counts more samples than there are.
        Exception: whatever libsndfile raises of a file that it does not read.
    """
    import soundfile

    with soundfile.SoundFile(os.fsencode(path)) as file:
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
            yield block.T, rate
        if counted and read < wanted - END_TOLERANCE * rate:
            raise MediaError("truncated", f"{path}: {first + read} of {file.frames} samples")
