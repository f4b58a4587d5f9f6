"""Settings of the channel exchanging network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class CenWeights(Weights):
    """Weights of the terms."""

    streams: float = Field(
        1.0, ge=0, description="Weight of the classification losses of the single streams."
    )
    sparsity: float = Field(2e-4, ge=0, description="Weight λ of Σ|γ| over the channels that may go.")


class Cen(MethodSettings):
    """Channel exchanging network: channels that normalisation switches off come from the other streams."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.cen:CEN"
    origin: ClassVar[Origin] = Origin(
        "Wang, Sun, Huang, He and Tao: Channel exchanging networks for multimodal and multitask dense image"
        " prediction. IEEE TPAMI 45 (2023) 5481, arXiv 2112.02252",
        grade="A",
        code="yikaiw/CEN@0088d87",
        deviations=(
            "Convolutions run over frames, not over pictures; streams are read at the first one's times.",
            "The shared encoders come before the blocks.",
            "The penalty counts once, not once for each output.",
        ),
    )
    packable: ClassVar[bool] = False  # running statistics of batch normalisation

    name: Literal["cen"] = "cen"
    blocks: int = Field(3, ge=1, description="Bottleneck blocks.")
    threshold: float = Field(0.02, ge=0, description="Scale |γ| of a channel below which it is exchanged.")
    weights: CenWeights = CenWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
