"""Attribute supervision, after the reward model of UniMod (arXiv 2602.02536, 2026).

A concatenation f of the pooled modalities is classified and, in training, also predicts K attributes of the
clip, each by a linear map without bias: a_k = σ(w_k · f).

    loss = classification + ω · 1/K Σ_k mean over the clips with attribute k of BCE(a_k, attribute_k)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.methods.concat import ConcatFusion
from ugcl.models.heads import Classifier

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class Unimod(EncodedMethod):
    """The plain concatenation and a head for each attribute."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        width, dropout = run.encoder.width, run.encoder.dropout
        self.fusion = ConcatFusion(self.encoders, width)
        self.classifier = Classifier(self.fusion.size, width, len(run.protocol.classes), dropout)
        self.names = run.method.reads_attributes
        self.heads = nn.Linear(self.fusion.size, len(self.names), bias=False) if self.names else None

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and, in training, `attributes` (B, K) before the sigmoid."""
        fused = self.fusion(*self.encode(batch))
        outputs = {"logits": self.classifier(fused)}
        if self.training and self.heads is not None:
            outputs["attributes"] = self.heads(fused)
        return outputs

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`attributes`: mean over all of them; one that no clip of the batch has adds 0."""
        if self.heads is None:
            return {}
        losses = []
        for name, logits in zip(self.names, outputs["attributes"].unbind(dim=1), strict=True):
            target = batch.attributes.get(name, torch.full_like(logits, torch.nan))
            known = target.isfinite()
            total = F.binary_cross_entropy_with_logits(logits[known], target[known], reduction="sum")
            losses.append(total / known.sum().clamp_min(1))
        return {"attributes": torch.stack(losses).mean()}
