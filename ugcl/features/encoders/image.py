"""Pretrained image networks over aligned face crops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ugcl.config.features import Image
from ugcl.errors import UgclError
from ugcl.features.face_frames import over_faces
from ugcl.features.media import Clip
from ugcl.features.weights import weights_hash


class ImageEncoder:
    """One vector a frame from an image network of transformers (ViT, CLIP's vision tower, ResNet, …).

    The crop's side, mean and standard deviation are those of the weights' preprocessor_config.json.

    Args:
        name: key of `encoders`.
        config: frame rate, margin of the crop, and which output is kept.
        folder: config.json, preprocessor_config.json and safetensors of the network.
    """

    modality = "video"
    layers = 1
    needs_faces = True

    def __init__(self, name: str, config: Image, folder: Path) -> None:
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
        self.mean = np.array(facts.get("image_mean", [0.5] * 3), np.float32)
        self.std = np.array(facts.get("image_std", [0.5] * 3), np.float32)
        model = AutoModel.from_pretrained(folder, dtype="float32", local_files_only=True)
        self.model = getattr(model, "vision_model", model).eval()  # CLIP has a text tower as well
        self.name, self.rate, self.config = name, config.fps, config
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "size": self.size,
            "sha256": weights_hash(folder),
        }
        self.dim = len(self.describe(np.zeros((self.size, self.size, 3), np.uint8)))

    def encode(self, clip: Clip) -> np.ndarray:
        """Vectors on the time grid, (frames, dim) float32: see :func:`over_faces`."""
        return over_faces(clip, self.rate, self.size, self.config.margin, self.describe)

    def describe(self, crop: np.ndarray) -> np.ndarray:
        """The network's output for one crop, (dim,) float32."""
        import torch

        pixels = ((crop / np.float32(255) - self.mean) / self.std).transpose(2, 0, 1)
        with torch.inference_mode():
            output = self.model(torch.from_numpy(np.ascontiguousarray(pixels, np.float32))[None])
        if self.config.output == "pooled":
            return output.pooler_output.flatten().numpy()
        state = output.last_hidden_state[
            0
        ]  # (tokens, width), or (width, rows, columns) of a convolutional net
        if state.dim() == 3:
            state = state.flatten(1).T
        return (state[0] if self.config.output == "first" else state.mean(dim=0)).numpy()
