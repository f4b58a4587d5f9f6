"""Parameters of the classification loss."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ugcl.config.base import Section


class Loss(Section):
    """The classification loss; the terms of a method have their weights in `method.weights`."""

    weight: float = Field(0.7, gt=0, description="Weight in the total loss; the released code has 0.7.")
    kind: Literal["cross_entropy", "focal", "double_softmax_focal"] = Field(
        "cross_entropy", description="Loss on the logits; the released code has double_softmax_focal."
    )
    gamma: float = Field(2.0, ge=0, description="Focal exponent (Lin et al. 2017, eq. 4).")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Label smoothing of cross-entropy.")
    balance: float = Field(
        0.0, ge=0, le=1, description="Class weights (N / (C·n_c))^balance from training counts; 0 = none."
    )
    adjustment: float = Field(
        0.0, ge=0, description="τ of logits + τ log prior in the loss (Menon et al. 2021, eq. 10); 0 = none."
    )
