"""Settings of WavFusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.features import Modality
from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class WavfusionWeights(Weights):
    """Weights of the terms; the paper's is 1, the best of 0, 0.1, 1 and 10."""

    margin: float = Field(1.0, ge=0, description="Weight of the margin loss on pooled modalities.")


class Wavfusion(MethodSettings):
    """A leading modality reads the others by cross-attention, gated; triplets of emotions.

    Recurrent layers: cannot be trained in step.
    """

    network: ClassVar[str] = "ugcl.methods.text.wavfusion:WavFusion"
    origin: ClassVar[Origin] = Origin(
        "Li, Luo and Xia: WavFusion: Towards wav2vec 2.0 multimodal speech emotion recognition."
        " MultiMedia Modeling 2025, arXiv 2412.05558",
        grade="B",
        deviations=(
            "The gate stands after the shared encoders and not inside the last layers of wav2vec 2.0.",
            "With two modalities the leading one attends to itself in place of the third; without speech, the"
            " first modality leads.",
            "The gate's second product is that of 1 − P and the second stream; the paper prints the first.",
            "The residuals to the centres are averaged over frames; the count of centres and the margin are"
            " ours.",
        ),
    )
    packable: ClassVar[bool] = False

    name: Literal["wavfusion"] = "wavfusion"
    leader: Modality | None = Field(
        None, description="Modality that reads the others; null = audio, without it the first."
    )
    centres: int = Field(8, ge=1, description="Learnt centres of the video, where it is read.")
    margin: float = Field(0.5, gt=0, description="Margin of the triplets, in cosines.")
    weights: WavfusionWeights = WavfusionWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 3)
        if self.leader is not None and self.leader not in run.input.modalities:
            raise ValueError(
                f"method.leader {self.leader} is not among input.modalities; change one, or set it null"
            )

    def leads(self, modalities: Sequence[str]) -> str:
        """Which of the modalities reads the others."""
        return self.leader or ("audio" if "audio" in modalities else modalities[0])
