"""What a batch holds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from ugcl.config.base import Section
from ugcl.config.features import Modality


class Input(Section):
    """What a system reads: modalities, the clips that it may see together, and how features are scaled."""

    modalities: list[Modality] = Field(
        default=["audio", "video"], min_length=1, description="Modalities that the system reads."
    )
    context: Literal["clip", "dialogue", "past"] = Field(
        "clip",
        description="What a clip is judged from: itself, all turns of its dialogue, or those up to itself.",
    )
    standardise: Literal["training", "speaker"] = Field(
        "training",
        description="Mean and deviation that features are standardised by: those of the training clips, or"
        " first those of the speaker's clips in the same part (Schuller et al. 2010); a test clip then needs"
        " the speaker's other test clips, unlabelled.",
    )

    @field_validator("modalities")
    @classmethod
    def each_once(cls, modalities: list[Modality]) -> list[Modality]:
        """Refuse a modality that is named twice."""
        if len(set(modalities)) < len(modalities):
            raise ValueError("a modality is named twice; name each once")
        return modalities

    @property
    def by_speaker(self) -> bool:
        """Whether a clip's features depend on the speaker's other clips."""
        return self.standardise == "speaker"
