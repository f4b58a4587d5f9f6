"""Settings of DRKF."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class DrkfWeights(Weights):
    """Weights of the terms; the released code has 0.2 for all."""

    augmented: float = Field(0.2, ge=0, description="Weight of the contrast with augmented modalities.")
    reconstruction: float = Field(0.2, ge=0, description="Weight of the augmented frames' squared error.")
    alignment: float = Field(0.2, ge=0, description="Weight of the contrast across modalities, one way.")
    pairs: float = Field(0.2, ge=0, description="Weight of judging whether mixed clips share an emotion.")


class Drkf(MethodSettings):
    """Contrast with auto-encoded views; one transformer over all frames that also judges mixed clips.

    Of the published systems, close to similar negative discrimination: it judges pairs by their emotions.
    """

    network: ClassVar[str] = "ugcl.methods.text.drkf:Drkf"
    origin: ClassVar[Origin] = Origin(
        "Jiang, Liu, Liu, Zhang, Yang, Liu and Yao: DRKF: Decoupled representations with knowledge fusion for"
        " multimodal emotion recognition. ACM Multimedia 2025, arXiv 2508.01644",
        grade="B",
        code="PANPANKK/DRKF_Decoupled_Representations_with_Knowledge_Fusion_for_Multimodal_Emotion_Recognition"
        "@f42f10853b40584e4901bd34622f9a15c13585f2",
        deviations=(
            "Each clip is mixed with one other, drawn anew in each batch; the released code mixes all pairs.",
            "Padding is masked; the released code has no masks.",
            "Times come from the shared encoders; what marks a class, and ends of modalities, is learnt"
            " vectors, where the released code has zeros and learnt positions.",
            "Of three modalities, the contrast across them and the loss of mixed clips are sums over pairs.",
            "The Kullback-Leibler terms are left out: the released ones compare text with text.",
        ),
    )

    name: Literal["drkf"] = "drkf"
    layers: int = Field(2, ge=1, description="Layers of the fusing transformer; the released code has 6.")
    blocks: int = Field(5, ge=1, description="Blocks of the residual auto-encoders.")
    weights: DrkfWeights = DrkfWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
