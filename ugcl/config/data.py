"""Parameters of corpora, protocols and media sources."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ugcl.config.base import Section


class Data(Section):
    """Where media come from and how much may be bad."""

    mirror: str | None = Field(
        None, description="Folder or URL base with the corpora's files; UGCL_MIRROR sets it too."
    )
    max_quarantined: float = Field(0.10, ge=0, le=1, description="Share of bad clips that stops a benchmark.")


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


class Corpus(Section):
    """What every corpus has."""

    root: str | None = Field(None, description="Folder of the raw tree; default data/raw/<corpus>.")
    shards: int = Field(4, ge=1, le=1000, description="Number of feature shards of the corpus.")
    synthetic: bool = Field(False, description="Marks every number of this corpus as SYNTHETIC.")
    protocols: dict[str, Protocol]


class DemoCorpus(Corpus):
    """The embedded synthetic corpus, a stand-in for CREMA-D in shape."""

    adapter: Literal["demo"]
    synthetic: bool = True
    actors: int = Field(12, ge=2, le=12, description="Number of synthetic actors, alternating in sex.")
    seed: int = Field(2026, description="Seed of identities, styles and ambiguity.")
    size: int = Field(256, ge=128, le=1024, description="Width and height of the video, pixels.")


class RavdessCorpus(Corpus):
    """RAVDESS speech clips (Livingstone and Russo 2018, CC BY-NC-SA 4.0)."""

    adapter: Literal["ravdess"]


class FolderCorpus(Corpus):
    """A user's own clips, described by one CSV."""

    adapter: Literal["folder"]
    table: str = Field("clips.csv", description="CSV with clip, audio, video, speaker and label columns.")


AnyCorpus = Annotated[DemoCorpus | RavdessCorpus | FolderCorpus, Field(discriminator="adapter")]
