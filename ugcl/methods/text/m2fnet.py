"""M2FNet: multi-modal fusion network.

Chudasama et al., CVPR Workshops 2022, arXiv 2206.02187; the fusion as its re-implementations have it:

    each modality:  x ← x + layer(x), repeated;  others at the times of the leader's frames
    fusion, repeated:  t ← ReLU(W ReLU[attention(query t, key o, value t), for each other o; t])
    logits from the mean over frames of [o …; t]

The leader t is the first modality. Since it is the value too, attention mixes the leader's own frames, where
the others say. Terms: triplets with adaptive margin, covariance and variance of the encoders' pooled vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ugcl.losses.distributions import variance_covariance
from ugcl.losses.triplet import adaptive_triplet
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, Tensors
from ugcl.models.attention import Attention
from ugcl.models.heads import Classifier
from ugcl.models.layers.blocks import PostNormLayer
from ugcl.models.layers.grid import on_grid
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class LeaderAttention(Attention):
    """Attention whose values are the leader's own frames: queries x, keys y, values x, on one grid."""

    def forward(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W), (B, T, W) and their valid frames (B, T) → (B, T, W)."""
        q, k, v = (
            rearrange(linear(z), "b t (h d) -> b h t d", h=self.heads)
            for linear, z in ((self.query, x), (self.key, y), (self.value, x))
        )
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        return self.out(rearrange(read, "b h t d -> b t (h d)"))


class FusionAttention(nn.Module):
    """t ← ReLU(W ReLU[attention(t, o, t), for each other o; t])."""

    def __init__(self, others: Sequence[str], width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({m: LeaderAttention(width, heads) for m in others})
        self.out = nn.Linear((len(others) + 1) * width, width)

    def forward(self, leader: Tensor, others: Tensors, mask: Tensor) -> Tensor:
        """(B, T, W), others (B, T, W) on its grid and its valid frames (B, T) → (B, T, W)."""
        read = [attention(leader, others[m], mask) for m, attention in self.attention.items()]
        return self.out(torch.cat([*read, leader], dim=-1).relu()).relu()


class M2FNet(EncodedMethod):
    """The shared encoders, transformer stacks, fusion on the leader's grid, a classifier of the mean."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder, width = run.method, run.encoder, run.encoder.width
        self.leader, *others = self.modalities
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        self.stacks = nn.ModuleDict({m: nn.ModuleList() for m in self.modalities})
        for m, stack in self.stacks.items():
            for _ in range(own.layers):
                stack.append(PostNormLayer(width, encoder.heads, 2 * width, encoder.dropout))
            if infos[m].rate == 0:
                freeze_scores(stack)
        self.fusions = nn.ModuleList(
            FusionAttention(others, width, encoder.heads) for _ in range(own.fusions)
        )
        for m in others:
            if infos[m].rate == 0 or infos[self.leader].rate == 0:  # keys are all the same
                freeze_scores(nn.ModuleList(fusion.attention[m] for fusion in self.fusions))
        pooled = self.modalities if own.weights.positive() else []  # for the terms alone
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in pooled})
        classes = len(run.protocol.classes)
        self.classifier = Classifier(len(self.modalities) * width, width, classes, encoder.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `pooled`, modality → (B, W) of the encoders' frames."""
        frames, masks = self.encode(batch)
        pooled = {m: pool(frames[m], masks[m]) for m, pool in self.pools.items()}
        streams, here = {}, masks[self.leader]
        for m, x in frames.items():
            for layer in self.stacks[m]:
                x = x + layer(x, masks[m])
            streams[m] = x
            if m != self.leader:
                streams[m] = on_grid(x, masks[m], *self.clocks[m], here, *self.clocks[self.leader])
        leader = streams.pop(self.leader)
        for fusion in self.fusions:
            leader = fusion(leader, streams, here)
        fused = masked_mean(torch.cat([*streams.values(), leader], dim=-1), here)
        return {"logits": self.classifier(fused), "pooled": pooled}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`triplet`, `covariance` and `variance`: means over modalities, of the clips that have each."""
        found: dict[str, list[Tensor]] = {name: [] for name in self.settings.weights.positive()}
        for m, x in outputs["pooled"].items():
            x, labels = x[batch.present[m]], batch.labels[batch.present[m]]
            variance, covariance = variance_covariance(x)
            values = {"triplet": adaptive_triplet(x, labels), "covariance": covariance, "variance": variance}
            for name, losses in found.items():
                losses.append(values[name])
        return {name: torch.stack(losses).mean() for name, losses in found.items()}
