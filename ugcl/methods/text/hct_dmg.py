"""HCT-DMG, and its successor MODS: fusion around a primary modality that the network chooses.

Wang et al., arXiv 2305.13583 (2023). Two streams are fused as in a co-author's later code. M streams x_m have
learnt scalars w ∈ R^M, u ∈ R^(M+1), ŵ = softmax(w), û = softmax(u). The stream of the largest ŵ, on a tie the
first, is primary, x; the others are auxiliary, o:

    o' = LN(o + A₁(o; x)), one A₁ for all; o' = o if M = 2         auxiliaries read the primary stream
    y  = Σ_o ŵ_o o' / Σ_o ŵ_o                                      they are fused
    K  = LN(FF(c) + c),  c = [LN(x + A(x; y)); LN(y + A(y; x))]    it reads them, and they it; 2W, one A
    H  = [û_1 x_1; …; û_M x_M; û_(M+1) SA([ŵ_x x; (Σ_o ŵ_o) K])]   (M + 3)W ─ mean over time ─ logits

As in that code, K comes before x where the primary stream is not the first. `primary: sample` is MODS, see
`methods.text.mods`.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """M streams on one grid → H, (B, T, (M + 3)W)."""

    def __init__(self, streams: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.roles = nn.Parameter(torch.ones(streams))  # w
        self.shares = nn.Parameter(torch.ones(streams + 1))  # u
        self.cross = Attention(width, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.feed_forward = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * width, 2 * width)
        )
        self.norm = nn.LayerNorm(2 * width)
        self.attention = Attention(3 * width, heads)
        self.size = (streams + 3) * width
        self.first = Attention(width, heads) if streams > 2 else None
        self.norm_first = nn.LayerNorm(width) if streams > 2 else None

    def forward(self, streams: Sequence[Tensor], mask: Tensor) -> Tensor:
        """M streams (B, T, W) with valid frames (B, T) → (B, T, (M + 3)W)."""
        # The primary stream, then the others as they come. They are gathered: a choice by `if` would hide it
        # from what traces or stacks networks.
        number = torch.arange(len(streams), device=mask.device)
        primary = self.roles.argmax(dim=0, keepdim=True)
        order = torch.where(number == primary, -1, number).argsort()
        x, *others = torch.stack(list(streams))[order].unbind()
        roles = self.roles.softmax(dim=0)[order]
        if self.first is not None:
            others = [self.norm_first(o + self.first(o, x, mask)) for o in others]
        mixture = self.roles[order][1:].softmax(dim=0)  # ŵ of the auxiliaries alone, which sums to 1
        y = torch.stack([share * o for share, o in zip(mixture, others, strict=True)]).sum(dim=0)
        own, joint = roles[0] * x, roles[1:].sum() * self._joint(x, y, mask)
        joined = torch.where(primary == 0, torch.cat([own, joint], dim=-1), torch.cat([joint, own], dim=-1))
        *u, last = self.shares.softmax(dim=0)
        parts = [share * stream for share, stream in zip(u, streams, strict=True)]
        return torch.cat([*parts, last * self.attention(joined, joined, mask)], dim=-1)

    def _joint(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """K: the primary stream and the others (B, T, W) → (B, T, 2W)."""
        first, second = x + self.cross(x, y, mask), y + self.cross(y, x, mask)
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
            self.fusion = PrimaryFusion(len(self.modalities), *layer)
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
        streams = [
            frames[m]
            if m == self.clock
            else on_grid(frames[m], masks[m], encoder.rate, encoder.offset, mask, clock.rate, clock.offset)
            for m, encoder in self.encoders.items()
        ]
        return {"logits": self.classifier(masked_mean(self.fusion(streams, mask), mask))}

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
