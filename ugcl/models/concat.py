"""Baseline: encode each modality, pool, concatenate, classify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ugcl.models.fusion.concat import ConcatFusion
from ugcl.models.heads import Classifier
from ugcl.models.system import EncodedSystem, Statistics, Tensors

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.models.system import Infos


class Concat(EncodedSystem):
    """The encoders of the main system with the plainest fusion."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        model = run.model
        self.fusion = ConcatFusion(self.encoders, model.width)
        self.classifier = Classifier(self.fusion.size, model.width, len(run.protocol.classes), model.dropout)

    def forward(self, features: Tensors, masks: Tensors, present: Tensors) -> dict[str, Any]:
        """See `System.forward`: `logits` and `present`."""
        pooled = self.fusion(*self.encode(features, masks, present))
        return {"logits": self.classifier(pooled), "present": present}
