"""Settings of CBERL."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class CberlWeights(Weights):
    """Weights of the terms; the paper's are not in its abstract."""

    reconstruction: float = Field(0.1, ge=0, description="Weight of the decoded modalities' squared error.")
    divergence: float = Field(0.01, ge=0, description="Weight of the codes' divergence from N(0, I).")
    adversarial: float = Field(0.1, ge=0, description="Weight of the discriminator of made codes.")
    made: float = Field(0.1, ge=0, description="Weight of the classification of made codes.")


class Cberl(MethodSettings):
    """Joint variational code of all modalities, and made codes of rare classes."""

    network: ClassVar[str] = "ugcl.methods.text.cberl:Cberl"
    origin: ClassVar[Origin] = Origin(
        "Meng, Shou, Ai, Yin and Li: Deep imbalanced learning for multimodal emotion recognition in"
        " conversations. arXiv 2312.06337 (2023)",
        grade="C",
        deviations=(
            "Sizes, weights and the form of each part are ours.",
            "Codes are made in the latent space, not features; classes are drawn by inverse training counts.",
            "The generator learns in the discriminator's step, through a reversed gradient.",
            "The graph of a dialogue's turns is left out.",
        ),
    )

    name: Literal["cberl"] = "cberl"
    latent: int = Field(32, ge=2, description="Columns of the joint code.")
    weights: CberlWeights = CberlWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
