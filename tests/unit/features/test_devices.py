"""Networks give the same at each run, and nearly the same on each device and in each precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests.fixtures.small_networks import speech_model, vit_model, whisper_model
from ugcl.config.features import Image, Speech, Whisper
from ugcl.features.encoders.image import ImageEncoder
from ugcl.features.encoders.speech import SpeechEncoder
from ugcl.features.encoders.whisper import WhisperEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.networks.sequences import SequenceNetwork

NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA device cannot be had by software")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_GPU])]
# Length of the error by that of the vectors: some twenty roundings in a row, of 24, 11 and 8 bits.
TOLERANCE = {"32-true": 20 * 2**-24, "16-mixed": 20 * 2**-11, "bf16-mixed": 20 * 2**-8}


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    """Noise of several lengths."""
    rng, made = np.random.default_rng(0), []
    for number, seconds in enumerate((0.4, 1.3, 2.0, 1.31)):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, rng.normal(0, 0.1, round(seconds * 16000)), 16000, subtype="FLOAT")
        made.append(Clip(f"c{number}", path))
    return made


def encoded(network: SequenceNetwork, clips: list[Clip], workers: int = 0) -> dict[str, np.ndarray]:
    return {clip.name: vectors for clip, vectors in network.encode_all(clips, workers=workers)}


def error(found: np.ndarray, expected: np.ndarray) -> float:
    assert found.shape == expected.shape
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm", "whisper"])
def test_sound(tmp_path: Path, clips: list[Clip], kind: str, precision: str, device: str) -> None:
    def make(precision: str, device: str) -> SequenceNetwork:
        if kind == "whisper":
            config = Whisper(kind="whisper", weights="", precision=precision)
            return WhisperEncoder("w", config, whisper_model(tmp_path / "network"), device)
        folder = speech_model(kind, tmp_path / "network", feat_extract_norm="layer", conv_bias=True)
        return SpeechEncoder("s", Speech(kind="speech", weights="", precision=precision), folder, device)

    expected, network = encoded(make("32-true", "cpu"), clips), make(precision, device)
    found = encoded(network, clips)
    for name, vectors in found.items():
        assert error(vectors, expected[name]) < TOLERANCE[precision]
    again = encoded(network, clips, workers=2)
    assert all(np.array_equal(vectors, again[name]) for name, vectors in found.items())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", TOLERANCE)
def test_pictures(tmp_path: Path, precision: str, device: str) -> None:
    folder = vit_model(tmp_path)
    crops = np.random.default_rng(0).integers(0, 255, (9, 32, 32, 3)).astype(np.uint8)
    expected = ImageEncoder("i", Image(kind="image", weights=""), folder).describe(crops)
    network = ImageEncoder("i", Image(kind="image", weights="", precision=precision), folder, device)
    found = network.describe(crops)
    assert found.device.type == device
    assert error(found.float().cpu().numpy(), expected.numpy()) < TOLERANCE[precision]
    assert torch.equal(network.describe(crops), found)
