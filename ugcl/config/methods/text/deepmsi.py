"""Settings of DeepMSI-MER."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class DeepMsiWeights(Weights):
    """Weights of the terms, the released ones."""

    contrast: float = Field(0.5, ge=0, description="Weight of the contrast of video with the others.")


class DeepMsi(MethodSettings):
    """Visual sequence compression by early-fused vectors, contrast of classes across modalities."""

    network: ClassVar[str] = "ugcl.methods.text.deepmsi:DeepMSI"
    origin: ClassVar[Origin] = Origin(
        "Dai, Zheng, Yu, Zhang and Hou: A novel approach for multimodal emotion recognition: multimodal"
        " semantic information fusion (DeepMSI-MER). arXiv 2502.08573 (2025)",
        grade="A",
        code="ZMW-DW/DeepMSI-MER@edd9546",
        deviations=(
            "Tokens are the frames of a clip, not patches of a picture; the kept ones go on in time order.",
            "The early-fused vector is also classified, since a choice of frames alone cannot teach it.",
            "Dropped frames are merged into kept ones; the released code throws the result away.",
            "With text or speech alone beside video, the early-fused vector is made from that one; without"
            " video, the frames of speech are compressed, by the text.",
        ),
    )
    packable: ClassVar[bool] = False  # running statistics of batch normalisation

    name: Literal["deepmsi"] = "deepmsi"
    keep: int = Field(5, ge=1, description="Frames of video (without it, of speech) that are kept.")
    threshold: float = Field(0.6, ge=-1, le=1, description="Cosine above which a dropped frame is merged.")
    retain: float = Field(0.9, ge=0, le=1, description="Share of a kept frame in a merged one.")
    temperature: float = Field(0.5, gt=0, description="Temperature of the contrast.")
    faults: list[Literal["no_compression", "untaught_query"]] = Field(
        default=[],
        description="Released faults: no_compression drops frames without merging them; untaught_query has"
        " the early-fused vector choose frames and do nothing else.",
    )
    weights: DeepMsiWeights = DeepMsiWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)

    def compresses(self, modalities: Sequence[str]) -> str:
        """Whose frames are compressed; the other modalities are pooled."""
        return "video" if "video" in modalities else "audio"
