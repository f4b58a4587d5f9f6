"""Parameters of corpora, one class per adapter."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ugcl.config.base import Name, Section, Untagged
from ugcl.config.protocols import Protocol


class Corpus(Section):
    """What every corpus has."""

    speaker_is: ClassVar[str] = "person"  # else what counts as one, for nobody says who speaks

    root: str | None = Field(None, description="Folder of the raw tree; default data/raw/<corpus>.")
    shards: int = Field(4, ge=1, le=1000, description="Number of feature shards of the corpus.")
    synthetic: bool = Field(False, description="Marks every number of this corpus as SYNTHETIC.")
    protocols: dict[Name, Protocol]


class DemoCorpus(Corpus):
    """The embedded synthetic corpora, of which one is a stand-in for CREMA-D in shape, one has dialogues."""

    adapter: Literal["demo"]
    form: Literal["sentences", "dialogues"] = Field(
        "sentences",
        description="Every actor says the same sentences in each emotion; or pairs of actors talk, with"
        " transcripts, and text, voice, face or only the turns before show the emotion.",
    )
    synthetic: bool = True
    actors: int = Field(12, ge=2, le=12, description="Number of synthetic actors, alternating in sex.")
    seed: int = Field(2026, description="Seed of identities, styles and ambiguity.")
    size: int = Field(256, ge=128, le=1024, description="Width and height of the video, pixels.")

    @model_validator(mode="after")
    def actors_talk_in_pairs(self) -> DemoCorpus:
        """Refuse an actor without a partner."""
        if self.form == "dialogues" and self.actors % 2:
            raise ValueError(f"actors: {self.actors} actors make no pairs; use an even number")
        return self

    @field_validator("root")
    @classmethod
    def made_in_its_place(cls, root: str | None) -> str | None:
        """The workflow makes this corpus itself and records it."""
        if root is not None:
            raise ValueError("the demo corpus is made in data/raw; drop the key")
        return root


class CremaDCorpus(Corpus):
    """CREMA-D (Cao et al. 2014, ODbL 1.0): media, label tables and published partitions."""

    adapter: Literal["crema_d"]


class IemocapCorpus(Corpus):
    """IEMOCAP (Busso et al. 2008; given by its owner): dialogs cut to utterances."""

    adapter: Literal["iemocap"]
    speaker_side: Literal["markers_left", "female_left", "whole"] = Field(
        "markers_left",
        description="Which actor the left half of a dialog's frame shows: the one with the motion capture"
        " markers (the letter after the session in the file's name), always the woman; or use whole frames.",
    )


class RavdessCorpus(Corpus):
    """RAVDESS speech clips (Livingstone and Russo 2018, CC BY-NC-SA 4.0)."""

    adapter: Literal["ravdess"]


class MspImprovCorpus(Corpus):
    """MSP-IMPROV (Busso et al. 2017; given by its owner): turns of dyads around target sentences."""

    adapter: Literal["msp_improv"]


class MeldCorpus(Corpus):
    """MELD (Poria et al. 2019, GPL-3.0): dialogues of a television series, with official parts."""

    adapter: Literal["meld"]
    media: bool = Field(
        True, description="Whether the clips (10.9 GB) are fetched and used; else only the tables with text."
    )


class MfnCorpus(Corpus):
    """Features of videos with opinions, in official parts (Zadeh et al. 2018, Memory Fusion Network; MIT)."""

    speaker_is: ClassVar[str] = "clip"

    adapter: Literal["mfn"]
    file: str = Field("mmmo.npz", description="Archive with y_train, y_valid and y_test, one value per clip.")
    threshold: float = Field(
        3.5, description="Values above it are positive, others negative; the MMMO's go from 1 to 5."
    )


class MosiCorpus(Corpus):
    """CMU-MOSI (Zadeh et al. 2016): reviews cut to utterances, with vectors of text, audio and video."""

    speaker_is: ClassVar[str] = "video"

    adapter: Literal["mosi"]


class FolderCorpus(Corpus):
    """A user's own clips, described by one CSV."""

    adapter: Literal["folder"]
    table: str = Field(
        "clips.csv",
        description="CSV with clip, audio, video or transcript, speaker and label columns; for context also"
        " dialogue and turn; where clips are parts of longer"
        " files, also start and end in seconds (cut: video where the sound file is the clip's alone), and"
        " region: the speaker's half (left, right).",
    )


AnyCorpus = Annotated[
    DemoCorpus
    | CremaDCorpus
    | IemocapCorpus
    | RavdessCorpus
    | MspImprovCorpus
    | MeldCorpus
    | MfnCorpus
    | MosiCorpus
    | FolderCorpus,
    Field(discriminator="adapter"),
    Untagged,
]
