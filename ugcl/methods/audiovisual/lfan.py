"""Leader-follower attention network (LFAN), the feature-based arm of a study of compound emotions.

Richet et al., *Textualized and feature-based models for compound multimodal emotion recognition in the wild*,
ECCV Workshops 2024, arXiv 2407.12927; formulae as in sbelharbi/feature-vs-text-compound-emotion@eb8eeed.

    stream m ─ causal convolutions ─ batch norm ─ x_m ─ linear_m ─ q_m, k_m, v_m
    r_m = Σ_n softmax_n(q_m·k_n / √d) v_n + v_m   at each frame and in each head, n over modalities
    f = LN(dropout(O [r_1; …; r_M])),   logits = mean over frames of W [x_leader; f]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.layers.convolution import CausalTCN
from ugcl.models.layers.grid import on_first_grid
from ugcl.models.layers.normalisation import MaskedBatchNorm
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class TemporalStreams(nn.Module):
    """A causal convolution and a batch normalisation per stream: M × (B, T, W_m) → M × (B, T, C_m)."""

    def __init__(
        self, widths: Sequence[int], channels: Sequence[Sequence[int]], kernel: int, dropout: float
    ) -> None:
        """Make the layers; `channels` are those of each stream's blocks."""
        super().__init__()
        self.convolutions = nn.ModuleList(
            CausalTCN(width, own, kernel, dropout, slope=0.01)
            for width, own in zip(widths, channels, strict=True)
        )
        self.norms = nn.ModuleList(MaskedBatchNorm(own[-1]) for own in channels)

    def forward(self, streams: Sequence[Tensor], mask: Tensor) -> list[Tensor]:
        """M × (B, T, W_m) with valid frames (B, T) → M × (B, T, C_m)."""
        layers = zip(self.convolutions, self.norms, streams, strict=True)
        return [norm(convolution(x), mask) for convolution, norm, x in layers]


class Followers(nn.Module):
    """At each frame every modality attends to all of them; O mixes the modalities."""

    def __init__(self, widths: Sequence[int], width: int, heads: int, dropout: float) -> None:
        super().__init__()
        size = width * len(widths)
        self.linears = nn.ModuleList(nn.Linear(own, 3 * width) for own in widths)
        self.out, self.dropout, self.norm = nn.Linear(size, size), nn.Dropout(dropout), nn.LayerNorm(size)
        self.heads = heads

    def forward(self, streams: Sequence[Tensor]) -> Tensor:
        """M × (B, T, W_m) → (B, T, M · width)."""
        x = torch.stack([linear(u) for linear, u in zip(self.linears, streams, strict=True)], dim=2)
        q, k, v = x.unflatten(-1, (self.heads, -1)).chunk(3, dim=-1)  # (B, T, M, H, d): thirds of a head
        scores = torch.einsum("btmhd,btnhd->bthmn", q, k) / q.shape[-1] ** 0.5
        read = torch.einsum("bthmn,btnhd->bthmd", scores.softmax(dim=-1), v) + v.transpose(2, 3)
        return self.norm(self.dropout(self.out(read.flatten(2))))  # O reads heads first, then modalities


class LeaderFollower(nn.Module):
    """Streams on one grid → logits of each frame."""

    def __init__(
        self,
        widths: Sequence[int],
        channels: Sequence[Sequence[int]],
        follower: int,
        heads: int,
        classes: int,
        kernel: int = 5,
        dropout: float = 0.0,
    ) -> None:
        """Make the network; the first stream leads, `follower` columns of each stream follow."""
        super().__init__()
        last = [own[-1] for own in channels]
        self.temporal = TemporalStreams(widths, channels, kernel, dropout)
        self.followers = Followers(last, follower, heads, dropout)
        self.classifier = nn.Linear(last[0] + follower * len(widths), classes)

    def forward(self, streams: Sequence[Tensor], mask: Tensor) -> Tensor:
        """M × (B, T, W_m) with valid frames (B, T) → (B, T, classes)."""
        streams = self.temporal(streams, mask)
        return self.classifier(torch.cat([streams[0], self.followers(streams)], dim=-1))


class LFAN(EncodedMethod):
    """The shared encoders, then the leader-follower network."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, count = run.method, run.encoder.width, len(self.modalities)
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        sizes = [width] * count, [[width] * own.blocks] * count, own.follower, own.heads
        self.network = LeaderFollower(*sizes, len(run.protocol.classes), own.kernel, run.encoder.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), the mean over frames."""
        streams, mask = on_first_grid(*self.encode(batch), self.clocks)
        return {"logits": masked_mean(self.network(streams, mask), mask)}
