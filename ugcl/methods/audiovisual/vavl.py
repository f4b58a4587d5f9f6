"""Versatile audio-visual learning (VAVL).

Goncalves, Leem, Lin, Sisman and Busso, *Versatile audio-visual learning for emotion recognition*, IEEE
Transactions on Affective Computing 2024, arXiv 2305.07216; code ilucasgoncalves/VAVL@c128439 (MIT).

    x_m ─ conformer_m ─ f_m ─ LN(shared conformer + f_m) ─ mean ─ h_m ─┬─ classifier_m ─ logits_m
                                                                       └─ perceptron ─ mean of the features
    logits = classifier([sg(h_a); sg(h_v)])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.layers.conformer import ConformerBlock
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class Conformer(nn.Module):
    """A projection and conformer blocks, (B, T, size) → (B, T, W)."""

    def __init__(
        self,
        size: int,
        width: int,
        heads: int,
        layers: int,
        kernel: int,
        dropout: float = 0.0,
        faults: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.over_clips, shift = "batch_axis" in faults, "relative_shift" in faults
        self.project = nn.Linear(size, width)
        self.blocks = nn.ModuleList(
            ConformerBlock(width, heads, kernel, dropout=dropout, released=shift) for _ in range(layers)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, size) with valid frames (B, T) → (B, T, W)."""
        x = self.project(x)
        if self.over_clips:  # which see each other, padded or not
            x, mask = x.transpose(0, 1), torch.ones_like(mask.T)
        for block in self.blocks:
            x = block(x, mask)
        return x.transpose(0, 1) if self.over_clips else x


class Shared(nn.Module):
    """One conformer for all modalities with a residual, LN and the mean over frames, (B, T, W) → (B, W)."""

    def __init__(self, conformer: Conformer, width: int) -> None:
        super().__init__()
        self.conformer, self.norm = conformer, nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, W)."""
        return masked_mean(self.norm(self.conformer(x, mask) + x), mask)


class Head(nn.Sequential):
    """Linear, ReLU, dropout, and two more layers without anything between them, (B, size) → (B, out)."""

    def __init__(self, size: int, first: int, second: int, out: int, dropout: float = 0.0) -> None:
        start = nn.Linear(size, first), nn.ReLU(), nn.Dropout(dropout)
        super().__init__(*start, nn.Linear(first, second), nn.Linear(second, out))


class VAVL(EncodedMethod):
    """The shared encoders, conformers, heads of each modality and of all."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, classes = run.method, run.encoder.width, len(run.protocol.classes)
        sizes = width, width, own.heads

        def conformer(layers: int) -> Conformer:
            return Conformer(*sizes, layers, own.kernel, run.encoder.dropout, own.faults)

        self.conformers = nn.ModuleDict({m: conformer(own.layers) for m in self.modalities})
        for m, own_conformer in self.conformers.items():
            for block in own_conformer.blocks if infos[m].rate == 0 else ():
                block.attention.freeze_scores()
        self.shared = Shared(conformer(own.shared), width)
        taught = self.modalities if own.weights.alone > 0 else []
        made = self.modalities if own.weights.reconstruction > 0 else []

        def head(size: int, out: int) -> Head:
            return Head(size, width, width // 2, out, run.encoder.dropout)

        self.heads = nn.ModuleDict({m: head(width, classes) for m in taught})
        self.makers = nn.ModuleDict({m: head(width, infos[m].dim // infos[m].layers) for m in made})
        self.classifier = head(len(self.modalities) * width, classes)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `clips`, modality → (B, W)."""
        frames, masks = self.encode(batch)
        clips = {m: self.shared(self.conformers[m](x, masks[m]), masks[m]) for m, x in frames.items()}
        read = [h.detach() if self.heads else h for h in clips.values()]
        return {"logits": self.classifier(torch.cat(read, dim=-1)), "clips": clips}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`alone` and `reconstruction`, sums over modalities, each of the clips that have it."""
        terms, clips = {}, outputs["clips"]
        if self.heads:
            terms["alone"] = self.losses_of(
                {m: head(clips[m]) for m, head in self.heads.items()}, batch
            ).sum()
        if self.makers:
            errors = [self._error(m, clips[m], batch) for m in self.makers if batch.present[m].any()]
            terms["reconstruction"] = torch.stack(errors).sum()
        return terms

    def _error(self, m: str, h: Tensor, batch: Batch) -> Tensor:
        """Squared error of the mean features made of h (B, W), standardised, of the clips that have them."""
        here = batch.present[m]
        with torch.no_grad():
            features = self.encoders[m].standardise(batch.features[m][here])
            target = masked_mean(features, batch.masks[m][here])
        return F.mse_loss(self.makers[m](h[here]), target)
