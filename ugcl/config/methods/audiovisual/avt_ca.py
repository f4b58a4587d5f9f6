"""Settings of AVT-CA."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class AvtCa(MethodSettings):
    """Audio-video transformer with cross attention: convolutions, attention both ways, more convolutions."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.avt_ca:AVTCA"
    origin: ClassVar[Origin] = Origin(
        "Joe Dhanith et al.: Multimodal emotion recognition using audio-video transformer fusion with cross"
        " attention. arXiv 2407.18552 (2024)",
        grade="A",
        code="shravan-18/AVTCA@eae3646",
        deviations=(
            "The shared encoders come before the convolutions.",
            "Convolutions and pooling keep the length; the released ones take twelve frames from the sound.",
            "Values and classifiers that reach no output in the released code do not exist.",
        ),
    )
    packable: ClassVar[bool] = False  # running statistics of batch normalisation

    name: Literal["avt_ca"] = "avt_ca"
    fusion: Literal["it", "ia", "lt"] = Field(
        "it",
        description="Transformer between the convolutions (AVT-CA), attention masses there, or a transformer"
        " after them.",
    )
    heads: int = Field(8, ge=1, description="Attention heads, as released; a divisor of encoder.width.")

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 2)
        if run.encoder.width % self.heads:
            raise ValueError(
                f"encoder.width {run.encoder.width} is not a multiple of method.heads {self.heads}"
            )
