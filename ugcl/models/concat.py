"""Baseline: encode each modality, pool, concatenate, classify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from ugcl.models.encoders import ModalityEncoder
from ugcl.models.fusion.concat import ConcatFusion
from ugcl.models.heads import Classifier

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.shards import FeatureInfo


class Concat(nn.Module):
    """The encoders of the main system with the plainest fusion."""

    def __init__(
        self,
        run: Run,
        infos: dict[str, FeatureInfo],
        statistics: dict[str, tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        super().__init__()
        model = run.model
        self.encoders = nn.ModuleDict(
            {m: ModalityEncoder(model, infos[m], (statistics or {}).get(m)) for m in model.modalities}
        )
        self.fusion = ConcatFusion(self.encoders, model.width)
        self.classifier = Classifier(self.fusion.size, model.width, len(run.protocol.classes), model.dropout)

    def forward(
        self, features: dict[str, Tensor], masks: dict[str, Tensor], present: dict[str, Tensor]
    ) -> dict:
        """Classify clips.

        Args:
            features: modality → (B, T_m, D_m).
            masks: modality → (B, T_m), True = valid frame.
            present: modality → (B,), False = the clip lacks it.

        Returns:
            `logits` (B, C) and `present` as given.
        """
        streams, valid = {}, {}
        for m, encoder in self.encoders.items():
            streams[m], valid[m] = encoder(features[m], masks[m], present[m])
        return {"logits": self.classifier(self.fusion(streams, valid)), "present": present}
