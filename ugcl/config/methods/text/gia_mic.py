"""Settings of GIA-MIC."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class GiaMicWeights(Weights):
    """Weights of the terms; the paper's is not in its abstract."""

    invariance: float = Field(0.1, ge=0, description="Weight of the constraint on the shared vectors.")


class GiaMic(MethodSettings):
    """Gated interactive attention for pairs of modalities, and a generator of vectors they share."""

    network: ClassVar[str] = "ugcl.methods.text.gia_mic:GiaMic"
    origin: ClassVar[Origin] = Origin(
        "He, Mi and Toda: GIA-MIC: Multimodal emotion recognition with gated interactive attention and"
        " modality-invariant learning constraints. Interspeech 2025, arXiv 2506.00865",
        grade="C",
        deviations=(
            "Sizes, the gate's form, the generator and the weight are ours.",
            "The similarity constraint is one minus the cosine of the shared vectors of a clip.",
            "With three modalities, a stream is the mean of what its two gates give; the constraint is the"
            " mean over three pairs.",
        ),
    )

    name: Literal["gia_mic"] = "gia_mic"
    weights: GiaMicWeights = GiaMicWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
