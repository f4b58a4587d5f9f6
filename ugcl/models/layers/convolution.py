"""Convolutions over the frames of padded sequences, (B, T, W) → (B, T, ·); valid frames come first."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ugcl.models.layers.normalisation import MaskedBatchNorm
from ugcl.models.layers.pooling import masked_mean


class CausalBlock(nn.Module):
    """Two causal convolutions with a residual: y = φ(φ(conv(φ(conv(x)))) + x), φ = LeakyReLU.

    A convolution of dilation d and kernel k reads frames t, t − d, …, t − (k − 1) d. Its weight is
    g · v / ‖v‖ for each output channel (Salimans and Kingma 2016, eq. 2). The residual is a convolution of
    kernel 1 where the channels differ.
    """

    def __init__(
        self, width: int, channels: int, kernel: int, dilation: int, dropout: float, slope: float
    ) -> None:
        super().__init__()
        self.left, self.slope = (kernel - 1) * dilation, slope
        self.conv1 = weight_norm(nn.Conv1d(width, channels, kernel, dilation=dilation))
        self.conv2 = weight_norm(nn.Conv1d(channels, channels, kernel, dilation=dilation))
        self.downsample = nn.Conv1d(width, channels, 1) if width != channels else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, W, T) → (B, channels, T)."""
        h = x
        for convolution in (self.conv1, self.conv2):
            h = self.dropout(F.leaky_relu(convolution(F.pad(h, (self.left, 0))), self.slope))
        return F.leaky_relu(h + self.downsample(x), self.slope)


class CausalTCN(nn.Module):
    """Temporal convolutional network, dilations 1, 2, 4, … (Bai et al. 2018, arXiv 1803.01271, §3).

    A frame sees itself and the past alone; so the padding at the end changes no valid frame.
    """

    def __init__(
        self,
        width: int,
        channels: Sequence[int],
        kernel: int = 5,
        dropout: float = 0.0,
        slope: float = 0.0,
    ) -> None:
        """Make the network.

        Args:
            width: of the input frames.
            channels: of each block.
            kernel: frames that a convolution reads.
            dropout: after each convolution.
            slope: of the LeakyReLU below zero; 0 = ReLU.
        """
        super().__init__()
        widths = [width, *channels]
        self.network = nn.ModuleList(
            CausalBlock(before, after, kernel, 2**i, dropout, slope)
            for i, (before, after) in enumerate(zip(widths, channels, strict=False))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, W) → (B, T, channels of the last block)."""
        h = x.transpose(1, 2)
        for block in self.network:
            h = block(h)
        return h.transpose(1, 2)


class ConformerConvolution(nn.Module):
    """Convolution module of the Conformer, without its residual (Gulati et al. 2020, §2.2).

    LN → pointwise W → 2W → GLU → depthwise → batch norm → Swish → pointwise W → W → dropout.
    """

    def __init__(self, width: int, kernel: int = 31, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.batch_norm = MaskedBatchNorm(width)
        self.contract = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        h = F.glu(self.expand(self.norm(x)), dim=-1).masked_fill(~mask[..., None], 0.0)
        h = self.depthwise(h.transpose(1, 2)).transpose(1, 2)
        return self.dropout(self.contract(F.silu(self.batch_norm(h, mask))))


class PyramidConvolution(nn.Module):
    """Pyramid squeeze attention over time (Zhang et al. 2021, EPSANet, arXiv 2105.14447, eq. 2–9, in 1-D).

    x is cut into S groups of W/S columns. Group s is convolved with kernel k_s: F_s (B, T, W/S). Then
    Z_s = σ(W₂ ReLU(W₁ mean_t F_s)), shared by the groups; A = softmax over s of Z; y = [A_s ⊙ F_s].
    """

    def __init__(self, width: int, kernels: Sequence[int] = (3, 5, 7, 9), reduction: int = 4) -> None:
        super().__init__()
        part = width // len(kernels)
        self.convolutions = nn.ModuleList(nn.Conv1d(part, part, k, padding=k // 2) for k in kernels)
        hidden = max(1, part // reduction)
        self.squeeze = nn.Sequential(
            nn.Linear(part, hidden), nn.ReLU(), nn.Linear(hidden, part), nn.Sigmoid()
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W); W is a multiple of the number of kernels."""
        parts = x.masked_fill(~mask[..., None], 0.0).transpose(1, 2).chunk(len(self.convolutions), dim=1)
        groups = [conv(part).transpose(1, 2) for conv, part in zip(self.convolutions, parts, strict=True)]
        weights = torch.stack([self.squeeze(masked_mean(h, mask)) for h in groups]).softmax(
            dim=0
        )  # (S, B, W/S)
        return torch.cat([w[:, None] * h for w, h in zip(weights, groups, strict=True)], dim=-1)  # w (B, W/S)
