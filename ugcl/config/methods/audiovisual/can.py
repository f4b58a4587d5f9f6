"""Settings of the channel attention network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class Can(MethodSettings):
    """Channel attention: a softmax over the columns of all modalities weighs them at each frame."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.can:CAN"
    origin: ClassVar[Origin] = Origin(
        "Richet et al.: Textualized and feature-based models for compound multimodal emotion recognition in"
        " the wild. ECCV Workshops 2024, arXiv 2407.12927",
        grade="B",
        code="sbelharbi/feature-vs-text-compound-emotion@eb8eeed",
        deviations=(
            "The shared encoders come before the temporal convolutions.",
            "Logits of frames are averaged over the clip; the released code has one for each frame.",
            "All modalities are read at the times of the first one's frames.",
        ),
    )
    packable: ClassVar[bool] = False  # running statistics of batch normalisation

    name: Literal["can"] = "can"
    blocks: int = Field(3, ge=1, description="Blocks of the causal convolutions; block i reaches 2^i frames.")
    kernel: int = Field(5, ge=1, description="Frames that a convolution spans.")
    columns: int = Field(128, ge=1, description="Columns of each modality.")

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
