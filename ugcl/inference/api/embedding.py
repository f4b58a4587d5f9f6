"""What a network knows of a clip before it classifies it: the vector that its classifying layers read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ugcl.data.dataset import ClipDataset
from ugcl.errors import UgclError


def embed(model: nn.Module, clips: ClipDataset, device: torch.device | str = "cpu") -> np.ndarray:
    """The inputs of a network's linear layers with an output per class, joined.

    Most methods have one such layer, after the fusion; some add layers of single modalities. Where frames are
    classified (LFAN, CAN), the vector is the mean over frames.

    Args:
        model: a trained network.

    Returns:
        (N, W) float64, in the dataset's order.

    Raises:
        UgclError: the network has no such layer.
    """
    model, found = model.to(device).eval(), []
    with torch.inference_mode(), _watched(model, len(clips.classes)) as inputs:
        for part in clips.batches(1):  # one clip or dialogue: no frame of a single clip is padded
            model(part.to(device))
            own = [x.mean(dim=1) if x.dim() == 3 and len(part) == 1 else x for x in inputs]
            own = [x for x in own if x.dim() == 2 and len(x) == len(part)]
            if not own:
                raise UgclError(
                    f"{type(model).__name__} has no linear layer that classifies clips to embed by"
                )
            found.append(torch.cat(own, dim=1).double().cpu().numpy())
            inputs.clear()
    return np.concatenate(found)


@contextmanager
def _watched(model: nn.Module, classes: int) -> Iterator[list[Tensor]]:
    """Catch the inputs of the layers in the order in which they run."""
    caught: list[Tensor] = []
    layers = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == classes]
    handles = [
        layer.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0])) for layer in layers
    ]
    try:
        yield caught
    finally:
        for handle in handles:
            handle.remove()
