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
    angle = _angles(seconds, (width + 1) // 2)
    return torch.cat([angle.sin(), angle.cos()], dim=-1)[:, :width]


def _angles(seconds: Tensor, count: int) -> Tensor:
    """Phases of `count` waves at times (T,), (T, count)."""
    periods = 0.16 * 100.0 ** (torch.arange(count, device=seconds.device) / max(1, count - 1))
    return 2 * math.pi * seconds[:, None] / periods


def rotate(x: Tensor, seconds: Tensor) -> Tensor:
    """Rotary code of time (Su et al. 2021, RoFormer, eq. 34, in seconds): attention sees time differences.

    Args:
        x: (B, H, T, D) queries or keys, D even; column i turns with column i + D/2.
        seconds: (T,) time of each frame; one at 0 is not turned.
    """
    first, second = x.chunk(2, dim=-1)
    angle = _angles(seconds, first.shape[-1]).to(x.dtype)
    cosine, sine = angle.cos(), angle.sin()
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class Attention(nn.Module):
    """Multi-head attention of queries on keys, with a mask of valid keys."""

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        """Make the layer; the keys have width `context`, by default that of the queries."""
        super().__init__()
        self.heads = heads
        context = width if context is None else context
        self.query = nn.Linear(width, width)
        # A bias of the keys adds the same value to all scores of a query, which softmax cancels.
        self.key = nn.Linear(context, width, bias=False)
        self.value = nn.Linear(context, width)
        self.out = nn.Linear(width, width)

    def forward(
        self, queries: Tensor, keys: Tensor, mask: Tensor, clocks: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Attend.

        Args:
            queries: (B, T, W).
            keys: (B, S, C), also the values.
            mask: (B, S), True = valid, or (B, T, S), True = read by that query; each row has a valid key.
            clocks: times of queries (T,) and keys (S,) in seconds, for rotary positions; None = none.

        Returns:
            (B, T, W).
        """
        q, k, v = (
            rearrange(linear(x), "b t (h d) -> b h t d", h=self.heads)
            for linear, x in ((self.query, queries), (self.key, keys), (self.value, keys))
        )
        if clocks is not None:
            q, k = rotate(q, clocks[0]), rotate(k, clocks[1])
        # No dropout of the weights: it would disable the fast path, and outputs have dropout.
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=for_heads(mask))
        return self.out(rearrange(attended, "b h t d -> b t (h d)"))


def for_heads(mask: Tensor) -> Tensor:
    """The valid keys (B, S), or those of each query (B, T, S) → what all heads read: (B, 1, 1 or T, S)."""
    return mask[:, None, None] if mask.ndim == 2 else mask[:, None]


class GatedGELU(nn.Module):
    """One half of the columns gates the other, (…, 2H) → (…, H): GEGLU (Shazeer 2020, eq. 5)."""

    def forward(self, x: Tensor) -> Tensor:
        """(…, 2H) → (…, H)."""
        gate, value = x.chunk(2, dim=-1)
        return F.gelu(gate) * value


class FeedForward(nn.Sequential):
    """Pre-normalised two-layer perceptron, (…, W) → (…, W), with GELU or gated to about as many weights."""

    def __init__(self, width: int, dropout: float, gated: bool = False, factor: int = 2) -> None:
        hidden = round(factor * width * 2 / 3) if gated else factor * width
        super().__init__(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * hidden if gated else hidden),
            GatedGELU() if gated else nn.GELU(),
            nn.Linear(hidden, width),
            nn.Dropout(dropout),
        )


class SelfAttentionLayer(nn.Module):
    """Pre-normalised transformer layer over one sequence."""

    def __init__(self, width: int, heads: int, dropout: float, gated: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout, gated)

    def forward(self, x: Tensor, mask: Tensor, clock: Tensor | None = None) -> Tensor:
        """(B, T, W) with valid frames (B, T), at times (T,) if positions are rotary → (B, T, W)."""
        normed = self.norm(x)
        clocks = None if clock is None else (clock, clock)
        x = x + self.dropout(self.attention(normed, normed, mask, clocks))
        return x + self.feed_forward(x)


class CrossAttentionLayer(nn.Module):
    """Pre-normalised transformer layer that reads another sequence; its residual scales are learnt."""

    def __init__(
        self, width: int, heads: int, dropout: float, gated: bool = False, scale: float = 0.5
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.norm_other = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout, gated)
        self.scale = nn.Parameter(torch.full((2,), scale))

    def forward(
        self, x: Tensor, other: Tensor, mask: Tensor, clocks: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """(B, T, W) reads `other` (B, S, W) where `mask` (B, S) is True → (B, T, W); see `Attention`."""
        read = self.attention(self.norm(x), self.norm_other(other), mask, clocks)
        x = x + self.scale[0] * self.dropout(read)
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
    """The only frame of a modality with one vector per clip."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W), of which the first frame is valid → (B, W)."""
        return x[:, 0]
