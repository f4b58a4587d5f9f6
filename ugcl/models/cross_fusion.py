"""Fusion by cross-attention, in both directions or in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.models.attention import CrossAttentionLayer

if TYPE_CHECKING:
    from ugcl.config.system.encoder import ModalityEncoder


class CrossFusion(nn.Module):
    """Each modality, or each of some readers, reads the frames and the clip-level tokens of the others.

    The clip-level token stands among the keys, so that a frame can read the other modality at both
    granularities, and so that attention has a choice where a modality has one vector per clip.
    """

    def __init__(
        self, modalities: Sequence[str], readers: Sequence[str] | None, layers: int, encoder: ModalityEncoder
    ) -> None:
        """Make `layers` cross-attention layers per direction, sized as the modality encoders.

        `readers` are the modalities that read the others; None = all.
        """
        super().__init__()
        settings = encoder.width, encoder.heads, encoder.dropout, encoder.gated
        self.layers = nn.ModuleList(
            nn.ModuleDict({name: CrossAttentionLayer(*settings) for name in readers or modalities})
            for _ in range(layers)
        )

    def forward(
        self,
        streams: dict[str, Tensor],
        masks: dict[str, Tensor],
        tokens: dict[str, Tensor],
        clocks: dict[str, Tensor | None],
    ) -> dict[str, Tensor]:
        """Fuse.

        Args:
            streams: modality → (B, T_m, W).
            masks: modality → (B, T_m), True = valid frame.
            tokens: modality → (B, W) clip-level representation.
            clocks: modality → (T_m,) seconds of its frames where positions are rotary, else None; the
                clip-level token stands at 0.

        Returns:
            Modality → (B, T_m, W); readers have read the others.
        """
        times = {m: F.pad(clock, (0, 1)) for m, clock in clocks.items() if clock is not None}
        for layer in self.layers:
            memory = {m: torch.cat([x, tokens[m][:, None]], dim=1) for m, x in streams.items()}
            valid = {m: torch.cat([mask, mask[:, :1] | True], dim=1) for m, mask in masks.items()}
            others = {m: [o for o in streams if o != m] for m in streams}
            streams = streams | {
                m: layer[m](
                    streams[m],
                    torch.cat([memory[o] for o in others[m]], dim=1),
                    torch.cat([valid[o] for o in others[m]], dim=1),
                    None if clocks[m] is None else (clocks[m], torch.cat([times[o] for o in others[m]])),
                )
                for m in layer
            }
        return streams
