"""Channel attention network (CAN), a baseline of a study of compound emotions.

Richet et al., *Textualized and feature-based models for compound multimodal emotion recognition in the wild*,
ECCV Workshops 2024, arXiv 2407.12927; formulae as in nicolas-richet/feature-vs-text-compound-emotion.

    stream m ─ causal convolutions ─ batch norm ─ linear ─ batch norm ─ LeakyReLU ─ h_m
    h = [h_1; …; h_M],   logits = mean over frames of W (D · softmax(A h) ⊙ h), D columns
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.audiovisual.lfan import TemporalStreams
from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.layers.grid import on_first_grid
from ugcl.models.layers.normalisation import MaskedBatchNorm
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class ChannelAttention(nn.Module):
    """Columns of all streams, weighed by a softmax over the whole of them, not over streams."""

    def __init__(self, widths: Sequence[int], columns: int) -> None:
        super().__init__()
        self.linears = nn.ModuleList(nn.Linear(width, columns) for width in widths)
        self.norms = nn.ModuleList(MaskedBatchNorm(columns) for _ in widths)
        self.size = columns * len(widths)
        self.attention = nn.Linear(self.size, self.size)

    def forward(self, streams: Sequence[Tensor], mask: Tensor) -> Tensor:
        """M × (B, T, W_m) with valid frames (B, T) → (B, T, M · columns)."""
        layers = zip(self.linears, self.norms, streams, strict=True)
        h = torch.cat([F.leaky_relu(norm(linear(x), mask)) for linear, norm, x in layers], dim=-1)
        return self.size * self.attention(h).softmax(dim=-1) * h  # shares have the mean 1


class CAN(EncodedMethod):
    """The shared encoders, causal convolutions, attention over columns."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, widths = run.method, [run.encoder.width] * len(self.modalities)
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        self.temporal = TemporalStreams(widths, own.blocks, own.kernel, run.encoder.dropout)
        self.attention = ChannelAttention(widths, own.columns)
        self.classifier = nn.Linear(self.attention.size, len(run.protocol.classes))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), the mean over frames."""
        streams, mask = on_first_grid(*self.encode(batch), self.clocks)
        fused = self.attention(self.temporal(streams, mask), mask)
        return {"logits": masked_mean(self.classifier(fused), mask)}
