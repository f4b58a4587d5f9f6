"""Encoders of AVF-MAE++: attention within regions of a clip, and among their messengers.

Wu et al., CVPR 2025, §3.2, after MAE-DFER (Sun et al. 2023). A clip is cut into n regions of its own length;
each has S local tokens and a messenger.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ugcl.models.attention import FeedForward
from ugcl.models.layers.blocks import CrossRead, SelfRead


def regions(x: Tensor, mask: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Cut each clip into equal parts of its own length; a clip with fewer frames than parts repeats some.

    Region r of n of a clip of L frames has the frames ⌊r L / n⌋ … ⌊(r + 1) L / n⌋ − 1, at least the first.

    Args:
        x: (B, T, W).
        mask: (B, T), True = valid frame, which are the first of each clip, at least one.
        count: n.

    Returns:
        (B, n, S, W) with S = ⌈T / n⌉, and which of them are frames, (B, n, S).
    """
    edges = mask.sum(dim=1, keepdim=True) * torch.arange(count + 1, device=x.device) // count  # (B, n + 1)
    start, end = edges[:, :-1], torch.maximum(edges[:, 1:], edges[:, :-1] + 1)
    index = start[..., None] + torch.arange(-(-x.shape[1] // count), device=x.device)  # (B, n, S)
    valid = index < end[..., None]
    index = torch.where(valid, index, start[..., None]).flatten(1)
    local = torch.gather(x, 1, index[..., None].expand(-1, -1, x.shape[-1]))
    return local.unflatten(1, valid.shape[1:]), valid


class LocalGlobalBlock(nn.Module):
    """One layer; every attention is pre-normalised and has a residual.

    (i) each region with its messenger; (ii) the messengers among themselves; (iii) all local tokens read the
    messengers; (iv) the messengers read all local tokens; (v) a perceptron on everything.
    """

    def __init__(self, width: int, heads: int, factor: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.within = SelfRead(width, heads, dropout)
        self.among = SelfRead(width, heads, dropout)
        self.spread = CrossRead(width, heads, dropout)
        self.collect = CrossRead(width, heads, dropout)
        self.feed_forward = FeedForward(width, dropout, factor=factor)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, n, 1 + S, W), messengers first, with valid tokens (B, n, 1 + S) → the same."""
        x = self.within(x.flatten(0, 1), mask.flatten(0, 1)).view(x.shape)
        messengers, local = x[:, :, 0], x[:, :, 1:].flatten(1, 2)  # (B, n, W), (B, n · S, W)
        everywhere = mask[:, :, 0]
        messengers = self.among(messengers, everywhere)
        local = self.spread(local, messengers, everywhere)
        messengers = self.collect(messengers, local, mask[:, :, 1:].flatten(1, 2))
        x = torch.cat([messengers[:, :, None], local.view(x[:, :, 1:].shape)], dim=2)
        return x + self.feed_forward(x)


class LocalGlobalEncoder(nn.Module):
    """Layers whose messengers are all kept, under one shared normalisation."""

    def __init__(
        self, width: int, heads: int, layers: int, count: int, factor: int = 2, dropout: float = 0.0
    ) -> None:
        """Make `layers` layers for clips of `count` regions."""
        super().__init__()
        self.messengers = nn.Parameter(0.02 * torch.randn(count, width))
        self.layers = nn.ModuleList(LocalGlobalBlock(width, heads, factor, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, local: Tensor, mask: Tensor) -> Tensor:
        """Local tokens (B, n, S, W) and valid ones (B, n, S) → messengers of every layer, (B, n, L, W)."""
        first = self.messengers.to(local.dtype).expand(len(local), -1, -1)[:, :, None]
        x, mask = torch.cat([first, local], dim=2), nn.functional.pad(mask, (1, 0), value=True)
        kept = []
        for layer in self.layers:
            x = layer(x, mask)
            kept.append(x[:, :, 0])
        return self.norm(torch.stack(kept, dim=2))
