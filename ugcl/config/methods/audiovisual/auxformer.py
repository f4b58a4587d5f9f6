"""Settings of AuxFormer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class AuxFormerWeights(Weights):
    """Weights of the terms; with `loss.weight` 1/3 too, the released ones."""

    auxiliary: float = Field(1 / 3, ge=0, description="Weight of the sum of both unimodal losses.")


class AuxFormer(MethodSettings):
    """Cross-modal transformers both ways, and an auxiliary network per modality."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.auxformer:AuxFormer"
    origin: ClassVar[Origin] = Origin(
        "Goncalves and Busso: AuxFormer: robust approach to audiovisual emotion recognition. ICASSP 2022",
        grade="A",
        code="ilucasgoncalves/AuxFormer@708ba72",
        deviations=(
            "The shared encoders come before the transformers.",
            "A clip ends at its own last frame, and padding is not attended to; the released code reads it.",
        ),
    )

    name: Literal["auxformer"] = "auxformer"
    layers: int = Field(1, ge=1, description="Layers of each of the six transformer stacks; released: 5.")
    passes: int = Field(3, ge=1, description="Passes of the auxiliary stacks, with the same weights.")
    causal: bool = Field(True, description="Hide the future from each frame, as released.")
    faults: list[Literal["zero_positions"]] = Field(
        default=[],
        description="Released fault: a frame whose first column is exactly 0 gets no position.",
    )
    weights: AuxFormerWeights = AuxFormerWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 2)
