"""Settings of MCIHN."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class McihnWeights(Weights):
    """Weights of the terms; the paper's are not in what could be read."""

    reconstruction: float = Field(0.1, ge=0, description="Weight of the auto-encoders' squared error.")
    adversarial: float = Field(0.01, ge=0, description="Weight of codes against normal draws.")
    discrepancy: float = Field(0.1, ge=0, description="Weight of the distance of two modalities (MMD).")


class Mcihn(MethodSettings):
    """Adversarial auto-encoder of each modality, gates for pairs, attention over what they give."""

    network: ClassVar[str] = "ugcl.methods.text.mcihn:Mcihn"
    origin: ClassVar[Origin] = Origin(
        "Zhang, Yang, Sun, Pang and Xu: MCIHN: A hybrid network model based on multi-path cross-modal"
        " interaction for multimodal emotion recognition. ACM Multimedia Asia 2025, arXiv 2510.24827",
        grade="C",
        deviations=(
            "Sizes and weights are ours, and so is what attention runs over: the code of each modality and"
            " one gated mixture of each pair, of which three modalities have three.",
            "Discriminators learn in the same step as the encoders, through a reversed gradient.",
            "The paper predicts sentiment on a scale; here classes are predicted.",
        ),
    )

    name: Literal["mcihn"] = "mcihn"
    weights: McihnWeights = McihnWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
        if run.encoder.width % (2 * run.encoder.heads):
            raise ValueError(
                f"method mcihn has codes of half the width {run.encoder.width}, which is not a multiple"
                f" of heads {run.encoder.heads}; change encoder.width or encoder.heads"
            )
