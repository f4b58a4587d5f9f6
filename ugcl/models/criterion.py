"""The classification loss of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.classification import class_weights, divergence, double_softmax_focal, focal, log_priors

if TYPE_CHECKING:
    from ugcl.config.system.loss import Loss


class Criterion(nn.Module):
    """Classification loss by the settings of a run; what training counts decide is not saved.

    Attributes:
        weight: (C,) weights of the classes, None for equal ones.
        shift: (C,) what is added to the logits in the loss alone, or None.
    """

    def __init__(self, settings: Loss) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("weight", None, persistent=False)
        self.register_buffer("shift", None, persistent=False)

    def count(self, counts: Tensor) -> None:
        """Set what depends on the training clips of each class, (C,)."""
        if self.settings.balance > 0:
            self.weight = class_weights(counts, self.settings.balance)
        if self.settings.adjustment > 0:
            self.shift = log_priors(counts, self.settings.adjustment)

    def forward(self, logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Tensor:
        """Loss of logits (B, C).

        Args:
            logits: (B, C).
            labels: (B,) class numbers.
            targets: (B, C) shares of the raters' votes, which take the labels' place.

        Returns:
            Scalar, mean over clips.
        """
        settings = self.settings
        if self.shift is not None:
            logits = logits + self.shift
        if targets is not None:
            return divergence(logits, targets, self.weight)
        if settings.kind == "focal":
            return focal(logits, labels, settings.gamma, self.weight)
        if settings.kind == "double_softmax_focal":
            return double_softmax_focal(logits, labels, settings.gamma)
        return F.cross_entropy(logits, labels, self.weight, label_smoothing=settings.label_smoothing)
