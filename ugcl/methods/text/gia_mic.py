"""GIA-MIC: gated interactive attention and modality-invariant learning constraints.

He, Mi and Toda, Interspeech 2025, arXiv 2506.00865. A reconstruction from the abstract: for each ordered
pair of modalities (a, b)

    c = attention(x_a; x_b),  g = σ(W[x_a; c]),  x_ab = g ⊙ x_a + (1 − g) ⊙ c,  x_a' = mean_b x_ab,

p_a = pool(x_a'); a generator G, shared by all modalities; logits from [p_a; p_b; …; Σ_m G(p_m)]. The
constraint, 1 − cos(G(p_a), G(p_b)), attracts alone: nothing in it stops the vectors from becoming one.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics, Tensors, both
from ugcl.models.attention import Attention
from ugcl.models.heads import Classifier
from ugcl.models.layers.gates import ConvexGate
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class GatedInteraction(nn.Module):
    """A stream, mixed by a gate with what it reads in another: g ⊙ x + (1 − g) ⊙ attention(x; y)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.gate = ConvexGate(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
        """(B, T, W) reads (B, S, W), where `other_mask` (B, S) is True → (B, T, W)."""
        return self.gate(x, self.dropout(self.attention(x, other, other_mask)))


class InteractiveFusion(nn.Module):
    """All ordered pairs of streams: the mean over the others of a stream's gated interactions."""

    def __init__(self, names: list[str], width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.pairs = list(itertools.permutations(names, 2))
        self.interactions = nn.ModuleDict(
            {"_".join(pair): GatedInteraction(width, heads, dropout) for pair in self.pairs}
        )

    def forward(self, streams: Tensors, masks: Tensors) -> Tensors:
        """Streams (B, T_m, W) and their masks (B, T_m) → (B, T_m, W) by modality."""
        found: dict[str, list[Tensor]] = {m: [] for m in streams}
        for a, b in self.pairs:
            found[a].append(self.interactions[f"{a}_{b}"](streams[a], streams[b], masks[b]))
        return {m: torch.stack(mixed).mean(dim=0) for m, mixed in found.items()}


def dissimilarity(u: Tensor, v: Tensor) -> Tensor:
    """mean_i (1 − cos(u_i, v_i)) of (N, d) and (N, d); 0 for no clips."""
    return (1 - F.cosine_similarity(u, v, dim=-1)).sum() / max(1, len(u))


class GiaMic(EncodedMethod):
    """The shared encoders, interactions, the generator of shared vectors, a classifier on both."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        encoder, width = run.encoder, run.encoder.width
        self.fusion = InteractiveFusion(self.modalities, width, encoder.heads, encoder.dropout)
        for a, b in self.fusion.pairs:
            if infos[b].rate == 0:
                freeze_scores(self.fusion.interactions[f"{a}_{b}"])
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in self.modalities})
        self.generator = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        size = (len(self.modalities) + 1) * width
        self.classifier = Classifier(size, width, len(run.protocol.classes), encoder.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `shared`, modality → (B, W)."""
        frames, masks = self.encode(batch)
        fused = self.fusion(frames, masks)
        pooled = {m: self.pools[m](x, masks[m]) for m, x in fused.items()}
        shared = {m: self.generator(x) for m, x in pooled.items()}
        read = [*pooled.values(), torch.stack(list(shared.values())).sum(dim=0)]
        return {"logits": self.classifier(torch.cat(read, dim=-1)), "shared": shared}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`invariance`: mean over pairs of modalities, of the clips that have both; reads no labels."""
        if self.settings.weights.invariance == 0:
            return {}
        losses = []
        for a, b in itertools.combinations(self.modalities, 2):
            here = both(batch.present, a, b)
            losses.append(dissimilarity(*(outputs["shared"][m][here] for m in (a, b))))
        return {"invariance": torch.stack(losses).mean()}
