"""Settings of HCT-DMG and of its successor MODS."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class HctDmgWeights(Weights):
    """Weights of the terms; HCT-DMG has none, MODS has 0.1 or 0.01, by data set."""

    contrast: float = Field(
        0.0, ge=0, description="Weight of the contrast of the primary modality with all; primary sample only."
    )


class HctDmg(MethodSettings):
    """Fusion around a primary modality that the network chooses, for all clips or (MODS) for each."""

    network: ClassVar[str] = "ugcl.methods.text.hct_dmg:HctDmg"
    origin: ClassVar[Origin] = Origin(
        "Wang, Li, Liang, Morency, Bell and Lai: Cross-attention is not enough: Incongruity-aware dynamic"
        " hierarchical fusion for multimodal affect recognition. arXiv 2305.13583 (2023); primary sample:"
        " Yang et al.: Improving multimodal sentiment analysis via modality optimization and dynamic primary"
        " modality selection (MODS). AAAI 2026, arXiv 2511.06328",
        grade="B",
        deviations=(
            "primary all: the streams are read on one grid of frames and averaged over time; two of them are"
            " fused as in a co-author's later code.",
            "primary all with three streams: the order of the steps is that of summaries of the paper, whose"
            " formulae could not be read: the auxiliary modalities read the primary one, which then reads"
            " what they have become. Their mean weighted by the gate, and the rest as with two, are ours.",
            "The choice of primary all is made by learnt scalars, so it is one for all clips, as there.",
            "primary sample: the shared encoders take the place of its compression by graphs; streams are"
            " padded to one length and take roles clip by clip; the temperature of the contrast is ours.",
        ),
    )

    name: Literal["hct_dmg"] = "hct_dmg"
    primary: Literal["all", "sample"] = Field(
        "all", description="Who has a primary modality: all clips the same (HCT-DMG), or each (MODS)."
    )
    layers: int = Field(2, ge=1, description="Layers around the primary modality; primary sample alone.")
    temperature: float = Field(0.1, gt=0, description="Temperature of the contrast.")
    weights: HctDmgWeights = HctDmgWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
        if self.primary == "all" and self.weights.contrast > 0:
            raise ValueError(
                "method.weights.contrast: only method.primary sample has this term; set the weight 0, or"
                " method.primary sample"
            )
