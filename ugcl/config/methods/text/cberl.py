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
    nodes: float = Field(
        0.1, ge=0, description="Weight of hidden turns' squared error; without dialogues there are none."
    )


class Cberl(MethodSettings):
    """Joint variational code of all modalities, a graph of the turns, and made codes of rare classes.

    In dialogues one modality is enough.
    """

    network: ClassVar[str] = "ugcl.methods.text.cberl:Cberl"
    origin: ClassVar[Origin] = Origin(
        "Meng, Shou, Ai, Yin and Li: Deep imbalanced learning for multimodal emotion recognition in"
        " conversations. arXiv 2312.06337 (2023)",
        grade="C",
        deviations=(
            "Sizes, weights and the form of each part are ours.",
            "Codes are made in the latent space, not features; classes are drawn by inverse training counts.",
            "The generator learns in the discriminator's step, through a reversed gradient.",
            "Turns in a window are neighbours, by speaker and direction; hidden turns are reconstructed in a"
            " pass of their own.",
            "Without dialogues the graph is left out; made codes are turns without neighbours.",
        ),
    )

    name: Literal["cberl"] = "cberl"
    latent: int = Field(32, ge=2, description="Columns of the joint code.")
    layers: int = Field(2, ge=1, description="Layers of the graph of turns.")
    window: int = Field(4, ge=1, description="Turns before, and after, that a turn reads in the graph.")
    aggregation: Literal["attention", "mean"] = Field(
        "attention", description="How neighbours count: by learnt attention, or each the same."
    )
    hidden: float = Field(
        0.3, gt=0, lt=1, description="Share of a dialogue's turns that are hidden at a time."
    )
    weights: CberlWeights = CberlWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2 if run.input.context == "clip" else 1)
