"""Channel attention network (CAN), beside LFAN in the feature-based arm of a study of compound emotions.

Richet et al., *Textualized and feature-based models for compound multimodal emotion recognition in the wild*,
ECCV Workshops 2024, arXiv 2407.12927; formulae as in sbelharbi/feature-vs-text-compound-emotion@eb8eeed.

    stream m ─ causal convolutions ─ batch norm ─ linear_m ─ h_m,   h = [h_1; …; h_M]
    logits = mean over frames of W₂ LeakyReLU(BN(W₁ (softmax(A h) ⊙ h)))
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
        size = columns * len(widths)
        self.linears = nn.ModuleList(nn.Linear(width, columns) for width in widths)
        self.attention = nn.Linear(size, size)

    def forward(self, streams: Sequence[Tensor]) -> Tensor:
        """M × (B, T, W_m) → (B, T, M · columns)."""
        h = torch.cat([linear(x) for linear, x in zip(self.linears, streams, strict=True)], dim=-1)
        return self.attention(h).softmax(dim=-1) * h


class ChannelNetwork(nn.Module):
    """Streams on one grid → logits of each frame."""

    def __init__(
        self,
        widths: Sequence[int],
        channels: Sequence[Sequence[int]],
        columns: int,
        classes: int,
        kernel: int = 5,
        dropout: float = 0.0,
    ) -> None:
        """Make the network; `channels` are those of each stream's causal blocks."""
        super().__init__()
        size = columns * len(widths)
        self.temporal = TemporalStreams(widths, channels, kernel, dropout)
        self.attention = ChannelAttention([own[-1] for own in channels], columns)
        self.linear = nn.Linear(size, size, bias=False)  # batch norm would cancel a bias
        self.norm, self.classifier = MaskedBatchNorm(size), nn.Linear(size, classes)

    def forward(self, streams: Sequence[Tensor], mask: Tensor) -> Tensor:
        """M × (B, T, W_m) with valid frames (B, T) → (B, T, classes)."""
        h = self.linear(self.attention(self.temporal(streams, mask)))
        return self.classifier(F.leaky_relu(self.norm(h, mask)))


class CAN(EncodedMethod):
    """The shared encoders, then the channel attention network."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, count = run.method, run.encoder.width, len(self.modalities)
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        sizes = [width] * count, [[width] * own.blocks] * count, own.columns
        self.network = ChannelNetwork(*sizes, len(run.protocol.classes), own.kernel, run.encoder.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), the mean over frames."""
        streams, mask = on_first_grid(*self.encode(batch), self.clocks)
        return {"logits": masked_mean(self.network(streams, mask), mask)}
