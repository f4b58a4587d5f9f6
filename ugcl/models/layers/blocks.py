"""Transformer layers that published systems have beside those of `models.attention`."""

from __future__ import annotations

from torch import Tensor, nn

from ugcl.models.attention import Attention, FeedForward, SelfAttentionLayer


class SelfBlock(SelfAttentionLayer):
    """Pre-normalised transformer layer whose perceptron has `factor` · W hidden units."""

    def __init__(self, width: int, heads: int, factor: int = 2, dropout: float = 0.0) -> None:
        super().__init__(width, heads, dropout)
        self.feed_forward = FeedForward(width, dropout, factor=factor)


class SelfRead(nn.Module):
    """Pre-normalised self-attention with a residual: x + attention(LN x; LN x)."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        normed = self.norm(x)
        return x + self.dropout(self.attention(normed, normed, mask))


class CrossRead(nn.Module):
    """Pre-normalised attention with a residual: x + attention(LN x; LN y)."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0, context: int | None = None) -> None:
        """Make the layer; y has width `context`, by default that of x."""
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.norm_other = nn.LayerNorm(width if context is None else context)
        self.attention = Attention(width, heads, context)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) reads `other` (B, S, C) where `mask` (B, S) is True → (B, T, W)."""
        return x + self.dropout(self.attention(self.norm(x), self.norm_other(other), mask))


class CrossSelfBlock(nn.Module):
    """Read another stream, then oneself: x ← x + CA(x; y), x ← x + SA(x), x ← x + FF(x), pre-normalised.

    Sun et al. 2024, HiCMAE, arXiv 2401.05698, §3.
    """

    def __init__(
        self, width: int, heads: int, factor: int = 2, dropout: float = 0.0, context: int | None = None
    ) -> None:
        """Make the block; the other stream has width `context`, by default the same."""
        super().__init__()
        self.read = CrossRead(width, heads, dropout, context)
        self.block = SelfBlock(width, heads, factor, dropout)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor, other_mask: Tensor) -> Tensor:
        """(B, T, W), valid in `mask` (B, T), reads (B, S, C), valid in `other_mask` (B, S) → (B, T, W)."""
        return self.block(self.read(x, other, other_mask), mask)


class PostNormLayer(nn.Module):
    """The original transformer layer: x ← LN(x + SA(x)), x ← LN(x + W₂ ReLU(W₁ x)) (Vaswani et al. 2017, §3).

    Attention here has no bias of the keys, which softmax cancels.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )
        self.norm_after = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T), or those that each reads (B, T, T) → (B, T, W)."""
        x = self.norm(x + self.dropout(self.attention(x, x, mask)))
        return self.norm_after(x + self.dropout(self.feed_forward(x)))
