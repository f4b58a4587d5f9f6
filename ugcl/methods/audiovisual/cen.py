"""Channel exchanging network (CEN).

Wang, Sun, Huang, He and Tao, *Channel exchanging networks for multimodal and multitask dense image
prediction*, IEEE TPAMI 45 (2023), arXiv 2112.02252, §3; code yikaiw/CEN@0088d87 (MIT).

    stream m ─ [1×1 ─ BN_m ─ ReLU ─ 3 ─ BN_m ─ exchange ─ ReLU ─ 1×1 ─ BN_m ─ + ─ ReLU] × K ─ mean ─ logits_m
                (convolutions are shared by all streams)
    logits = Σ_m softmax(α)_m · logits_m
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.layers.grid import on_first_grid
from ugcl.models.layers.normalisation import MaskedBatchNorm
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


def exchange(streams: Sequence[Tensor], scales: Sequence[Tensor], threshold: float) -> list[Tensor]:
    """Channel c of stream m becomes the mean of the other streams' where |γ_{m,c}| < θ (eq. 6).

    Args:
        streams: M × (B, T, C), read before any exchange.
        scales: M × (C,), γ of each stream's batch normalisation.
        threshold: θ.

    Returns:
        M × (B, T, C).
    """
    total = torch.stack(list(streams)).sum(dim=0)
    others = [(total - x) / (len(streams) - 1) for x in streams]
    return [
        torch.where(scale.abs() < threshold, other, x)
        for x, other, scale in zip(streams, others, scales, strict=True)
    ]


class ExchangeBlock(nn.Module):
    """Residual bottleneck with shared convolutions and each stream's own batch normalisation."""

    def __init__(self, width: int, channels: int, streams: int, threshold: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(width, channels, 1, bias=False)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.conv3 = nn.Conv1d(channels, width, 1, bias=False)
        self.bn1, self.bn2, self.bn3 = (
            nn.ModuleList(MaskedBatchNorm(size) for _ in range(streams))
            for size in (channels, channels, width)
        )
        self.threshold = threshold

    def forward(self, streams: Sequence[Tensor], mask: Tensor) -> list[Tensor]:
        """M × (B, T, W) on one grid, with valid frames (B, T) → the same."""
        exchanged = exchange(self.before(streams, mask), [norm.weight for norm in self.bn2], self.threshold)
        return [
            (norm(self.conv3(h.relu().mT).mT, mask) + x).relu()
            for h, x, norm in zip(exchanged, streams, self.bn3, strict=True)
        ]

    def before(self, streams: Sequence[Tensor], mask: Tensor) -> list[Tensor]:
        """What is exchanged, M × (B, T, C)."""
        found = []
        for x, first, second in zip(streams, self.bn1, self.bn2, strict=True):
            h = first(self.conv1(x.mT).mT, mask).relu().masked_fill(~mask[..., None], 0.0)
            found.append(second(self.conv2(h.mT).mT, mask))
        return found

    def penalty(self) -> Tensor:
        """Σ|γ| over another part of the channels in each stream, a scalar (eq. 7).

        Of n channels, stream m of M has those from ⌊mn/M⌋ to ⌊(m+1)n/M⌋.
        """
        count = len(self.bn2)
        parts = [
            norm.weight[m * len(norm.weight) // count : (m + 1) * len(norm.weight) // count]
            for m, norm in enumerate(self.bn2)
        ]
        return torch.cat(parts).abs().sum()


class CEN(EncodedMethod):
    """The shared encoders, exchange blocks, a classifier per stream and their learnt mixture."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, count = run.method, run.encoder.width, len(self.modalities)
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        self.blocks = nn.ModuleList(
            ExchangeBlock(width, width // 2, count, own.threshold) for _ in range(own.blocks)
        )
        self.dropout = nn.Dropout(run.encoder.dropout)
        self.heads = nn.ModuleList(nn.Linear(width, len(run.protocol.classes)) for _ in self.modalities)
        self.alpha = nn.Parameter(torch.zeros(count))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `streams`, M × (B, C)."""
        streams, mask = on_first_grid(*self.encode(batch), self.clocks)
        for block in self.blocks:
            streams = block(streams, mask)
        logits = [
            head(self.dropout(masked_mean(x, mask))) for head, x in zip(self.heads, streams, strict=True)
        ]
        mixed = torch.einsum("m,mbc->bc", self.alpha.softmax(dim=0), torch.stack(logits))
        return {"logits": mixed, "streams": logits}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`streams`: the sum of their classification losses; `sparsity`: Σ|γ| of all blocks."""
        terms, weights = {}, self.settings.weights
        if weights.streams > 0:
            streams = dict(zip(self.modalities, outputs["streams"], strict=True))
            terms["streams"] = self.losses_of(streams, batch).sum()
        if weights.sparsity > 0:
            terms["sparsity"] = torch.stack([block.penalty() for block in self.blocks]).sum()
        scales = torch.cat([norm.weight for block in self.blocks for norm in block.bn2])
        self.record("exchanged", (scales.abs() < self.settings.threshold).float().mean())
        return terms
