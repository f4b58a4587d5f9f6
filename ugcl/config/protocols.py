"""Parameters of protocols: a label target, its classes and its folds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ugcl.config.base import Section


class SpeakerBlocks(Section):
    """Folds from consecutive blocks of sorted speakers; dev is the next block of training speakers."""

    scheme: Literal["speaker_blocks"] = "speaker_blocks"
    folds: int = Field(6, ge=3, description="Number of blocks; each is the test part of one fold.")


class SplitFiles(Section):
    """Folds given by files with the columns clip and part (train, dev, test)."""

    scheme: Literal["files"]
    files: list[str] = Field(min_length=1, description="One CSV a fold, relative to the corpus root.")
    allow_leak: bool = Field(
        False, description="Keep a split whose parts share speakers, marked LEAKY in every table."
    )


class Protocol(Section):
    """A label target, its class list and its fold scheme."""

    label: str = Field("intended", description="Manifest column with the class name of each clip.")
    classes: list[str] = Field(min_length=2, description="Class names in column order.")
    folds: Annotated[SpeakerBlocks | SplitFiles, Field(discriminator="scheme")] = SpeakerBlocks()

    @property
    def fold_numbers(self) -> list[int]:
        """Fold numbers, from 1."""
        count = self.folds.folds if isinstance(self.folds, SpeakerBlocks) else len(self.folds.files)
        return list(range(1, count + 1))
