"""Baseline: encode each modality, pool, concatenate, classify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics, Tensors
from ugcl.models.heads import Classifier

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class ConcatFusion(nn.Module):
    """Pool each modality over its frames; concatenate: M × (B, T_m, W) → (B, M · W)."""

    def __init__(self, encoders: nn.ModuleDict, width: int) -> None:
        super().__init__()
        self.pools = nn.ModuleDict({name: encoder.pool(width) for name, encoder in encoders.items()})
        self.size = len(self.pools) * width

    def forward(self, frames: Tensors, masks: Tensors) -> Tensor:
        """Frames (B, T_m, W) with masks (B, T_m) → (B, M · W)."""
        return torch.cat([pool(frames[name], masks[name]) for name, pool in self.pools.items()], dim=-1)


class Concat(EncodedMethod):
    """The shared encoders with the plainest fusion; with one modality there is nothing to fuse."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        width, dropout = run.encoder.width, run.encoder.dropout
        self.fusion = ConcatFusion(self.encoders, width)
        self.classifier = Classifier(self.fusion.size, width, len(run.protocol.classes), dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        return {"logits": self.classifier(self.fusion(*self.encode(batch)))}
