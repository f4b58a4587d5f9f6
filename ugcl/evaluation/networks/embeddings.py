"""Intermediate values of a trained network on clips: tokens, weights over the codebook, attention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ugcl.data.dataset import ClipDataset
from ugcl.models.attention import AttentionPool


@dataclass
class Inside:
    """Intermediate values of a network on N clips.

    Attributes:
        tokens: modality → (N, W) clip-level representations of length 1; empty for a network without tokens.
        assignments: modality → (N, K) weights over the codebook.
        probabilities: (N, C).
        attention: modality → one (frames,) array per clip, which sums to 1.
    """

    tokens: dict[str, np.ndarray] = field(default_factory=dict)
    assignments: dict[str, np.ndarray] = field(default_factory=dict)
    probabilities: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    attention: dict[str, list[np.ndarray]] = field(default_factory=dict)


def look(model: nn.Module, clips: ClipDataset, batch: int, device: torch.device | str = "cpu") -> Inside:
    """Run a network (in eval mode) over clips and keep its intermediate values."""
    inside, model = Inside(), model.to(device)
    parts: dict[tuple[str, str], list[np.ndarray]] = {}
    with torch.inference_mode(), _watched(model) as pooled:
        for part in clips.batches(batch):
            part = part.to(device)
            outputs = model(part)
            parts.setdefault(("p", ""), []).append(outputs["logits"].double().softmax(dim=1).cpu().numpy())
            for kind in ("tokens", "assignments"):
                for modality, value in outputs.get(kind, {}).items():
                    if not value.shape[-1]:  # tokens without a codebook
                        continue
                    parts.setdefault((kind, modality), []).append(value.double().cpu().numpy())
            for modality, weights in pooled.items():
                inside.attention.setdefault(modality, []).extend(weights)
            pooled.clear()
    whole = {key: np.concatenate(values) for key, values in parts.items()}
    inside.probabilities = whole.pop(("p", ""))
    for (kind, modality), value in whole.items():
        getattr(inside, kind)[modality] = value
    return inside


@contextmanager
def _watched(model: nn.Module) -> Iterator[dict[str, list[np.ndarray]]]:
    """Catch the weights of every attention pooling, by the last part of the module's name: its modality."""
    caught: dict[str, list[np.ndarray]] = {}

    def watch(modality: str):
        def hook(pool: AttentionPool, inputs: tuple[Tensor, Tensor]) -> None:
            x, mask = inputs
            score = pool.score(x).squeeze(-1).masked_fill(~mask, -torch.inf)
            weights = score.softmax(dim=-1).double().cpu().numpy()
            lengths = mask.sum(dim=1).tolist()
            caught[modality] = [row[:length] for row, length in zip(weights, lengths, strict=True)]

        return hook

    handles = [
        module.register_forward_pre_hook(watch(name.rsplit(".", 1)[-1]))
        for name, module in model.named_modules()
        if isinstance(module, AttentionPool)
    ]
    try:
        yield caught
    finally:
        for handle in handles:
            handle.remove()
