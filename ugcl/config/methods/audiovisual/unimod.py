"""Settings of attribute supervision after UniMod."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ugcl.config.base import Distinct
from ugcl.config.methods.base import MethodSettings, Origin, Weights

Attribute = Literal["intensity", "voice", "face", "multimodal"]


class UnimodWeights(Weights):
    """Weights of the terms."""

    attributes: float = Field(0.1, ge=0, description="Weight of the mean over attributes.")


class Unimod(MethodSettings):
    """Concatenation that also predicts attributes of its training clips."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.unimod:Unimod"
    origin: ClassVar[Origin] = Origin(
        "Gu, Huang, Li, Luo, Huang, Wang, Yang, Teng and Wang: From sparse decisions to dense reasoning: A"
        " multi-attribute trajectory paradigm for multimodal moderation (UniMod). arXiv 2602.02536 (2026)",
        grade="B",
        code="Carol-gutianle/UniMod (unirm/unirm.py)",
        deviations=(
            "Only the heads of its reward model are taken: a linear map without bias and a sigmoid for each"
            " attribute, on the fused vector. The supervision of answers step by step has no counterpart.",
            "Attributes are the acted intensity and the shares of raters who name the clip's class, in place"
            " of style, privacy, bias, toxicity and legality.",
            "All attributes have the same weight; it is ours.",
        ),
    )

    name: Literal["unimod"] = "unimod"
    attributes: Annotated[list[Attribute], Distinct] = Field(
        default=["intensity", "voice", "face", "multimodal"],
        min_length=1,
        description="What is predicted: intensity, and the share of votes for the clip's class of the raters"
        " of the voice, the face or both. A corpus may lack some, but not all.",
    )
    weights: UnimodWeights = UnimodWeights()

    @property
    def reads_attributes(self) -> tuple[str, ...]:
        """See `MethodSettings.reads_attributes`."""
        return tuple(self.attributes) if self.weights.attributes > 0 else ()
