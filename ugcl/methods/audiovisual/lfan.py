"""Leader-follower attention network (LFAN), the feature-based arm of a study of compound emotions.

Richet et al., *Textualized and feature-based models for compound multimodal emotion recognition in the wild*,
ECCV Workshops 2024, arXiv 2407.12927; formulae as in nicolas-richet/feature-vs-text-compound-emotion.

    stream m ─ causal convolutions ─ batch norm ─ x_m ─ linear ─ u_m ─ attention over modalities ─ f_m
    logits = mean over frames of W [x_leader; f_1; …; f_M]
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
    """A causal convolution and a batch normalisation per stream: M × (B, T, W) → the same."""

    def __init__(self, widths: Sequence[int], blocks: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            CausalTCN(width, [width] * blocks, kernel, dropout, slope=0.01) for width in widths
        )
        self.norms = nn.ModuleList(MaskedBatchNorm(width) for width in widths)

    def forward(self, streams: Sequence[Tensor], mask: Tensor) -> list[Tensor]:
        """M × (B, T, W_m) with valid frames (B, T) → the same."""
        layers = zip(self.convolutions, self.norms, streams, strict=True)
        return [norm(convolution(x), mask) for convolution, norm, x in layers]


class Followers(nn.Module):
    """At each frame every modality attends to all of them: f = LN(dropout(O·attention(q, k, v) + v))."""

    def __init__(self, widths: Sequence[int], width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.narrow = nn.ModuleList(nn.Linear(own, width) for own in widths)
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)  # softmax would cancel a bias
        self.heads, self.dropout, self.norm = heads, nn.Dropout(dropout), nn.LayerNorm(width)

    def forward(self, streams: Sequence[Tensor]) -> Tensor:
        """M × (B, T, W_m) → (B, T, M · width)."""
        x = torch.stack([linear(u) for linear, u in zip(self.narrow, streams, strict=True)], dim=2)
        q, k, v = (linear(x).unflatten(-1, (self.heads, -1)) for linear in (self.query, self.key, self.value))
        scores = torch.einsum("btmhd,btnhd->bthmn", q, k) / q.shape[-1] ** 0.5
        read = torch.einsum("bthmn,btnhd->btmhd", scores.softmax(dim=-1), v).flatten(-2)
        return self.norm(self.dropout(self.out(read) + v.flatten(-2))).flatten(2)


class LFAN(EncodedMethod):
    """The shared encoders, causal convolutions, followers of all modalities beside the leader."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, dropout, widths = run.method, run.encoder.dropout, [run.encoder.width] * len(self.modalities)
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        self.temporal = TemporalStreams(widths, own.blocks, own.kernel, dropout)
        self.followers = Followers(widths, own.follower, own.heads, dropout)
        size = widths[0] + own.follower * len(widths)
        self.classifier = nn.Linear(size, len(run.protocol.classes))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), the mean over frames."""
        streams, mask = on_first_grid(*self.encode(batch), self.clocks)
        streams = self.temporal(streams, mask)
        frames = self.classifier(torch.cat([streams[0], self.followers(streams)], dim=-1))
        return {"logits": masked_mean(frames, mask)}
