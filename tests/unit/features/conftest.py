"""Small media made on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import soundfile

cv2.setNumThreads(1)  # tests share their cores


def make_video(
    path: Path,
    stamps: list[int],
    time_base: Fraction,
    *,
    sound: np.ndarray | None = None,
    sound_start: float = 0.0,
    faststart: bool = True,
) -> Path:
    """An mp4 whose frame i is grey with level 10 + 5 i and is shown from stamps[i] × time_base."""
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream("libx264", rate=Fraction(1, time_base), options={"bf": "0", "crf": "10"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = time_base
        if sound is not None:
            audio = container.add_stream("aac", rate=16000)
            audio.layout = "mono"
        for i, stamp in enumerate(stamps):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 + 5 * i, np.uint8), format="rgb24")
            picture.pts, picture.time_base = stamp, time_base
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if sound is not None:
            block = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="fltp", layout="mono")
            block.sample_rate, block.pts = 16000, round(sound_start * 16000)
            block.time_base = Fraction(1, 16000)
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))
    return path


@pytest.fixture
def tone() -> np.ndarray:
    """One second of a 440 Hz tone at 16 kHz."""
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype(np.float32)


@pytest.fixture
def wav(tmp_path: Path, tone: np.ndarray) -> Path:
    """The tone as a wav file."""
    soundfile.write(tmp_path / "tone.wav", tone, 16000)
    return tmp_path / "tone.wav"


@pytest.fixture
def write_video():
    """Makes an mp4 on the spot: see :func:`make_video`."""
    return make_video
