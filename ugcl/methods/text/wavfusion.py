"""WavFusion: gated cross-attention of a leading modality on the others.

Li, Luo and Xia, MultiMedia Modeling 2025, arXiv 2412.05558. Speech leads, text and video are read:

    leader x ───────────────┬─ cross-attention on o₁ = F₁ ─┐
    other o_i ─ GRU ─ self- │  cross-attention on o₂ = F₂ ─┴─ gate: P ⊙ F₁ + (1 − P) ⊙ F₂ ─ pool ─ logits
              attention     │                                  P = σ(W[F₁; F₂])
              (─ centres: video)

With one other modality, F₁ is the leader's self-attention. The margin loss takes triplets whose positive is a
clip of the same emotion in another modality, and whose negative is one of another emotion in the same.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.losses.triplet import cosine_triplet
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, both
from ugcl.models.attention import CrossAttentionLayer, SelfAttentionLayer
from ugcl.models.heads import Classifier
from ugcl.models.layers.gates import ConvexGate
from ugcl.models.layers.recurrent import GRU
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class LearntCentres(nn.Module):
    """Frames gated by how they lie around K learnt centres (LVC).

    r_tk = x_t − c_k,  a_tk = softmax_k(−s_k ‖r_tk‖²),  e = mean_t Σ_k a_tk r_tk,  x_t ← x_t + x_t ⊙ σ(W e).
    """

    def __init__(self, width: int, centres: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(centres, width) / width**0.5)
        self.scales = nn.Parameter(torch.full((centres,), 1 / width))
        self.gate = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        residuals = x[:, :, None] - self.centres  # (B, T, K, W)
        shares = (-self.scales * residuals.square().sum(dim=-1)).softmax(dim=-1)
        here = mask / mask.sum(dim=1, keepdim=True)  # weights of a mean over valid frames
        encoded = torch.einsum("bt,btk,btkw->bw", here.to(x.dtype), shares, residuals)
        return x + x * self.gate(encoded).sigmoid()[:, None]


class Follower(nn.Module):
    """A modality that is read: GRU, self-attention; of video, learnt centres too (A-GRU-LVC)."""

    def __init__(self, width: int, heads: int, dropout: float, centres: int, timed: bool) -> None:
        """Make the layers: no GRU and attention for a modality without time, no centres if `centres` is 0."""
        super().__init__()
        self.recurrent = GRU(width, width) if timed else None
        self.attention = SelfAttentionLayer(width, heads, dropout) if timed else None
        self.centres = LearntCentres(width, centres) if centres else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        if self.recurrent is not None:
            x = self.attention(self.recurrent(x, mask), mask)
        return x if self.centres is None else self.centres(x, mask)


class WavFusion(EncodedMethod):
    """The shared encoders, followers, gated cross-attention of the leader, a classifier."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder = run.method, run.encoder
        layer = width, _, dropout = encoder.width, encoder.heads, encoder.dropout
        self.leader = own.leads(self.modalities)
        self.others = [m for m in self.modalities if m != self.leader]
        timed = {m: infos[m].rate > 0 for m in self.modalities}
        centres = {m: own.centres if m == "video" else 0 for m in self.others}
        self.followers = nn.ModuleDict({m: Follower(*layer, centres[m], timed[m]) for m in self.others})
        self.readers = nn.ModuleDict({m: CrossAttentionLayer(*layer) for m in self.others})
        self.attention = SelfAttentionLayer(*layer) if len(self.others) == 1 else None
        for reader in (self.readers[m] for m in self.others if not timed[m]):
            freeze_scores(reader)
        if self.attention is not None and not timed[self.leader]:
            freeze_scores(self.attention)
            self.attention.norm.requires_grad_(True)  # of the values too
        self.gate = ConvexGate(width)
        self.pool = self.encoders[self.leader].pool(width)
        self.classifier = Classifier(width, width, len(run.protocol.classes), dropout)
        self.pools = None
        if own.weights.margin > 0:
            self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in self.modalities})

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `pooled`, modality → (B, W) before cross-attention."""
        frames, masks = self.encode(batch)
        for m, follower in self.followers.items():
            frames[m] = follower(frames[m], masks[m])
        x, mask = frames[self.leader], masks[self.leader]
        read = [self.readers[m](x, frames[m], masks[m]) for m in self.others]  # (B, T, W) each
        if self.attention is not None:
            read = [self.attention(x, mask), *read]
        logits = self.classifier(self.pool(self.gate(*read), mask))
        pools = self.pools or {}
        return {"logits": logits, "pooled": {m: pools[m](frames[m], masks[m]) for m in pools}}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`margin`, the mean over pairs of modalities of the triplets of clips that have both."""
        if self.pools is None:
            return {}
        losses = []
        for a, b in itertools.combinations(self.modalities, 2):
            here = both(batch.present, a, b)
            pooled = outputs["pooled"]
            losses.append(
                cosine_triplet(pooled[a][here], pooled[b][here], batch.labels[here], self.settings.margin)
            )
        return {"margin": torch.stack(losses).mean()}
