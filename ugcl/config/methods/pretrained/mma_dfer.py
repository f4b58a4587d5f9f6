"""Settings of MMA-DFER."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class MmaDfer(MethodSettings):
    """Multimodal adaptation by bottlenecks and progressive prompts (Chumachenko et al. 2024)."""

    network: ClassVar[str] = "ugcl.methods.pretrained.mma_dfer:MmaDfer"
    origin: ClassVar[Origin] = Origin(
        "Chumachenko, Iosifidis and Gabbouj: MMA-DFER: Multimodal adaptation of unimodal models for dynamic"
        " facial expression recognition in-the-wild. CVPR Workshops 2024, arXiv 2404.09010",
        grade="B",
        code="katerynaCh/MMA-DFER@4b8891a",
        deviations=(
            "Layers start from scratch on frozen features, in place of frozen MAE-Face and AudioMAE.",
            "2 layers per modality instead of 12; prompts are added to after the first layer and after layer"
            " min(L / 2, L − 2), counted from 0, so that a layer follows.",
            "A picture is one token, in place of patches with a class token.",
            "Positions are the code of time of the shared encoders, not learnt, and not added again later.",
        ),
    )

    name: Literal["mma_dfer"] = "mma_dfer"
    layers: int = Field(2, ge=1, description="Transformer layers per modality; published: 12.")
    prompts: int = Field(6, ge=2, multiple_of=2, description="Learnt tokens at the end of each stream.")

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 2)
