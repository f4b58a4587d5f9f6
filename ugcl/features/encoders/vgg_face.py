"""VGG-Face, the face recognition network of Parkhi, Vedaldi and Zisserman (2015, BMVC)."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ugcl.config.features import VggFace
from ugcl.errors import UgclError
from ugcl.features.networks.faces import FaceNetwork

SIZE = 224
# Mean of the training pixels, 0..255, in the order red, green, blue: the authors' vgg_face_torch/demo.lua
# subtracts it from the RGB picture before it turns the channels to BGR.
MEAN = (129.1863, 104.7624, 93.5940)
# Mean and standard deviation of ImageNet's RGB pixels, 0..1 (torchvision's VGG16_Weights).
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

BLOCKS = (2, 2, 3, 3, 3)  # convolutions before each pooling: configuration D of Simonyan and Zisserman (2015)
PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # of the convolutions in torchvision's `features`
DENSE = {"fc6": "classifier.0", "fc7": "classifier.3"}


class VggFaceEncoder(FaceNetwork):
    """fc7 of VGG-Face before its ReLU, one vector of 4096 values per face frame.

    Args:
        config: frame rate, margin of the crop, and what the input is normalised to.
        weights: state dict, .safetensors or what torch.save writes: see :func:`torchvision_names`.
        sha256: hash of that file, for the shard's metadata.

    Raises:
        UgclError: the file is not a state dict of VGG-16.
    """

    size = SIZE

    def __init__(
        self, name: str, config: VggFace, weights: Path, sha256: str, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__(name, config, device)
        self.rate, self.model = config.fps, network(read(weights), str(weights)).to(self.device)
        facts = (MEAN, (1.0, 1.0, 1.0)) if config.normalisation == "original" else IMAGENET
        self.mean, self.std = torch.tensor(facts, device=self.device).view(2, 3, 1, 1)
        self.dim = self.model.classifier[3].out_features
        self.settings: dict[str, Any] = {**config.model_dump(mode="json"), "size": SIZE, "sha256": sha256}

    def vectors(self, pixels: Tensor) -> Tensor:
        """fc7 before its ReLU; see :meth:`FaceNetwork.vectors`."""
        if self.config.normalisation == "imagenet":
            return self.model((pixels / 255 - self.mean) / self.std)
        centred = pixels - self.mean
        return self.model(centred.flip(1) if self.config.channels == "bgr" else centred)


def read(path: Path) -> dict[str, Tensor]:
    """Read a state dict; a pickle is opened for tensors alone, so that no code of it can run.

    Raises:
        UgclError: the file holds no state dict.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UgclError(f"{path}: not readable as weights ({reason}); give a state dict") from None
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict):
        raise UgclError(f"{path}: holds a {type(found).__name__}; give a state dict")
    return found


def torchvision_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the layers up to fc7 to torchvision's names, and drop all others.

    ==================================  =======================  ====================================
    file                                convolutions             fully connected
    ==================================  =======================  ====================================
    torchvision's vgg16                 features.0 … features.28 classifier.0, classifier.3
    vgg_face_dag.pth (from MatConvNet)  conv1_1 … conv5_3        fc6, fc7
    vgg_face.pth (from Torch)           conv_1_1 … conv_5_3      fc6, fc7
    ==================================  =======================  ====================================

    A leading `module.` is ignored. fc6 and fc7 may be convolutions (O, I, 7, 7) and (O, I, 1, 1).
    """
    blocks = [f"{block}_{i + 1}" for block, count in enumerate(BLOCKS, 1) for i in range(count)]
    names = dict(DENSE)
    for block, place in zip(blocks, PLACES, strict=True):
        names[f"conv{block}"] = names[f"conv_{block}"] = f"features.{place}"
    wanted, renamed = set(names.values()), {}
    for key, value in state.items():
        layer, _, leaf = key.removeprefix("module.").rpartition(".")
        layer = names.get(layer, layer)
        if layer in wanted and leaf in ("weight", "bias"):
            flat = layer.startswith("classifier") and leaf == "weight"
            renamed[f"{layer}.{leaf}"] = (value.flatten(1) if flat else value).float()
    return renamed


def network(state: Mapping[str, Tensor], source: str = "state dict") -> nn.Sequential:
    """VGG-16 up to fc7, with the widths that the weights have.

    Args:
        state: see :func:`torchvision_names`.
        source: what the weights are called in messages.

    Raises:
        UgclError: a layer is missing or has a wrong shape.
    """
    from torchvision.models.vgg import make_layers

    state = torchvision_names(state)
    layers = [*(f"features.{place}" for place in PLACES), *DENSE.values()]
    missing = [key for layer in layers for key in (f"{layer}.weight", f"{layer}.bias") if key not in state]
    if missing:
        raise UgclError(f"{source}: no {missing[0]} (torchvision's name) in it; give VGG-16 weights")
    widths = [len(state[f"{layer}.weight"]) for layer in layers]
    convolutions, (hidden, out) = iter(widths[:-2]), widths[-2:]
    plan: list[int | str] = []
    for count in BLOCKS:
        plan += [*(next(convolutions) for _ in range(count)), "M"]
    with torch.device("meta"):  # the file's tensors take the place of the parameters: no second copy
        model = nn.Sequential(
            OrderedDict(
                features=make_layers(plan),
                avgpool=nn.AdaptiveAvgPool2d(7),
                flatten=nn.Flatten(),
                classifier=nn.Sequential(
                    nn.Linear(widths[-3] * 7 * 7, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, out)
                ),
            )
        )
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        fault = str(error).splitlines()[-1].strip()
        raise UgclError(f"{source}: {fault}; give VGG-16 weights") from None
    return model.eval().requires_grad_(False)
