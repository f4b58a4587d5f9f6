"""The encoder of one modality, the same in every system so that only fusion and losses differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.models.attention import AttentionPool, FeedForward, SelfAttentionLayer, SinglePool, sinusoid

if TYPE_CHECKING:
    from ugcl.config.system.encoder import ModalityEncoder as Settings
    from ugcl.data.shards import FeatureInfo

LARGEST = 8.0
"""Standardised features are cut at this many standard deviations, which limits the influence of outliers."""


class Standardise(nn.Module):
    """(x − mean) / std with the statistics of the fold's training clips, kept as buffers.

    Of stacked layers, each is standardised by itself and a learnt convex combination is taken (SUPERB, Yang
    et al. 2021, §3). Both are one product and one sum, because stacked features are large.
    """

    def __init__(self, dim: int, layers: int, statistics: tuple[Tensor, Tensor] | None) -> None:
        super().__init__()
        mean, std = statistics if statistics is not None else (torch.zeros(dim), torch.ones(dim))
        self.register_buffer("mean", mean.float().reshape(layers, -1).clone())
        self.register_buffer("std", std.float().reshape(layers, -1).clone())
        self.weight = nn.Parameter(torch.zeros(layers)) if layers > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, layers · D), layer-major → (B, T, D)."""
        if self.weight is None:
            # clamp_ under another name, which also works for runs in step.
            return F.hardtanh_((x - self.mean[0]).div_(self.std[0]), -LARGEST, LARGEST)
        scale = self.weight.softmax(dim=0)[:, None] / self.std  # (layers, D)
        mixed = (x.unflatten(-1, scale.shape) * scale).sum(dim=-2) - (self.mean * scale).sum(dim=0)
        return mixed.clamp(-LARGEST, LARGEST)


class TemporalConvolution(nn.Module):
    """Pre-normalised depthwise convolution over frames; padding is silent."""

    def __init__(self, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.pointwise = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        h = self.norm(x).masked_fill(~mask[..., None], 0.0)
        h = self.depthwise(h.transpose(1, 2)).transpose(1, 2)
        return x + self.dropout(self.pointwise(F.gelu(h)))


class ModalityEncoder(nn.Module):
    """Features of one modality → frames of the common width.

    Standardise → mix layers → project → code of time → convolution → self-attention. A modality with one
    vector a clip (rate 0) has no time: a perceptron takes the place of the temporal layers. A clip that
    lacks the modality is one learnt frame.
    """

    def __init__(
        self, settings: Settings, info: FeatureInfo, statistics: tuple[Tensor, Tensor] | None = None
    ) -> None:
        super().__init__()
        width, self.rate, self.offset = settings.width, info.rate, info.offset
        self.timed, self.positions = info.rate > 0, settings.positions
        self.frame_mask = settings.frame_mask
        self.standardise = Standardise(info.dim, info.layers, statistics)
        # Columns are dropped for all frames of a clip at once: neighbouring frames would reveal them.
        self.input_dropout = nn.Dropout(settings.input_dropout)
        self.project = nn.Linear(info.dim // info.layers, width)
        self.missing = nn.Parameter(0.02 * torch.randn(width))
        if self.timed:
            self.convolution = TemporalConvolution(width, settings.kernel, settings.dropout)
            self.attention = nn.ModuleList(
                SelfAttentionLayer(width, settings.heads, settings.dropout, settings.gated)
                for _ in range(settings.layers)
            )
        else:
            self.perceptron = FeedForward(width, settings.dropout, settings.gated)
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            x: (B, T, D) features.
            mask: (B, T), True = valid frame.
            present: (B,), False = the clip lacks this modality.

        Returns:
            Frames (B, T, W) and their mask (B, T); every clip has a valid frame.
        """
        first = torch.arange(x.shape[1], device=x.device) == 0
        mask = torch.where(present[:, None], mask, first)
        x = self.standardise(x)  # a new tensor: wide features are changed in place
        if self.training and self.timed and self.frame_mask:
            x = x.masked_fill_(span(mask.sum(dim=1), x.shape[1], self.frame_mask)[..., None], 0.0)
        if self.training:
            x = x.mul_(self.input_dropout(x.new_ones(len(x), 1, x.shape[-1])))
        h = self.project(x)
        h = torch.where(present[:, None, None], h, self.missing.to(h.dtype))
        if self.timed:
            if self.positions == "sinusoid":
                h = h + sinusoid(self.seconds(x), h.shape[-1]).to(h.dtype)
            h = self.convolution(self.dropout(h), mask)
            for layer in self.attention:
                h = layer(h, mask, self.clock(x))
        else:
            h = self.dropout(F.gelu(h))
            h = h + self.perceptron(h)
        return self.norm(h), mask

    def seconds(self, x: Tensor) -> Tensor:
        """Time of each frame's centre, (T,), so that modalities of different rates share one clock."""
        frames = torch.arange(x.shape[1], device=x.device)
        return self.offset + frames / self.rate if self.timed else frames * 0.0

    def clock(self, x: Tensor) -> Tensor | None:
        """The same where positions are rotary, None where attention needs no times."""
        return self.seconds(x) if self.positions == "rotary" else None

    def pool(self, width: int) -> nn.Module:
        """A new pooling over this encoder's frames."""
        return AttentionPool(width) if self.timed else SinglePool()


def span(lengths: Tensor, frames: int, share: float) -> Tensor:
    """One random run of frames per clip, as SpecAugment masks time (Park et al. 2019, §2).

    Args:
        lengths: (B,) valid frames of each clip.
        frames: padded length T.
        share: longest run as a share of the clip.

    Returns:
        (B, T), True = masked.
    """
    draws = torch.rand(2, len(lengths), device=lengths.device)
    size = (draws[0] * share * lengths).floor()
    start = (draws[1] * (lengths - size + 1)).floor()
    place = torch.arange(frames, device=lengths.device)
    return (place >= start[:, None]) & (place < (start + size)[:, None])
