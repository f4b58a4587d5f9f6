"""Parameters of protocols: a label target, its classes and its folds."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveInt, model_validator

from ugcl.config.base import Section, Untagged

DEV_SPEAKERS = (
    "Speakers of the dev part, drawn from the training part, balanced by sex: in sorted order,"
    " cyclically, from the one after the last test speaker. Default: what the scheme says."
)
Primary = Literal["uar", "war", "macro_f1", "weighted_f1"]
"""A metric that can decide: which epoch is kept, which settings, and which system is ahead."""

PRIMARIES: tuple[str, ...] = get_args(Primary)

ALLOW_LEAK = "Keep a split whose parts share speakers, marked LEAKY in every table."


class SpeakerBlocks(Section):
    """Folds from consecutive blocks of sorted speakers; dev is the next block of training speakers."""

    scheme: Literal["speaker_blocks"] = "speaker_blocks"
    folds: Annotated[int, Field(ge=2)] | Annotated[list[PositiveInt], Field(min_length=2)] = Field(
        6, description="Number of blocks of nearly equal size, or the speakers of each; fold k tests block k."
    )
    dev_speakers: int | None = Field(None, ge=1, description=DEV_SPEAKERS + " That is the next block.")

    @property
    def count(self) -> int:
        """Number of folds."""
        return self.folds if isinstance(self.folds, int) else len(self.folds)

    @model_validator(mode="after")
    def a_block_is_left_for_training(self) -> SpeakerBlocks:
        """Where dev is a block too, three are the least."""
        if self.dev_speakers is None and self.count < 3:
            raise ValueError("folds: two blocks are test and dev, none trains; use 3 or set dev_speakers")
        return self


class Stratified(Section):
    """Folds from blocks of speakers with nearly equal numbers of clips, in all and of each class.

    Fold k tests block k; dev is the next block, cyclically. For corpora without published folds, whose
    speakers have unequal numbers of clips or classes.
    """

    scheme: Literal["stratified"]
    folds: int = Field(5, ge=3, description="Number of blocks: one is test, one dev, the others train.")
    fewest_clips: int = Field(
        1, ge=1, description="Speakers with fewer clips of the protocol's classes than this are in no part."
    )

    @property
    def count(self) -> int:
        """Number of folds."""
        return self.folds


class Groups(Section):
    """Folds from the groups that a manifest column names, such as sessions; dev is the next group.

    Where the test group is part of a larger one (a speaker of a session), `within` names the larger one's
    column: its other members have talked with the test speakers and never train. They are left out, or are
    the dev part if `rest: dev`. Dev is then the next larger group otherwise.
    """

    scheme: Literal["groups"]
    column: str = Field("session", description="Manifest column whose values are the groups.")
    test: list[str] = Field(min_length=1, description="Values of the column, one fold each.")
    within: str | None = Field(None, description="Column of the larger group that holds the test group.")
    rest: Literal["left_out", "dev"] = Field("left_out", description="Where the rest of it goes.")
    dev_speakers: int | None = Field(None, ge=1, description=DEV_SPEAKERS + " That is the next group.")
    dev_dialogues: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of the training groups' dialogues that are the dev part, whole and spread evenly"
        " over their sorted names; dev then shares speakers with train, and test shares none. Excludes"
        " dev_speakers and `rest: dev`.",
    )

    @property
    def count(self) -> int:
        """Number of folds."""
        return len(self.test)

    @model_validator(mode="after")
    def options_agree(self) -> Groups:
        """A group is tested once, and dev comes from one place."""
        twice = sorted({name for name in self.test if self.test.count(name) > 1})
        if twice:
            raise ValueError(f"test: group {twice[0]!r} is tested twice; name it once")
        if self.rest == "dev" and (self.within is None or self.dev_speakers is not None):
            raise ValueError("rest: dev needs `within` and excludes dev_speakers; drop one of them")
        if self.dev_dialogues is not None and (self.rest == "dev" or self.dev_speakers is not None):
            raise ValueError("dev_dialogues excludes dev_speakers and `rest: dev`; keep one of them")
        return self


class SplitFiles(Section):
    """Folds given by files with the columns clip and part (train, dev, test)."""

    scheme: Literal["files"]
    files: list[str] = Field(min_length=1, description="One CSV per fold, relative to the corpus root.")
    allow_leak: bool = Field(False, description=ALLOW_LEAK)

    @property
    def count(self) -> int:
        """Number of folds."""
        return len(self.files)


class Partitions(Section):
    """Folds as others published them, in files with columns of their own or in a column of the manifest.

    Clips are compared without folder and media suffix. Part words such as Development or valid are known.
    """

    scheme: Literal["partitions"]
    files: list[str] = Field(
        default_factory=list,
        description="One CSV per fold, relative to the corpus root, or one CSV of all; none: the manifest.",
    )
    clip: str = Field("clip", description="Column of the files that names the clip.")
    part: str = Field("part", description="Column of the files, or of the manifest, that names the part.")
    fold: str | None = Field(None, description="Column that numbers the folds, where one file holds all.")
    folds: int = Field(1, ge=1, description="Number of folds in a file that holds all.")
    where: dict[str, str] = Field(
        default_factory=dict, description="Column → value of the rows to read, where a file holds more."
    )
    last_fields: int = Field(0, ge=0, description="Compare the last n dash-separated fields; 0 = all.")
    dev_speakers: int | None = Field(
        None, ge=1, description=DEV_SPEAKERS + " That is the published dev part; this is for want of one."
    )
    allow_leak: bool = Field(False, description=ALLOW_LEAK)

    @property
    def count(self) -> int:
        """Number of folds."""
        return self.folds if self.fold else max(1, len(self.files))

    @model_validator(mode="after")
    def options_agree(self) -> Partitions:
        """Folds are files, or are numbered inside one."""
        if self.fold and len(self.files) != 1:
            raise ValueError(f"fold: {self.fold!r} numbers the folds of one file; give one file")
        if not self.fold and self.folds != 1:
            raise ValueError("folds: needs `fold`, the column that numbers them; without it a file is a fold")
        return self


Folds = Annotated[
    SpeakerBlocks | Stratified | Groups | SplitFiles | Partitions, Field(discriminator="scheme"), Untagged
]


class Protocol(Section):
    """A label target, its class list and its fold scheme."""

    label: str = Field("intended", description="Manifest column with the class name of each clip.")
    classes: list[str] = Field(min_length=2, description="Class names in column order.")
    merge: dict[str, str] = Field(
        default_factory=dict, description="Label → the class it counts as, such as excited: happy."
    )
    soft: str | None = Field(
        None,
        pattern=r"^votes_\w+$",
        description="Prefix of the vote columns, such as votes_multimodal: systems learn their shares (KL).",
    )
    exclude: list[str] = Field(
        default_factory=list, description="Clips in no part, such as ones that the release calls broken."
    )
    text_independent: int | None = Field(
        None,
        ge=2,
        description="Blocks of sorted sentences; fold k tests block k (cyclically) alone, and neither train"
        " nor dev has its sentences. Train and dev share the others.",
    )
    folds: Folds = SpeakerBlocks()
    primary: Primary = Field(
        "uar",
        description="The metric that decides: epochs and searches are chosen by it on dev; systems are"
        " compared, tested, ranked and drawn by it.",
    )
    intervals: Literal["speaker", "dialogue"] = Field(
        "speaker",
        description="What intervals and tests draw as a whole. `dialogue` is for corpora whose parts share"
        " their speakers: it says how scores vary over new dialogues, not over new speakers.",
    )

    @property
    def dev_shares_speakers(self) -> bool:
        """Whether the dev part has dialogues of the training speakers by design."""
        return isinstance(self.folds, Groups) and self.folds.dev_dialogues is not None

    @property
    def fold_numbers(self) -> list[int]:
        """Fold numbers, from 1."""
        return list(range(1, self.folds.count + 1))

    @model_validator(mode="after")
    def labels_and_scheme_fit(self) -> Protocol:
        """Merged labels end in classes, and only folds that are ours to cut can be text-independent."""
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: a name comes twice; name each class once")
        for label, target in self.merge.items():
            if target not in self.classes:
                raise ValueError(f"merge: {label} counts as {target!r}, not a class; add it to classes")
            if label in self.classes:
                raise ValueError(f"merge: {label!r} is a class itself; drop it from classes or from merge")
        if self.text_independent and isinstance(self.folds, SplitFiles | Partitions):
            raise ValueError(
                f"text_independent: the scheme {self.folds.scheme!r} is published as it is;"
                " use speaker_blocks, stratified or groups"
            )
        return self
