"""Parameters of corpora, one class per adapter."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ugcl.config.base import Distinct, Name, Section, Untagged
from ugcl.config.protocols import Protocol

SPEAKER = "{speaker}"
OF_ROW = ("clip", "audio", "video", "start", "end", "cut", "duration")


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


class Annotations(Section):
    """Segments of longer recordings, marked in Praat (TextGrid) or ELAN (EAF): one clip per segment."""

    files: Annotated[list[str], Distinct] = Field(
        ["**/*.TextGrid", "**/*.eaf"],
        min_length=1,
        description="Patterns of the annotation files, relative to the root.",
    )
    columns: dict[Name, str] = Field(
        min_length=1,
        description="Column (labels, transcript, speaker, …) → its tier. {speaker} in a tier's name stands"
        " for the speaker, where each has tiers of their own.",
    )
    segments: str | None = Field(
        None, description="Tier whose segments are the clips; default that of the only column."
    )
    names: dict[Name, str] = Field(
        {},
        description="Column (speaker, session, sex, …) → regular expression on the annotation file's path"
        " below the root, whose first group is the value.",
    )

    @property
    def tier(self) -> str:
        """The tier whose segments are the clips."""
        return self.segments or next(iter(self.columns.values()))

    @model_validator(mode="after")
    def columns_come_from_one_place(self) -> Annotations:
        """Refuse a column that has two sources or is the segment's own, clips of an unknown tier, and files
        that are not below the root.
        """
        if outside := [pattern for pattern in self.files if pattern.startswith("/") or ".." in pattern]:
            raise ValueError(f"files: {outside[0]!r} is not below the root; write it relative to the root")
        if self.segments is None and len(self.columns) > 1:
            raise ValueError("segments: several tiers are read; name the one whose segments are the clips")
        for column in self.names:
            if column in self.columns:
                raise ValueError(f"names.{column}: columns has it too; keep one of them")
        own = [name for name in (*self.columns, *self.names) if name in (*OF_ROW, "dialogue", "turn")]
        if own:
            raise ValueError(f"{own[0]}: it follows from the segment; remove it")
        spoken = SPEAKER in self.tier
        if self.tier.count(SPEAKER) > 1:
            raise ValueError(f"segments: {self.tier!r} has {SPEAKER} twice; write it once")
        if spoken and "speaker" in (*self.columns, *self.names):
            raise ValueError(f"{SPEAKER} in a tier gives the speaker; remove the other source of speaker")
        if not spoken and any(SPEAKER in tier for tier in self.columns.values()):
            raise ValueError(f"columns: {SPEAKER} needs to be in the name of the tier of the clips too")
        return self


class Database(Section):
    """An audformat database (audEERING), whose header db.yaml lies in the root."""

    tables: Annotated[list[str], Distinct] = Field(
        min_length=1, description="Tables whose rows, files or segments, are the clips."
    )
    columns: dict[Name, str] = Field(
        min_length=1,
        description="Column (speaker, labels, transcript, …) → [table/]column[:field]: a column of these"
        " tables or of another one, and a field of what its scheme knows of each value, as speaker:sex.",
    )

    @model_validator(mode="after")
    def columns_are_not_of_the_row(self) -> Database:
        """Refuse columns that follow from the row."""
        own = [name for name in self.columns if name in OF_ROW]
        if own:
            raise ValueError(f"columns.{own[0]}: it follows from the row; remove it")
        return self


class FolderCorpus(Corpus):
    """A user's own clips, described by one CSV, or by files of an annotation tool."""

    adapter: Literal["folder"]
    table: str = Field(
        "clips.csv",
        description="CSV with clip, audio, video or transcript, speaker and label columns; for context also"
        " dialogue and turn; where clips are parts of longer"
        " files, also start and end in seconds (cut: video where the sound file is the clip's alone), and"
        " region: the speaker's half (left, right).",
    )
    annotations: Annotations | None = Field(
        None, description="Files of Praat or ELAN in place of the table; null: the table is read."
    )
    database: Database | None = Field(None, description="An audformat database in place of the table.")

    @property
    def wanted(self) -> list[str]:
        """Patterns of what describes the clips, relative to the root; one of them is enough."""
        if self.annotations is not None:
            return self.annotations.files
        return [self.table] if self.database is None else ["db.yaml"]

    @model_validator(mode="after")
    def clips_come_from_one_place(self) -> FolderCorpus:
        """Refuse a corpus with two descriptions."""
        if self.annotations is not None and self.database is not None:
            raise ValueError("database: annotations describe the clips too; keep one of them")
        return self


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
