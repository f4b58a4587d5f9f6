"""MODS: a primary modality for each clip (Yang et al., AAAI 2026, arXiv 2511.06328).

    h_m = Σ_t softmax_t(H_m w_m / √d) H_m,   α = softmax(MLP[h_1; …; h_M]),   p = argmax α,   H_m ← α_m H_m
    a layer:  H_p ← FF(H_p + SA(H_p) + Σ_o CA(H_p; H_o)),   H_o ← FF(H_o + CA(H_o; H_p))     (FF with a skip)

The last layer has no part for H_o. The pooled H_p is classified; a contrast sets F(h_p) against each h_m.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.models.attention import Attention, FeedForward, SinglePool


class ScorePool(nn.Module):
    """Mean of the valid frames weighted by softmax_t(x_t w / √d), (B, T, W) → (B, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.randn(width))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, W)."""
        score = (x @ self.score / x.shape[-1] ** 0.5).masked_fill(~mask, -torch.inf)
        return torch.einsum("bt,btw->bw", score.softmax(dim=-1), x)


class PrimaryLayer(nn.Module):
    """The primary stream reads itself and the others; unless this is the last layer, they read it."""

    def __init__(self, width: int, heads: int, dropout: float, last: bool) -> None:
        super().__init__()
        self.norm, self.norm_other = nn.LayerNorm(width), nn.LayerNorm(width)
        self.own, self.read = Attention(width, heads), Attention(width, heads)
        self.feed_forward = FeedForward(width, dropout)
        self.back = None if last else Attention(width, heads)
        self.feed_forward_other = None if last else FeedForward(width, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, M, T, W), the primary stream first, with valid frames (B, M, T) → (B, M, T, W)."""
        primary, others = x[:, 0], x[:, 1:].unbind(dim=1)
        q, keys = self.norm(primary), [self.norm_other(o) for o in others]
        read = self.own(q, q, mask[:, 0])
        for number, o in enumerate(keys, start=1):
            read = read + self.read(q, o, mask[:, number])
        primary = primary + self.dropout(read)
        primary = primary + self.feed_forward(primary)
        if self.back is not None:
            others = [
                o + self.dropout(self.back(k, q, mask[:, 0])) for o, k in zip(others, keys, strict=True)
            ]
            others = [o + self.feed_forward_other(o) for o in others]
        return torch.stack([primary, *others], dim=1)


class SampleFusion(nn.Module):
    """Streams of any lengths → the pooled primary stream of each clip, (B, W)."""

    def __init__(
        self,
        timed: Mapping[str, bool],
        layers: int,
        predicts: bool,
        width: int,
        heads: int,
        dropout: float,
    ) -> None:
        """Make the fusion.

        Args:
            timed: modality → whether it has more than one frame in a clip.
            layers: how many.
            predicts: make F, which a contrast needs.
            width: of the frames.
            heads: of attention.
            dropout: of hidden layers.
        """
        super().__init__()
        self.pools = nn.ModuleDict({m: ScorePool(width) if t else SinglePool() for m, t in timed.items()})
        count = len(self.pools)
        self.selector = nn.Sequential(nn.Linear(count * width, width), nn.GELU(), nn.Linear(width, count))
        self.layers = nn.ModuleList(
            PrimaryLayer(width, heads, dropout, last=n == layers - 1) for n in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.pool = ScorePool(width) if any(timed.values()) else SinglePool()
        self.predictor = nn.Linear(width, width) if predicts else None

    def forward(self, streams: dict[str, Tensor], masks: dict[str, Tensor]) -> tuple[Tensor, dict[str, Any]]:
        """Fuse streams (B, T_m, W) with valid frames (B, T_m).

        Returns:
            (B, W); and `weights` α (B, M), and with F `predicted` F(h_p) (B, W) and `pooled` h_m, modality →
            (B, W).
        """
        pooled = {m: pool(streams[m], masks[m]) for m, pool in self.pools.items()}
        weights = self.selector(torch.cat(list(pooled.values()), dim=-1)).softmax(dim=-1)  # (B, M)
        longest = max(x.shape[1] for x in streams.values())
        x = torch.stack([F.pad(streams[m], (0, 0, 0, longest - streams[m].shape[1])) for m in pooled], dim=1)
        mask = torch.stack([F.pad(masks[m], (0, longest - masks[m].shape[1])) for m in pooled], dim=1)
        # The order of the streams of each clip: the primary one, then the others as they come.
        number = torch.arange(len(pooled), device=x.device)
        order = torch.where(number == weights.argmax(dim=-1, keepdim=True), -1, number).argsort(dim=-1)
        x = torch.take_along_dim(x * weights[..., None, None], order[..., None, None], dim=1)
        mask = torch.take_along_dim(mask, order[..., None], dim=1)
        for layer in self.layers:
            x = layer(x, mask)
        fused = self.pool(self.norm(x[:, 0]), mask[:, 0])
        if self.predictor is None:
            return fused, {"weights": weights}
        return fused, {"weights": weights, "predicted": self.predictor(fused), "pooled": pooled}
