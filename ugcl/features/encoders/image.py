"""Pretrained image networks over aligned face crops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ugcl.config.features import Image
from ugcl.errors import UgclError
from ugcl.features.networks.faces import FaceNetwork
from ugcl.features.networks.weights import weights_hash

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class ImageEncoder(FaceNetwork):
    """One vector per frame from an image network of transformers (ViT, CLIP's vision tower, ResNet, …).

    The crop's side, mean and standard deviation are those of the weights' preprocessor_config.json.

    Args:
        config: frame rate, margin of the crop, and which output is kept.
        folder: config.json, preprocessor_config.json and safetensors of the network.
    """

    def __init__(self, name: str, config: Image, folder: Path, device: torch.device | str = "cpu") -> None:
        import numpy as np
        import torch
        from transformers import AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        settings = folder / "preprocessor_config.json"
        if not settings.is_file():
            raise UgclError(f"{settings}: not found; encoders.{name}.weights must be an image model's folder")
        facts = json.loads(settings.read_text())
        size = facts.get("crop_size") or facts.get("size") or 224
        side = size if isinstance(size, int) else size.get("height") or size.get("shortest_edge")
        if not isinstance(side, int):
            raise UgclError(f"{settings}: no size, crop_size or shortest_edge; add the side of the input")
        self.size = side
        super().__init__(name, config, device)
        self.mean, self.std = (
            torch.tensor(facts.get(key, [0.5] * 3), device=self.device).view(3, 1, 1)
            for key in ("image_mean", "image_std")
        )
        model = AutoModel.from_pretrained(folder, dtype="float32", local_files_only=True)
        model = getattr(model, "vision_model", model)  # CLIP has a text tower as well
        self.model, self.rate = model.eval().to(self.device), config.fps
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "size": self.size,
            "sha256": weights_hash(folder),
        }
        self.dim = self.describe(np.zeros((1, self.size, self.size, 3), np.uint8)).shape[1]

    def vectors(self, pixels: Tensor) -> Tensor:
        """The output that is kept; see :meth:`FaceNetwork.vectors`."""
        output = self.model((pixels / 255 - self.mean) / self.std)
        if self.config.output == "pooled":
            return output.pooler_output.flatten(1)
        state = output.last_hidden_state  # (crops, tokens, width), or (…, width, rows, columns) of a conv net
        if state.dim() == 4:
            state = state.flatten(2).transpose(1, 2)
        return state[:, 0] if self.config.output == "first" else state.mean(dim=1)
