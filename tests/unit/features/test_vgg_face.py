"""VGG-Face gives fc7 before its ReLU, for weights of any usual naming and the input they were trained on."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from ugcl.config.features import VggFace
from ugcl.errors import UgclError
from ugcl.features.encoders import vgg_face
from ugcl.features.encoders.vgg_face import VggFaceEncoder
from ugcl.features.faces import alignment, table
from ugcl.features.media.clip import Clip

WIDTHS = [[2, 3], [4, 4], [5, 5, 5], [6, 6, 6], [6, 6, 6]]
HIDDEN = 12


def small_weights(conv: str = "conv{}_{}") -> dict[str, torch.Tensor]:
    """Random weights of a narrow VGG-16 in the naming of the converted files; fc8 is among them."""
    draw = torch.Generator().manual_seed(0)
    state, width = {}, 3
    for block, widths in enumerate(WIDTHS, 1):
        for layer, out in enumerate(widths, 1):
            name = conv.format(block, layer)
            state[f"{name}.weight"] = torch.randn(out, width, 3, 3, generator=draw) * (2 / (9 * width)) ** 0.5
            state[f"{name}.bias"] = torch.randn(out, generator=draw)
            width = out
    for name, into, out in (("fc6", width * 49, HIDDEN), ("fc7", HIDDEN, HIDDEN), ("fc8", HIDDEN, 5)):
        state[f"{name}.weight"] = torch.randn(out, into, generator=draw) * (2 / into) ** 0.5
        state[f"{name}.bias"] = torch.randn(out, generator=draw)
    return state


def by_hand(pixels: np.ndarray) -> np.ndarray:
    """fc7 of one input picture, (224, 224, 3), layer after layer as the paper lists them."""
    state = small_weights()
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32))[None]
    for block, widths in enumerate(WIDTHS, 1):
        for layer in range(1, len(widths) + 1):
            name = f"conv{block}_{layer}"
            x = functional.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1).relu()
        x = functional.max_pool2d(x, 2)
    x = functional.linear(x.flatten(), state["fc6.weight"], state["fc6.bias"]).relu()
    return functional.linear(x, state["fc7.weight"], state["fc7.bias"]).numpy()


@pytest.fixture
def weights(tmp_path):
    save_file(small_weights(), tmp_path / "vgg_face.safetensors")
    return tmp_path / "vgg_face.safetensors"


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)


def make(path, **settings) -> VggFaceEncoder:
    return VggFaceEncoder("v", VggFace(kind="vgg_face", weights="", **settings), path, "")


def test_input_is_blue_green_red_less_the_training_mean(weights, picture):
    blue_first = picture[..., ::-1].astype(np.float32) - np.float32([93.5940, 104.7624, 129.1863])
    vector = make(weights).describe(picture[None])[0].numpy()
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, by_hand(blue_first), rtol=1e-4, atol=1e-3)
    assert (vector < 0).any()  # before the ReLU


def test_matconvnet_weights_read_red_first(weights, picture):
    red_first = picture.astype(np.float32) - np.float32([129.1863, 104.7624, 93.5940])
    vector = make(weights, channels="rgb").describe(picture[None])[0].numpy()
    np.testing.assert_allclose(vector, by_hand(red_first), rtol=1e-4, atol=1e-3)


def test_the_released_codes_input_is_that_of_imagenet_networks(weights, picture):
    from torchvision.models import VGG16_Weights

    preset = VGG16_Weights.IMAGENET1K_V1.transforms()
    pixels = (picture / 255 - np.array(preset.mean)) / np.array(preset.std)
    for channels in ("bgr", "rgb"):
        vector = make(weights, normalisation="imagenet", channels=channels).describe(picture[None])[0].numpy()
        np.testing.assert_allclose(vector, by_hand(pixels), rtol=1e-4, atol=1e-4)


def test_namings_and_formats_give_the_same_network(weights, tmp_path, picture):
    expected = make(weights).describe(picture[None])[0].numpy()
    dotted, torch_names = small_weights(), small_weights("conv_{}_{}")
    # The converted files are of torch's old format; fully connected layers may be stored as convolutions.
    torch.save(dotted, tmp_path / "dag.pth", _use_new_zipfile_serialization=False)
    dense = {"fc6.weight": (HIDDEN, 6, 7, 7), "fc7.weight": (HIDDEN, HIDDEN, 1, 1)}
    for name, shape in dense.items():
        torch_names[name] = torch_names[name].reshape(shape)
    torch.save({"state_dict": {f"module.{k}": v for k, v in torch_names.items()}}, tmp_path / "torch.pth")
    for file in ("dag.pth", "torch.pth"):
        np.testing.assert_array_equal(make(tmp_path / file).describe(picture[None])[0].numpy(), expected)


def test_the_whole_network_is_torchvisions():
    """Full width: 4096 values, equal to what torchvision's own vgg16 has at classifier.3."""
    from torchvision.models import vgg16

    torch.manual_seed(0)
    whole = vgg16(weights=None, init_weights=False).eval()
    caught = []
    whole.classifier[3].register_forward_hook(lambda _, inputs, output: caught.append(output.clone()))
    pixels = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        whole(pixels)
        vector = vgg_face.network(whole.state_dict())(pixels)
    assert vector.shape == (1, 4096)
    torch.testing.assert_close(vector, caught[0])


def test_one_vector_a_face_frame(weights, tmp_path, write_video):
    video = write_video(tmp_path / "a.mp4", list(range(4)), Fraction(1, 25))
    track = table.Track(
        times=np.arange(4) / 25,
        boxes=np.tile([5.0, 5, 30, 30], (4, 1)),
        scores=np.full(4, 0.99),
        detected=np.ones(4, bool),
        landmarks=np.tile(alignment.template(40, 0.0), (4, 1, 1)),
    )
    encoder = make(weights)
    assert (encoder.rate, encoder.dim, encoder.needs_faces) == (25, HIDDEN, True)
    assert encoder.encode(Clip("a", None, video, track)).shape == (4, HIDDEN)


def test_other_weights_are_refused_by_name(tmp_path):
    state = small_weights()
    del state["fc7.bias"]
    save_file(state, tmp_path / "short.safetensors")
    with pytest.raises(UgclError, match=r"short\.safetensors: no classifier\.3\.bias"):
        make(tmp_path / "short.safetensors")
    state = small_weights() | {"conv2_1.weight": torch.zeros(4, 9, 3, 3)}
    save_file(state, tmp_path / "wrong.safetensors")
    with pytest.raises(UgclError, match=r"wrong\.safetensors: .*features\.5\.weight"):
        make(tmp_path / "wrong.safetensors")
    for name in ("text.pth", "text.safetensors"):
        (tmp_path / name).write_text("no weights")
        with pytest.raises(UgclError, match="not readable as weights"):
            make(tmp_path / name)


def test_a_pickle_cannot_run_code(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"conv1_1.weight": Harmful()}, tmp_path / "bad.pth")
    with pytest.raises(UgclError, match="not readable as weights"):
        make(tmp_path / "bad.pth")
    assert not (tmp_path / "ran").exists()


def test_settings_tell_the_weights(weights):
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    config = VggFace(kind="vgg_face", weights="models/vgg.pth")
    settings = VggFaceEncoder("v", config, weights, digest).settings
    assert settings["sha256"] == digest
    assert (settings["normalisation"], settings["channels"], settings["size"]) == ("original", "bgr", 224)
