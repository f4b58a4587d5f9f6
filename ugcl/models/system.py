"""What every network of the project shares: its interface, and the encoders of those that have them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from ugcl.models.encoders import ModalityEncoder

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.shards import FeatureInfo

    Infos = dict[str, FeatureInfo]
    """Modality → what its features are."""

Tensors = dict[str, Tensor]
"""Modality → tensor."""
Statistics = dict[str, tuple[Tensor, Tensor]]
"""Modality → mean and standard deviation (D,) of the training frames; empty for a network to be loaded."""


class System(nn.Module, ABC):
    """A network on top of features. A clip's logits depend on that clip alone; labels never come in.

    Its constructor takes the resolved parameters, `Infos` and `Statistics` (see `build`).
    """

    @abstractmethod
    def forward(self, features: Tensors, masks: Tensors, present: Tensors) -> dict[str, Any]:
        """Classify clips.

        Args:
            features: modality → (B, T_m, D_m).
            masks: modality → (B, T_m), True = valid frame.
            present: modality → (B,), False = the clip lacks it.

        Returns:
            `logits` (B, C), `present` as given, and what the losses of the system need.
        """

    def advance(self, progress: float) -> None:
        """Hear how much of the training is done, 0..1, before each epoch."""


class EncodedSystem(System):
    """A system with the common encoders, one a modality, so that systems differ in what comes after."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__()
        self.modalities = list(run.model.modalities)
        self.encoders = nn.ModuleDict(
            {m: ModalityEncoder(run.model, infos[m], statistics.get(m)) for m in self.modalities}
        )

    def encode(self, features: Tensors, masks: Tensors, present: Tensors) -> tuple[Tensors, Tensors]:
        """Encode each modality: frames (B, T_m, W) and their masks (B, T_m), with a valid frame a clip."""
        streams, valid = {}, {}
        for m in self.modalities:
            streams[m], valid[m] = self.encoders[m](features[m], masks[m], present[m])
        return streams, valid
