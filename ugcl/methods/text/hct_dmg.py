"""HCT-DMG, and its successor MODS: fusion around a primary modality that the network chooses.

Wang et al., arXiv 2305.13583 (2023), in the form for two streams x and y of a co-author's later code. Learnt
scalars w ∈ R², u ∈ R³, ŵ = softmax(w), û = softmax(u); x is primary if ŵ_x ≥ ŵ_y:

    K(x, y) = LN(FF(c) + c),  c = [LN(x + A(x; y)); LN(y + A(y; x))]     (2W, one attention A for both)
    x primary:  x' = ŵ_x x,        y' = ŵ_y K(x, y)
    y primary:  x' = ŵ_x K(y, x),  y' = ŵ_y y
    H = [û₁ x; û₂ y; û₃ SA([x'; y'])]                                    (5W) ─ mean over time ─ logits

`primary: sample` is MODS, see `methods.text.mods`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.contrast import contrast
from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.methods.text.mods import SampleFusion
from ugcl.models.attention import Attention
from ugcl.models.heads import Classifier
from ugcl.models.layers.grid import on_grid
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class PrimaryFusion(nn.Module):
    """Two streams on one grid → H, (B, T, 5W)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.roles = nn.Parameter(torch.ones(2))  # w
        self.shares = nn.Parameter(torch.ones(3))  # u
        self.cross = Attention(width, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.feed_forward = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * width, 2 * width)
        )
        self.norm = nn.LayerNorm(2 * width)
        self.attention = Attention(3 * width, heads)
        self.size = 5 * width

    def forward(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) twice with valid frames (B, T) → (B, T, 5W)."""
        read_x, read_y = self.cross(x, y, mask), self.cross(y, x, mask)
        a, b = self.roles.softmax(dim=0)
        # Both roles, though one counts: a choice by `if` would hide it from what traces or stacks networks.
        joined = torch.where(
            a >= b,
            torch.cat([a * x, b * self._joint(x + read_x, y + read_y)], dim=-1),
            torch.cat([a * self._joint(y + read_y, x + read_x), b * y], dim=-1),
        )
        u = self.shares.softmax(dim=0)
        return torch.cat([u[0] * x, u[1] * y, u[2] * self.attention(joined, joined, mask)], dim=-1)

    def _joint(self, first: Tensor, second: Tensor) -> Tensor:
        """K: the residual sums (B, T, W) of a primary and another stream → (B, T, 2W)."""
        c = torch.cat([self.norms[0](first), self.norms[1](second)], dim=-1)
        return self.norm(self.feed_forward(c) + c)


class HctDmg(EncodedMethod):
    """The shared encoders, fusion around the primary modality, a classifier."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder = run.method, run.encoder
        layer = width, _, dropout = encoder.width, encoder.heads, encoder.dropout
        timed = [m for m in self.modalities if infos[m].rate > 0]
        if own.primary == "all":
            self.clock = timed[0] if timed else self.modalities[0]  # whose frames are the grid
            self.fusion = PrimaryFusion(*layer)
            size = self.fusion.size
        else:
            pools = {m: m in timed for m in self.modalities}
            self.fusion = SampleFusion(pools, own.layers, own.weights.contrast > 0, *layer)
            size = width
        if not timed:
            freeze_scores(self.fusion)
        self.classifier = Classifier(size, width, len(run.protocol.classes), dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`.

        Returns:
            `logits` (B, C); with `primary: sample` also `weights` (B, M) of the modalities and, where the
            term has a weight, `predicted` and `pooled`, modality → (B, W).
        """
        frames, masks = self.encode(batch)
        if self.settings.primary == "sample":
            fused, others = self.fusion(frames, masks)
            return {"logits": self.classifier(fused)} | others
        mask, clock = masks[self.clock], self.encoders[self.clock]
        x, y = (
            frames[m]
            if m == self.clock
            else on_grid(frames[m], masks[m], encoder.rate, encoder.offset, mask, clock.rate, clock.offset)
            for m, encoder in self.encoders.items()
        )
        return {"logits": self.classifier(masked_mean(self.fusion(x, y, mask), mask))}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`contrast`: mean over modalities, of the clips that have them; reads no labels."""
        if "weights" in outputs:
            primary = outputs["weights"].detach().argmax(dim=1)
            for number, m in enumerate(self.modalities):
                self.record(f"primary_{m}", (primary == number).float().mean())
        if self.settings.weights.contrast == 0:
            return {}
        losses = []
        for m, pooled in outputs["pooled"].items():
            here = batch.present[m]
            u, v = (F.normalize(x[here], dim=-1) for x in (outputs["predicted"], pooled))
            scores = u @ v.T / self.settings.temperature
            losses.append(contrast(scores, scores.T))
        return {"contrast": torch.stack(losses).mean()}
