"""Other processes may read for a network, a block of crops at a time: what comes out is the same."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from tests.fixtures.small_networks import speech_model, vit_model
from ugcl import config as parameters
from ugcl.config.features import Image, Speech
from ugcl.errors import UgclError
from ugcl.features.build import build
from ugcl.features.encoders.image import ImageEncoder
from ugcl.features.encoders.speech import SpeechEncoder
from ugcl.features.faces import alignment, table
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.networks.face_frames import Grid, face_blocks
from ugcl.features.networks.network import Network
from ugcl.features.networks.reading import parts

LENGTHS = (7, 1, 12, 5, 9)  # frames of the clips


def track(frames: int, visible: list[int] | None = None) -> table.Track:
    """The same face on frames of 64 × 48 pixels, on all of them or on some."""
    scores = np.full(frames, 0.9)
    if visible is not None:
        scores[[i for i in range(frames) if i not in visible]] = np.nan
    landmarks = np.tile(alignment.template(40, 0.0), (frames, 1, 1))
    return table.Track(
        np.arange(frames) / 25, np.tile([5.0, 5, 30, 30], (frames, 1)), scores, scores > 0, landmarks
    )


@pytest.fixture
def clips(tmp_path: Path, write_video) -> list[Clip]:
    """Clips of several lengths with a face and sound; one has no video, of another the face is unknown."""
    made, rng = [], np.random.default_rng(0)
    for number, frames in enumerate(LENGTHS):
        video = write_video(tmp_path / f"{number}.mp4", list(range(frames)), Fraction(1, 25))
        soundfile.write(tmp_path / f"{number}.wav", rng.normal(0, 0.1, 1600 * frames), 16000)
        made.append(Clip(f"c{number}", tmp_path / f"{number}.wav", video, track(frames)))
    gone = Clip("c2-gone", tmp_path / "gone.wav", tmp_path / "gone.mp4", track(3))
    return [*made[:3], gone, *made[3:], replace(made[0], name="c5-faceless", faces=None)]


def found(network: Network, clips: list[Clip], workers: int) -> dict[str, bytes | str]:
    told = {}
    for clip, vectors in network.encode_all(clips, workers=workers):
        assert clip.name not in told
        told[clip.name] = vectors.failure if isinstance(vectors, MediaError) else vectors.tobytes()
    return told


def test_other_processes_read_the_same_pictures(tmp_path: Path, clips: list[Clip]) -> None:
    config = Image(kind="image", weights="", batch=4)
    network = ImageEncoder("i", config, vit_model(tmp_path / "vit"))
    alone = found(network, clips, 0)
    assert list(alone) == [clip.name for clip in clips]
    assert (alone["c2-gone"], alone["c5-faceless"]) == ("missing", "no_face")
    for workers in (1, 3):
        assert found(network, clips, workers) == alone
    assert not multiprocessing.active_children()


def test_other_processes_read_the_same_sound(
    tmp_path: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clips come in their order, for which others each is with in the network changes its rounding."""
    monkeypatch.setattr(SpeechEncoder, "TOGETHER", 3)
    folder = speech_model("wav2vec2", tmp_path / "speech", feat_extract_norm="layer", conv_bias=True)
    network = SpeechEncoder("s", Speech(kind="speech", weights="", batch=3.0), folder)
    alone = found(network, clips, 0)
    assert [name for name, vectors in alone.items() if vectors == "missing"] == ["c2-gone"]
    for workers in (1, 2, 4):
        assert [part.number for part in parts(network.read, clips, None, workers, 8)] == list(range(7))
        assert found(network, clips, workers) == alone


def test_no_more_crops_are_held_than_asked_for(clips: list[Clip]) -> None:
    clip = clips[2]
    (whole,) = face_blocks(clip, 25, 32, 0.0, 100)
    assert whole.crops.shape == (12, 32, 32, 3) and whole.shown.tolist() == list(range(12))
    blocks = list(face_blocks(clip, 25, 32, 0.0, 5))
    assert [len(block.crops) for block in blocks] == [5, 5, 2]
    np.testing.assert_array_equal(np.concatenate([block.crops for block in blocks]), whole.crops)
    assert np.concatenate([block.shown for block in blocks]).tolist() == list(range(12))


def test_a_picture_that_is_shown_twice_is_cut_once(clips: list[Clip]) -> None:
    clip = replace(clips[0], faces=track(7, [1, 2, 5]))
    blocks = list(face_blocks(clip, 50, 32, 0.0, 2))
    assert [len(block.crops) for block in blocks] == [2, 1]
    shown = np.concatenate([block.shown for block in blocks])
    assert shown.tolist() == [-1, -1, 0, 0, 1, 1, -1, -1, -1, -1, 2, 2, -1, -1]
    grid = Grid()
    nearest = np.concatenate([grid.add(shown, np.array([[10.0], [20.0], [30.0]])), grid.rest()])[:, 0]
    assert nearest.tolist() == [10, 10, 10, 10, 20, 20, 20, 20, 30, 30, 30, 30, 30, 30]


def test_a_clip_that_breaks_off_has_no_vectors(tmp_path: Path, clips: list[Clip]) -> None:
    """Blocks before the fault were seen by the network already; the clip fails all the same."""
    cut = tmp_path / "cut.mp4"
    cut.write_bytes((tmp_path / "2.mp4").read_bytes()[:-400])
    network = ImageEncoder("i", Image(kind="image", weights="", batch=2), vit_model(tmp_path / "vit"))
    told = found(network, [replace(clips[2], video=cut), clips[4]], 1)
    assert told["c2"] == "truncated" and len(told[clips[4].name]) == 4 * 16 * LENGTHS[3]


def test_crops_go_through_together_as_they_do_alone(tmp_path: Path, clips: list[Clip]) -> None:
    folder = vit_model(tmp_path / "vit")
    one, many = (
        ImageEncoder("i", Image(kind="image", weights="", batch=batch), folder).encode(clips[2])
        for batch in (1, 8)
    )
    assert one.shape == (12, 16)
    np.testing.assert_allclose(many, one, atol=1e-5)


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_is_near_and_not_the_same(tmp_path: Path, clips: list[Clip], precision: str) -> None:
    folder = vit_model(tmp_path / "vit")
    full, half = (
        ImageEncoder("i", Image(kind="image", weights="", precision=p), folder).encode(clips[0])
        for p in ("32-true", precision)
    )
    assert half.dtype == np.float32 and not np.array_equal(full, half)
    np.testing.assert_allclose(half, full, atol=0.06)  # states of about 1 with 8 bits of bfloat16 in each sum


def test_processes_that_read_are_given_no_weights(tmp_path: Path, clips: list[Clip]) -> None:
    """Where processes are spawned, what they read with is pickled."""
    speech = SpeechEncoder("s", Speech(kind="speech", weights=""), speech_model("wavlm", tmp_path / "speech"))
    image = ImageEncoder("i", Image(kind="image", weights=""), vit_model(tmp_path / "vit"))
    for network in (speech, image):
        sent = pickle.dumps(network)
        again = pickle.loads(sent)
        assert len(sent) < 20_000 and not hasattr(again, "model")
        (expected,), (part,) = network.read(clips[0]), again.read(clips[0])
        whole, read = (getattr(x, "crops", x) for x in (expected, part))
        np.testing.assert_array_equal(read, whole)


def test_a_failure_keeps_its_word_between_processes() -> None:
    error = pickle.loads(pickle.dumps(MediaError("truncated", "a.mp4: 3 of 9 frames")))
    assert (error.failure, error.detail) == ("truncated", "a.mp4: 3 of 9 frames")


def test_a_device_that_is_not_here_is_named(tmp_path: Path, project: Path) -> None:
    tree = parameters.load(project / "params.yaml").model_dump(mode="json")
    tree["encoders"]["small"] = {"kind": "image", "weights": str(vit_model(tmp_path / "vit"))}
    tree["extraction"]["accelerator"] = "cpu"
    network = build(parameters.parse(tree), "demo", "small")
    assert network.device.type == next(network.model.parameters()).device.type == "cpu"
    tree["extraction"]["accelerator"] = "cuda"
    import torch

    if torch.cuda.is_available():
        assert build(parameters.parse(tree), "demo", "small").device.type == "cuda"
    else:
        with pytest.raises(UgclError, match=r"extraction\.accelerator: cuda is not available here"):
            build(parameters.parse(tree), "demo", "small")


KILLED = """
import os, signal, sys, numpy as np
from ugcl.features.media.clip import Clip
from ugcl.features.networks.reading import parts

def read(clip):
    yield np.zeros(3_000_000)

for part in parts(read, [Clip(str(i)) for i in range(99)], None, 2, 8):
    import psutil
    print(*(child.pid for child in psutil.Process().children()), flush=True)
    signal.pause()
"""


def test_processes_that_read_end_with_the_one_that_they_read_for() -> None:
    """Also where it was killed and their answers fill the pipe to it."""
    reading = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
    readers = [psutil.Process(int(number)) for number in reading.stdout.readline().split()]
    assert len(readers) == 2 and all(reader.is_running() for reader in readers)
    reading.kill()
    reading.wait()
    _, alive = psutil.wait_procs(readers, timeout=20)
    for reader in alive:
        reader.kill()
    assert not alive
