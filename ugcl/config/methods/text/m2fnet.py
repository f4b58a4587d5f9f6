"""Settings of M2FNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class M2FNetWeights(Weights):
    """Weights of the terms: 20, 5 and 1 as published, a hundredth of them beside the classification."""

    triplet: float = Field(0.2, ge=0, description="Weight of the triplets with adaptive margin.")
    covariance: float = Field(0.05, ge=0, description="Weight of the covariance of columns.")
    variance: float = Field(0.01, ge=0, description="Weight of the columns' lack of variance.")


class M2FNet(MethodSettings):
    """Transformer stacks of each modality, fusion in which the first modality is query and value."""

    network: ClassVar[str] = "ugcl.methods.text.m2fnet:M2FNet"
    origin: ClassVar[Origin] = Origin(
        "Chudasama, Kar, Gudmalwar, Shah, Wasnik and Onoe: M2FNet: Multi-modal fusion network for emotion"
        " recognition in conversation. CVPR Workshops 2022, arXiv 2206.02187",
        grade="C",
        deviations=(
            "The fusion follows re-implementations that agree with one another, not the paper's text.",
            "The first modality leads in place of text; the others are read at the times of its frames.",
            "The sequence is that of the frames of a clip, not of the turns of a dialogue.",
            "The terms of the feature extractors are trained together with the classification.",
            "Triplets are of vectors of length 1; the margin has no gradient, and losses stop at 0.",
        ),
    )

    name: Literal["m2fnet"] = "m2fnet"
    layers: int = Field(1, ge=1, description="Transformer layers of each modality.")
    fusions: int = Field(2, ge=1, description="Fusion attention modules.")
    weights: M2FNetWeights = M2FNetWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
