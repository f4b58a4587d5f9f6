"""Trees of the corpora's layouts, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
import soundfile

from ugcl.config import parse, read
from ugcl.data import manifest, tables

Build = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def build(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The manifest of a tree, written and read again: build(corpus, root, label, classes, **options)."""
    written = tmp_path_factory.mktemp("manifests") / "manifest.csv"

    def make(corpus: str, root: Path, label: str, classes: list[str], **options: Any) -> pd.DataFrame:
        params = read(project / "params.yaml")
        entry = params["corpora"].get(corpus, {}) | options | {"root": str(root)}
        entry["protocols"] = {"p": {"label": label, "classes": classes}}
        params["corpora"][corpus] = entry
        params["benchmarks"] = {key: b for key, b in params["benchmarks"].items() if b["corpus"] != corpus}
        params["tuned"] = {key: own for key, own in params["tuned"].items() if key in params["benchmarks"]}
        params["transfer"] = []
        tables.write(manifest.build(parse(params), corpus), written)
        return tables.read_manifest(written).set_index("clip")

    return make


@pytest.fixture
def wav() -> Callable[[Path, float], Path]:
    """Write a tone: wav(path, seconds)."""

    def write(path: Path, seconds: float = 0.2) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(int(16000 * seconds)) / 16000
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * 300 * time), 16000)
        return path

    return write


@pytest.fixture
def film() -> Callable[..., Path]:
    """Write a video with a tone: film(path, seconds, codec); its halves are dark and bright."""

    def write(path: Path, seconds: float = 0.4, codec: str = "mpeg4", sound: bool = True) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = np.full((48, 64, 3), 40, np.uint8)
        picture[:, 32:] = 200
        with av.open(str(path), "w") as container:
            video = container.add_stream(codec, rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            audio = container.add_stream("mp3", rate=22050, layout="mono") if sound else None
            for number in range(round(25 * seconds)):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if audio is not None:
                samples = 0.3 * np.sin(np.arange(int(22050 * seconds)) / 11)
                for start in range(0, len(samples), 1152):
                    part = samples[None, start : start + 1152].astype(np.float32)
                    block = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                    block.sample_rate, block.pts, block.time_base = 22050, start, Fraction(1, 22050)
                    container.mux(audio.encode(block))
                container.mux(audio.encode(None))
        return path

    return write
