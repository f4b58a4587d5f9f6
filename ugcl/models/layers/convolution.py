"""Convolutions over frames: a causal stack, the one of the conformer, and a pyramid of kernels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ugcl.models.layers.normalisation import MaskedBatchNorm
from ugcl.models.layers.pooling import masked_mean


class CausalBlock(nn.Module):
    """φ(h + x), where h is x after two weight-normed convolutions, each with φ and dropout."""

    def __init__(
        self, width: int, channels: int, kernel: int, dilation: int, dropout: float, slope: float
    ) -> None:
        super().__init__()
        self.conv1 = weight_norm(nn.Conv1d(width, channels, kernel, dilation=dilation))
        self.conv2 = weight_norm(nn.Conv1d(channels, channels, kernel, dilation=dilation))
        self.downsample = nn.Conv1d(width, channels, 1) if width != channels else None
        self.before, self.slope, self.dropout = (kernel - 1) * dilation, slope, nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) → (B, channels, T)."""
        h = x
        for convolution in (self.conv1, self.conv2):
            h = self.dropout(F.leaky_relu(convolution(F.pad(h, (self.before, 0))), self.slope))
        return F.leaky_relu(h + (x if self.downsample is None else self.downsample(x)), self.slope)


class CausalTCN(nn.Module):
    """Temporal convolutional network (Bai, Kolter and Koltun 2018, §3): dilation 2^i in block i.

    Frame t reads no later frame, so that padding, which comes last, reaches no valid frame.
    """

    def __init__(
        self, width: int, channels: Sequence[int], kernel: int, dropout: float = 0.0, slope: float = 0.0
    ) -> None:
        """Make the network.

        Args:
            width: columns of the frames.
            channels: of each block.
            kernel: frames that a convolution spans.
            slope: of the LeakyReLU for negative values, 0 = ReLU.
        """
        super().__init__()
        self.network = nn.ModuleList(
            CausalBlock(a, b, kernel, 2**i, dropout, slope)
            for i, (a, b) in enumerate(itertools.pairwise([width, *channels]))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) → (B, T, channels[-1])."""
        x = x.transpose(1, 2)
        for block in self.network:
            x = block(x)
        return x.transpose(1, 2)


class ConformerConvolution(nn.Module):
    """Convolution module of the conformer (Gulati et al. 2020, §2.2), without the residual.

    LN, pointwise to 2W, GLU, depthwise, batch norm, swish, pointwise, dropout.
    """

    def __init__(self, width: int, kernel: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.expand, self.contract = nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.batch_norm = MaskedBatchNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        h = F.glu(self.expand(self.norm(x)), dim=-1).masked_fill(~mask[..., None], 0.0)
        h = self.depthwise(h.transpose(1, 2)).transpose(1, 2)
        return self.dropout(self.contract(F.silu(self.batch_norm(h, mask))))


class PyramidConvolution(nn.Module):
    """Pyramid squeeze attention (Zhang et al. 2021, EPSANet, §3) over frames.

    Columns are cut into four groups; each has its own kernel (3, 5, 7, 9) and a squeeze-and-excitation weight
    per column, and a softmax over the groups makes these shares.
    """

    KERNELS = (3, 5, 7, 9)

    def __init__(self, width: int) -> None:
        """Make the layer; the width is a multiple of four."""
        super().__init__()
        own = width // len(self.KERNELS)
        self.convolutions = nn.ModuleList(nn.Conv1d(own, own, k, padding=k // 2) for k in self.KERNELS)
        self.excitations = nn.ModuleList(
            nn.Sequential(nn.Linear(own, own), nn.GELU(), nn.Linear(own, own), nn.Sigmoid())
            for _ in self.KERNELS
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        groups = x.masked_fill(~mask[..., None], 0.0).chunk(len(self.KERNELS), dim=-1)
        scales = [
            c(g.transpose(1, 2)).transpose(1, 2) for c, g in zip(self.convolutions, groups, strict=True)
        ]
        excited = [e(masked_mean(s, mask)) for e, s in zip(self.excitations, scales, strict=True)]
        shares = torch.stack(excited, dim=1).softmax(dim=1)  # (B, 4, W / 4)
        return torch.cat([s * shares[:, i, None] for i, s in enumerate(scales)], dim=-1)
