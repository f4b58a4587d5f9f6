"""Sound files that recorders really write."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ugcl.features.media.failure import MediaError
from ugcl.features.media.sound import sound

RATE = 16000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def failure(path: Path, **wanted) -> MediaError:
    with pytest.raises(MediaError) as caught:
        sound(path, **wanted)
    return caught.value


def wav(path: Path, seconds: float = 2.0, *, riff: int = 0, data: int | None = None) -> np.ndarray:
    """A WAV of noise whose header says other sizes; `riff` is added to the true one."""
    soundfile.write(path, noise(seconds), RATE)
    content = bytearray(path.read_bytes())
    content[4:8] = struct.pack("<I", struct.unpack("<I", content[4:8])[0] + riff)
    if data is not None:
        at = content.index(b"data") + 4
        content[at : at + 4] = struct.pack("<I", data)
    path.write_bytes(content)
    return np.round(noise(seconds) * 32767) / 32768


def encoded(
    path: Path,
    samples: np.ndarray,
    codec: str,
    *,
    form: str | None = None,
    starts: tuple[tuple[float, float, float], ...] = (),
    **options: str,
) -> Path:
    """A file of one sound track; `starts` are pieces of the samples: from, to, and when they begin."""
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        size = stream.frame_size or 1024
        for first, last, begin in starts or ((0.0, len(samples) / RATE, 0.0),):
            piece = samples[round(first * RATE) : round(last * RATE)]
            fitted = av.AudioResampler(stream.format, "mono", RATE, frame_size=size)
            block = av.AudioFrame.from_ndarray(piece[None], format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = RATE, round(begin * RATE), Fraction(1, RATE)
            for part in [*fitted.resample(block), *fitted.resample(None)]:
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path
