"""Settings of AVF-MAE++."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class AvfMae(MethodSettings):
    """Audio-visual local-global encoders with iterative fusion (Wu et al. 2025), from scratch.

    Batch normalisation keeps running statistics, so runs cannot be trained in step.
    """

    network: ClassVar[str] = "ugcl.methods.pretrained.avf_mae:AvfMae"
    origin: ClassVar[Origin] = Origin(
        "Wu et al.: AVF-MAE++: Scaling affective video facial masked autoencoders via efficient audio-visual"
        " self-supervised learning. CVPR 2025, pp. 9142–9153",
        grade="A",
        code="XuecWu/AVF-MAE@c061171b",
        deviations=(
            "Trained from scratch, without pre-training.",
            "Tokens are frames of frozen features with a temporal convolution; regions are parts of a clip's"
            " time, not blocks of pixels.",
            "2 layers per modality instead of 10 or more, and a perceptron of 2 widths instead of 4.",
        ),
    )
    packable: ClassVar[bool] = False

    name: Literal["avf_mae"] = "avf_mae"
    layers: int = Field(2, ge=2, description="Local-global layers per modality; published: 10 to 15.")
    regions: int = Field(8, ge=2, description="Regions of a clip, each with a messenger.")
    stages: int = Field(2, ge=1, description="Stages of fusion, after each of which the joint tokens change.")

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 2)
