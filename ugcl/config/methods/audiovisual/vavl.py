"""Settings of VAVL."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class VavlWeights(Weights):
    """Weights of the terms, the released ones."""

    alone: float = Field(1.0, ge=0, description="Weight of the sum of the unimodal classification losses.")
    reconstruction: float = Field(2.0, ge=0, description="Weight of the sum of the reconstruction errors.")


class Vavl(MethodSettings):
    """Versatile audio-visual learning: conformers of each modality and a shared one, and unimodal heads."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.vavl:VAVL"
    origin: ClassVar[Origin] = Origin(
        "Goncalves, Leem, Lin, Sisman and Busso: Versatile audio-visual learning for emotion recognition."
        " IEEE Transactions on Affective Computing 2024, arXiv 2305.07216",
        grade="A",
        code="ilucasgoncalves/VAVL@c128439",
        deviations=(
            "One optimiser step per batch; the fusion head reads vectors through which no gradient passes, so"
            " that it alone learns from its loss, as in the third of the released steps.",
            "Attention, positions and convolutions run over the frames of a clip, by distance; the released"
            " code runs them over the clips of the batch.",
            "The shared encoders come before the conformers.",
        ),
    )
    packable: ClassVar[bool] = False  # running statistics of batch normalisation

    name: Literal["vavl"] = "vavl"
    layers: int = Field(1, ge=1, description="Conformer blocks of each modality; released: 3.")
    shared: int = Field(1, ge=1, description="Conformer blocks that all modalities share; released: 2.")
    heads: int = Field(8, ge=1, description="Attention heads, as released; a divisor of encoder.width.")
    kernel: int = Field(31, ge=1, multiple_of=1, description="Frames that a convolution spans, odd.")
    faults: list[Literal["batch_axis", "relative_shift"]] = Field(
        default=[],
        description="Released faults: batch_axis hands clips to the conformers in place of frames;"
        " relative_shift takes codes of distances from a table that is too short.",
    )
    weights: VavlWeights = VavlWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
        if run.encoder.width % self.heads:
            raise ValueError(
                f"encoder.width {run.encoder.width} is not a multiple of method.heads {self.heads}"
            )
        if self.kernel % 2 == 0:
            raise ValueError(f"method.kernel {self.kernel} is even; make it odd")
