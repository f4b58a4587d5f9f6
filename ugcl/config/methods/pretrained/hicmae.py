"""Settings of HiCMAE."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class HicmaeWeights(Weights):
    """Weights of the terms; the contrast is one of pre-training, where its weight is 0.0025."""

    contrast: float = Field(0.0, ge=0, description="Weight of the hierarchical contrast of clips (eq. 7).")


class Hicmae(MethodSettings):
    """Hierarchical contrastive masked auto-encoder (Sun et al. 2024), from scratch."""

    network: ClassVar[str] = "ugcl.methods.pretrained.hicmae:HiCMAE"
    origin: ClassVar[Origin] = Origin(
        "Sun, Lian, Liu and Tao: HiCMAE: Hierarchical contrastive masked autoencoder for self-supervised"
        " audio-visual emotion recognition. Information Fusion 108 (2024) 102382, arXiv 2401.05698",
        grade="A",
        code="sunlicai/HiCMAE@cdd28d48",
        deviations=(
            "Trained from scratch, without pre-training.",
            "Tokens are frames of frozen features with a temporal convolution, not patches of pixels.",
            "3 layers per modality instead of 10, and a perceptron of 2 widths instead of 4.",
            "Of three modalities, each reads the other two as one sequence.",
        ),
    )

    name: Literal["hicmae"] = "hicmae"
    layers: int = Field(3, ge=1, description="Transformer layers per modality; published: 10.")
    fusion_layers: int = Field(2, ge=1, description="Layers in which the modalities read each other.")
    temperature: float = Field(0.07, gt=0, description="Temperature of the contrast.")
    weights: HicmaeWeights = HicmaeWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
