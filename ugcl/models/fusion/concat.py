"""Fusion by pooling each modality and concatenating."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ugcl.models.encoders import ModalityEncoder


class ConcatFusion(nn.Module):
    """Pool each modality over its frames; concatenate: M × (B, T_m, W) → (B, M · W)."""

    def __init__(self, encoders: nn.ModuleDict, width: int) -> None:
        super().__init__()
        self.pools = nn.ModuleDict({name: _pool(encoder, width) for name, encoder in encoders.items()})
        self.size = len(self.pools) * width

    def forward(self, streams: dict[str, Tensor], masks: dict[str, Tensor]) -> Tensor:
        """Streams (B, T_m, W) with masks (B, T_m) → (B, M · W)."""
        return torch.cat([pool(streams[name], masks[name]) for name, pool in self.pools.items()], dim=-1)


def _pool(encoder: nn.Module, width: int) -> nn.Module:
    assert isinstance(encoder, ModalityEncoder)
    return encoder.pool(width)
