"""Settings of the leader-follower attention network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


CITATION = (
    "Richet et al.: Textualized and feature-based models for compound multimodal emotion recognition in the"
    " wild. ECCV Workshops 2024, arXiv 2407.12927"
)
CODE = "sbelharbi/feature-vs-text-compound-emotion@eb8eeed"
DEVIATIONS = (
    "The shared encoders come before the temporal convolutions.",
    "Logits of frames are averaged over the clip; the released code has one for each frame.",
)


class Temporal(MethodSettings):
    """What both networks of that study have: causal convolutions of each modality, on one grid of times."""

    packable: ClassVar[bool] = False  # running statistics of batch normalisation

    blocks: int = Field(3, ge=1, description="Blocks of the causal convolutions; block i reaches 2^i frames.")
    kernel: int = Field(5, ge=1, description="Frames that a convolution spans.")

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)


class Lfan(Temporal):
    """Leader-follower attention: the first modality leads, all of them are attended to at each frame."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.lfan:LFAN"
    origin: ClassVar[Origin] = Origin(
        CITATION,
        grade="B",
        code=CODE,
        deviations=(
            *DEVIATIONS,
            "The first of input.modalities leads (published: the video), at whose times the others are read.",
        ),
    )

    name: Literal["lfan"] = "lfan"
    follower: int = Field(32, ge=1, description="Columns of each modality's follower.")
    heads: int = Field(2, ge=1, description="Attention heads; a divisor of follower.")

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        if self.follower % self.heads:
            raise ValueError(
                f"method.follower {self.follower} is not a multiple of method.heads {self.heads}"
            )
