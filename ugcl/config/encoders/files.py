"""Parameters of features that another program wrote, one file per clip or recording."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from ugcl.config.base import Section

PLACES = ("{clip}", "{stem}")
ENDINGS = (".npy", ".npz", ".csv", ".txt", ".tsv")


class ExportedFiles(Section):
    """Where the files lie, and what of them is read."""

    path: str = Field(
        description="File of a clip relative to the corpus root: {clip} is its name, {stem} the name of its"
        " sound file (modality audio) or its video, else of the other, without folder and ending; then the"
        " clip's times cut the file's rows."
    )
    columns: list[str] = Field(
        default_factory=list,
        description="Columns of a table that are features, names or patterns such as AU*_r; default all.",
    )
    drop: list[str] = Field(
        default_factory=list, description="Columns that are not features, names or patterns."
    )
    time: str = Field("", description="Column with the time of a row, seconds; its rows may be uneven.")
    success: str = Field("", description="Column that is 0 in rows that failed.")
    confidence: str = Field("", description="Column with the confidence of a row, 0..1.")
    least_confidence: float = Field(0.0, ge=0, le=1, description="Rows with less confidence have failed.")
    rate: float | None = Field(
        None,
        ge=0,
        description="Vectors per second, Hz: rows are laid on this grid by their times, or are as many as"
        " that without times; 0 for one vector per clip; null = that of the first file's times.",
    )
    array: str = Field("", description="Array of an .npz; default its only one.")

    @field_validator("path")
    @classmethod
    def names_the_clip(cls, path: str) -> str:
        """Refuse a path that is the same for all clips, or of a kind that is not read."""
        found = re.findall(r"\{[^}]*\}", path)
        if not found or set(found) - set(PLACES):
            raise ValueError(
                f"write {' or '.join(PLACES)} where the clip's name belongs, and no other braces"
            )
        if not path.lower().endswith(ENDINGS):
            raise ValueError(f"files of this ending cannot be read; use one of {', '.join(ENDINGS)}")
        return path

    @property
    def folder(self) -> str:
        """The folder in which all files lie, or below which."""
        return self.path.partition("{")[0].rpartition("/")[0]

    @property
    def is_table(self) -> bool:
        """Whether the files are tables with named columns."""
        return not self.path.lower().endswith((".npy", ".npz"))

    @model_validator(mode="after")
    def the_rate_is_known(self) -> ExportedFiles:
        """Refuse arrays with columns, a limit without its column, and rows whose times nobody says."""
        named = [name for name in ("columns", "drop", "time", "success", "confidence") if getattr(self, name)]
        if not self.is_table and named:
            raise ValueError(f"{named[0]}: an array has no named columns; remove the key")
        if self.array and not self.path.lower().endswith(".npz"):
            raise ValueError("array: only an .npz has several; remove the key")
        if self.least_confidence and not self.confidence:
            raise ValueError("confidence: name the column that least_confidence is compared with")
        if self.rate is None and not self.time:
            raise ValueError("rate: give the vectors per second, 0 for one per clip, or the column time")
        return self
