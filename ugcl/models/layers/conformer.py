"""The conformer (Gulati et al. 2020) with relative attention (Dai et al. 2019, Transformer-XL, §3.3)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.models.layers.convolution import ConformerConvolution


def interleaved(count: int, width: int, device: torch.device | None = None) -> Tensor:
    """Code of numbers 0 … count − 1, sines in even and cosines in odd columns (Vaswani et al. 2017, §3.5)."""
    rates = torch.exp(torch.arange(0, width, 2, device=device) * -(math.log(10000.0) / width))
    angle = torch.arange(count, device=device)[:, None] * rates
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width]


class RelativeAttention(nn.Module):
    """Attention whose scores are (q_i + u)·k_j + (q_i + v)·p_{|i − j|}, p a projected code of distances."""

    def __init__(self, width: int, heads: int, released: bool = False) -> None:
        """Make the layer.

        Args:
            width: columns.
            heads: a divisor of it.
            released: divide scores by √W, not by the root of a head's columns, and take the codes of
                distances by the shift of Dai et al. of a table of T codes, not 2T − 1: it counts from the
                padded end, and above the diagonal it holds codes of the next query.
        """
        super().__init__()
        self.heads, self.released = heads, released
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key, self.position = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.u, self.v = (nn.Parameter(0.02 * torch.randn(heads, width // heads)) for _ in range(2))

    def freeze_scores(self) -> None:
        """Freeze what decides where attention looks, for sequences of one frame: it moves nothing there."""
        for part in (self.query, self.key, self.position):
            part.requires_grad_(False)
        self.u.requires_grad_(False)
        self.v.requires_grad_(False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        q, k, v = (linear(x).unflatten(-1, (self.heads, -1)) for linear in (self.query, self.key, self.value))
        codes = self.position(interleaved(x.shape[1], x.shape[2], x.device)).unflatten(-1, (self.heads, -1))
        content = torch.einsum("bihd,bjhd->bhij", q + self.u, k)
        place = torch.einsum("bihd,jhd->bhij", q + self.v, codes)  # j: number of the code
        scale = math.sqrt(x.shape[-1] if self.released else q.shape[-1])
        scores = (content + (shifted(place) if self.released else by_distance(place))) / scale
        shares = scores.masked_fill(~mask[:, None, None], -torch.inf).softmax(dim=-1)
        return self.out(torch.einsum("bhij,bjhd->bihd", shares, v).flatten(2))


def by_distance(scores: Tensor) -> Tensor:
    """(B, H, T, T) of query i and code n → of query i and key j, by n = |i − j|."""
    place = torch.arange(scores.shape[-1], device=scores.device)
    return scores.gather(-1, (place[:, None] - place).abs().expand_as(scores))


def shifted(scores: Tensor) -> Tensor:
    """The shift of Dai et al. (appendix B) of a table that is too short for it, (B, H, T, T) → the same."""
    padded = F.pad(scores, (1, 0))
    return padded.reshape(*scores.shape[:2], -1, scores.shape[2])[:, :, 1:].reshape(scores.shape)


class ConformerBlock(nn.Module):
    """Half a feed-forward, attention, convolution, half a feed-forward, LN (§2, eq. 1)."""

    def __init__(
        self,
        width: int,
        heads: int,
        kernel: int,
        factor: int = 4,
        dropout: float = 0.0,
        released: bool = False,
    ) -> None:
        super().__init__()
        self.first, self.second = (_feed_forward(width, factor, dropout) for _ in range(2))
        self.attention_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = RelativeAttention(width, heads, released)
        self.convolution = ConformerConvolution(width, kernel, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        x = x + self.first(x) / 2
        x = x + self.dropout(self.attention(self.attention_norm(x), mask))
        x = x + self.convolution(x, mask)
        return self.norm(x + self.second(x) / 2)


def _feed_forward(width: int, factor: int, dropout: float) -> nn.Sequential:
    inner = nn.Linear(width, factor * width), nn.SiLU(), nn.Dropout(dropout)
    return nn.Sequential(nn.LayerNorm(width), *inner, nn.Linear(factor * width, width), nn.Dropout(dropout))
