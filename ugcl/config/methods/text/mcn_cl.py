"""Settings of MCN-CL."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class McnClWeights(Weights):
    """Weights of the terms; the paper's is not in its abstract."""

    contrast: float = Field(0.1, ge=0, description="Weight of the contrast with hard negatives.")


class McnCl(MethodSettings):
    """Triple-query cross-attention and contrast with hard negatives of other classes.

    Of the published systems, the nearest to similar negative discrimination.
    """

    network: ClassVar[str] = "ugcl.methods.text.mcn_cl:McnCl"
    origin: ClassVar[Origin] = Origin(
        "Li, Wu and Li: MCN-CL: Multimodal cross-attention network and contrastive learning for multimodal"
        " emotion recognition. arXiv 2511.10892 (2025)",
        grade="C",
        deviations=(
            "Sizes, temperature, count of negatives and weight are ours.",
            "With two modalities the third query is the sequence of both.",
            "The class balance of the paper is the setting loss.balance, off by default.",
        ),
    )

    name: Literal["mcn_cl"] = "mcn_cl"
    layers: int = Field(1, ge=1, description="Layers of cross-attention for each query.")
    temperature: float = Field(0.07, gt=0, description="Temperature of the contrast.")
    hardest: int = Field(8, ge=1, description="Negatives of each clip: the most similar of other classes.")
    weights: McnClWeights = McnClWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
        if run.encoder.width % 4:
            raise ValueError(
                f"method mcn_cl has four groups of columns, encoder.width is {run.encoder.width}; make it a"
                " multiple of 4"
            )
