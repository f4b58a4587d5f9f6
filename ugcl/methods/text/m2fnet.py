"""M2FNet: multi-modal fusion network.

Chudasama et al., CVPR Workshops 2022, arXiv 2206.02187; the fusion as its re-implementations have it:

    each modality:  x ← x + layer(x), repeated, over the turns of a dialogue
    fusion, repeated:  t ← ReLU(W ReLU[attention(query t, key o, value t), for each other o; t])
    logits of each turn from [o …; t]

Each modality of a turn is its encoder's pooled frames and a code of the turn's place. The leader t is text,
or the first modality. Since it is the value too, attention mixes the leader's turns, where the others say.
Without dialogues the sequence is that of a clip's frames, the others at the times of the leader's, and logits
are from their mean. Terms: triplets with adaptive margin, covariance and variance of the pooled vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ugcl.losses.distributions import variance_covariance
from ugcl.losses.triplet import adaptive_triplet
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, Tensors
from ugcl.models.attention import Attention, for_heads, sinusoid
from ugcl.models.dialogue.turns import Turns
from ugcl.models.heads import Classifier
from ugcl.models.layers.blocks import PostNormLayer
from ugcl.models.layers.grid import on_grid
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


TURN = 0.08
"""Seconds of the code of time that a turn stands for: its periods run from 2 to 200 turns."""


class LeaderAttention(Attention):
    """Attention whose values are the leader's own frames: queries x, keys y, values x, on one grid."""

    def forward(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W), (B, T, W) and their valid frames (B, T), or what each reads (B, T, T) → (B, T, W)."""
        q, k, v = (
            rearrange(linear(z), "b t (h d) -> b h t d", h=self.heads)
            for linear, z in ((self.query, x), (self.key, y), (self.value, x))
        )
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=for_heads(mask))
        return self.out(rearrange(read, "b h t d -> b t (h d)"))


class FusionAttention(nn.Module):
    """t ← ReLU(W ReLU[attention(t, o, t), for each other o; t])."""

    def __init__(self, others: Sequence[str], width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({m: LeaderAttention(width, heads) for m in others})
        self.out = nn.Linear((len(others) + 1) * width, width)

    def forward(self, leader: Tensor, others: Tensors, masks: Tensors) -> Tensor:
        """(B, T, W), others (B, T, W) on its grid, what is read of each, (B, T) or (B, T, T) → (B, T, W)."""
        read = [attention(leader, others[m], masks[m]) for m, attention in self.attention.items()]
        return self.out(torch.cat([*read, leader], dim=-1).relu()).relu()


class M2FNet(EncodedMethod):
    """The shared encoders, transformer stacks, fusion around the leader, a classifier of each clip."""

    own_dialogue: ClassVar[bool] = True

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder, width = run.method, run.encoder, run.encoder.width
        self.leader, self.of_turns = own.leads(self.modalities), run.input.context != "clip"
        self.others = [m for m in self.modalities if m != self.leader]
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        self.stacks = nn.ModuleDict({m: nn.ModuleList() for m in self.modalities})
        for m, stack in self.stacks.items():
            for _ in range(own.layers):
                stack.append(PostNormLayer(width, encoder.heads, 2 * width, encoder.dropout))
            if infos[m].rate == 0 and not self.of_turns:
                freeze_scores(stack)
        self.fusions = nn.ModuleList(
            FusionAttention(self.others, width, encoder.heads) for _ in range(own.fusions)
        )
        for m in self.others:
            timed = infos[m].rate > 0 and infos[self.leader].rate > 0
            if not timed and not self.of_turns:  # keys are all the same
                freeze_scores(nn.ModuleList(fusion.attention[m] for fusion in self.fusions))
        pooled = self.modalities if self.of_turns or own.weights.positive() else []
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in pooled})
        classes = len(run.protocol.classes)
        self.classifier = Classifier(len(self.modalities) * width, width, classes, encoder.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `pooled`, modality → (B, W) of the encoders' frames."""
        frames, masks = self.encode(batch)
        pooled = {m: pool(frames[m], masks[m]) for m, pool in self.pools.items()}
        fused = self._over_turns(pooled, batch) if self.of_turns else self._over_frames(frames, masks)
        return {"logits": self.classifier(fused), "pooled": pooled}

    def _over_frames(self, frames: Tensors, masks: Tensors) -> Tensor:
        """Frames (B, T_m, W) with valid ones (B, T_m) → (B, M · W)."""
        here = masks[self.leader]
        streams = {m: self._stacked(m, x, masks[m]) for m, x in frames.items()}
        for m in self.others:
            streams[m] = on_grid(streams[m], masks[m], *self.clocks[m], here, *self.clocks[self.leader])
        return masked_mean(self._fused(streams, dict.fromkeys(self.others, here)), here)

    def _over_turns(self, pooled: Tensors, batch: Batch) -> Tensor:
        """Vectors of clips (B, W) → (B, M · W)."""
        turns = Turns.of(batch, self.past)
        places = torch.arange(turns.shape[1], device=batch.turn.device)
        seen = {m: turns.seeing(batch.present[m]) for m in pooled}
        streams = {}
        for m, x in pooled.items():
            code = sinusoid(TURN * places, x.shape[-1]).to(x.dtype)
            streams[m] = self._stacked(m, turns.rows(x) + code, seen[m])
        # Keys are the other's turns, values the leader's: a turn is read where it has both.
        pairs = {m: seen[m] & seen[self.leader] for m in self.others}
        return turns.clips(self._fused(streams, pairs))

    def _stacked(self, modality: str, x: Tensor, mask: Tensor) -> Tensor:
        for layer in self.stacks[modality]:
            x = x + layer(x, mask)
        return x

    def _fused(self, streams: Tensors, masks: Tensors) -> Tensor:
        """Streams (B, T, W) on one grid, and what of each other is read → (B, T, M · W)."""
        leader, others = streams[self.leader], {m: streams[m] for m in self.others}
        for fusion in self.fusions:
            leader = fusion(leader, others, masks)
        return torch.cat([*others.values(), leader], dim=-1)

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
