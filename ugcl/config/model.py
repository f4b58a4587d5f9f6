"""Parameters of models, losses and training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ugcl.config.base import Section
from ugcl.config.features import Modality


class Model(Section):
    """The network on top of the features."""

    architecture: str = Field("ugcl", description="Key of ugcl.models.build.ARCHITECTURES.")
    modalities: list[Modality] = Field(
        default=["audio", "video"], min_length=1, description="Modalities the system reads."
    )
    width: int = Field(64, ge=8, description="Width of tokens and hidden layers.")
    heads: int = Field(4, ge=1, description="Attention heads.")
    layers: int = Field(1, ge=0, description="Self-attention layers per modality.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout of hidden layers.")
    input_dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the standardised features.")
    tokens: int = Field(128, ge=2, description="Unified granularity tokens (codebook entries K).")


class Alignment(Section):
    """Unified granularity contrastive learning (UGCL)."""

    weight: float = Field(0.15, ge=0, description="Weight in the total loss; the released code has 0.15.")
    temperature: float = Field(0.1, gt=0, description="Temperature of the symmetric InfoNCE.")


class Matching(Section):
    """Similar negative discrimination (SND)."""

    weight: float = Field(0.15, ge=0, description="Weight in the total loss; the released code has 0.15.")


class Classification(Section):
    """The classification loss."""

    weight: float = Field(0.7, gt=0, description="Weight in the total loss; the released code has 0.7.")
    kind: Literal["cross_entropy", "focal"] = Field("cross_entropy", description="Loss on the logits.")
    gamma: float = Field(2.0, ge=0, description="Focal exponent (Lin et al. 2017).")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Label smoothing of cross-entropy.")


class Loss(Section):
    """Loss terms and their weights."""

    classification: Classification = Classification()
    ugcl: Alignment = Alignment()
    snd: Matching = Matching()


class Train(Section):
    """The training loop."""

    epochs: int = Field(30, ge=1, description="Most epochs.")
    batch: int = Field(32, ge=2, description="Clips a batch.")
    lr: float = Field(1e-3, gt=0, description="Peak learning rate of AdamW.")
    weight_decay: float = Field(0.05, ge=0, description="Weight decay of AdamW.")
    warmup: float = Field(0.1, ge=0, le=1, description="Share of steps with rising learning rate.")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="Learning rate after warm-up.")
    clip: float = Field(1.0, gt=0, description="Largest gradient norm.")
    patience: int = Field(10, ge=1, description="Epochs without a better dev UAR before stopping.")
    modality_dropout: float = Field(0.1, ge=0, lt=1, description="Chance a clip loses one modality.")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field("32-true", description="Fabric precision.")
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Fabric accelerator.")
    devices: int = Field(1, ge=1, description="Devices a run uses.")
    accumulate: int = Field(1, ge=1, description="Batches per optimiser step.")
