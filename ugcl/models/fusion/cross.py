"""Fusion by cross-attention in both directions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ugcl.models.attention import CrossAttentionLayer


class CrossFusion(nn.Module):
    """Each modality reads the frames and the clip-level tokens of the others.

    The clip-level token stands among the keys, so that a frame can read the other modality at both
    granularities, and so that attention has a choice where a modality has one vector a clip.
    """

    def __init__(self, modalities: list[str], width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleDict({name: CrossAttentionLayer(width, heads, dropout) for name in modalities})
            for _ in range(layers)
        )

    def forward(
        self, streams: dict[str, Tensor], masks: dict[str, Tensor], tokens: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Fuse.

        Args:
            streams: modality → (B, T_m, W).
            masks: modality → (B, T_m), True = valid frame.
            tokens: modality → (B, W) clip-level representation.

        Returns:
            Modality → (B, T_m, W), having read the others.
        """
        for layer in self.layers:
            memory = {m: torch.cat([x, tokens[m][:, None]], dim=1) for m, x in streams.items()}
            valid = {m: torch.cat([mask, mask[:, :1] | True], dim=1) for m, mask in masks.items()}
            others = {m: [o for o in streams if o != m] for m in streams}
            streams = {
                m: layer[m](
                    x,
                    torch.cat([memory[o] for o in others[m]], dim=1),
                    torch.cat([valid[o] for o in others[m]], dim=1),
                )
                for m, x in streams.items()
            }
        return streams
