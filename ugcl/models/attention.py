"""Attention over padded sequences, and the pooling of a sequence into one vector."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


def sinusoid(seconds: Tensor, width: int) -> Tensor:
    """Sinusoidal code of time, the same for every modality whatever its frame rate.

    Args:
        seconds: (T,) time of each frame.
        width: size of the code; half sines, half cosines.

    Returns:
        (T, width). Periods run from 0.16 s to about 16 s (Vaswani et al. 2017, §3.5, in seconds).
    """
    half = (width + 1) // 2
    periods = 0.16 * 100.0 ** (torch.arange(half, device=seconds.device) / max(1, half - 1))
    angle = 2 * math.pi * seconds[:, None] / periods
    return torch.cat([angle.sin(), angle.cos()], dim=-1)[:, :width]


class Attention(nn.Module):
    """Multi-head attention of queries on keys, with a mask of valid keys."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        # A bias of the keys shifts every score of a query alike, so softmax would cancel it.
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """Attend.

        Args:
            queries: (B, T, W).
            keys: (B, S, W), also the values.
            mask: (B, S), True = valid; each row has a valid key.

        Returns:
            (B, T, W).
        """
        q, k, v = (
            rearrange(linear(x), "b t (h d) -> b h t d", h=self.heads)
            for linear, x in ((self.query, queries), (self.key, keys), (self.value, keys))
        )
        # No dropout of the weights: it would take the slow path, and the layers around drop their outputs.
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        return self.out(rearrange(attended, "b h t d -> b t (h d)"))


class FeedForward(nn.Sequential):
    """Pre-normalised two-layer perceptron, (…, W) → (…, W)."""

    def __init__(self, width: int, dropout: float, factor: int = 2) -> None:
        super().__init__(
            nn.LayerNorm(width),
            nn.Linear(width, factor * width),
            nn.GELU(),
            nn.Linear(factor * width, width),
            nn.Dropout(dropout),
        )


class SelfAttentionLayer(nn.Module):
    """Pre-normalised transformer layer over one sequence."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        normed = self.norm(x)
        x = x + self.dropout(self.attention(normed, normed, mask))
        return x + self.feed_forward(x)


class CrossAttentionLayer(nn.Module):
    """Pre-normalised transformer layer that reads another sequence; its residual scales are learnt."""

    def __init__(self, width: int, heads: int, dropout: float, scale: float = 0.5) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.norm_other = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout)
        self.scale = nn.Parameter(torch.full((2,), scale))

    def forward(self, x: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) reads `other` (B, S, W) where `mask` (B, S) is True → (B, T, W)."""
        x = x + self.scale[0] * self.dropout(self.attention(self.norm(x), self.norm_other(other), mask))
        return x + self.scale[1] * self.feed_forward(x)


class AttentionPool(nn.Module):
    """Mean of the valid frames, weighted by a learnt score: Σ_t softmax_t(s(x_t)) x_t."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # No last bias: softmax over frames would cancel it.
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, W)."""
        score = self.score(x).squeeze(-1).masked_fill(~mask, -torch.inf)
        return torch.einsum("bt,btw->bw", score.softmax(dim=-1), x)


class SinglePool(nn.Module):
    """The only frame of a modality with one vector a clip."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W), of which the first frame is valid → (B, W)."""
        return x[:, 0]
