"""The tables that rooms exchange: their columns, how they are read and how they are written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from ugcl.errors import UgclError

PARTS = ("train", "dev", "test")

MANIFEST = pa.DataFrameSchema(
    {
        "clip": pa.Column(str, pa.Check.str_matches(r"^[\w.+-]+$"), unique=True),
        "audio": pa.Column(str),
        "video": pa.Column(str),
        "speaker": pa.Column(str, pa.Check.str_length(min_value=1)),
        "sex": pa.Column(str, pa.Check.isin(["female", "male", ""])),
        "age": pa.Column("Int64", pa.Check.in_range(0, 120), nullable=True),
        "sentence": pa.Column(str),
        "session": pa.Column(str),
        "level": pa.Column(str),
        "start": pa.Column(float, pa.Check.ge(0), nullable=True, required=False),
        "end": pa.Column(float, pa.Check.gt(0), nullable=True, required=False),
        "region": pa.Column(str, pa.Check.isin(["", "left", "right"]), required=False),
        "turn": pa.Column("Int64", pa.Check.ge(0), required=False),
        "duration": pa.Column(float, pa.Check.ge(0), nullable=True),
        "audio_sha256": pa.Column(str, pa.Check.str_matches(r"^([0-9a-f]{64})?$")),
        "video_sha256": pa.Column(str, pa.Check.str_matches(r"^([0-9a-f]{64})?$")),
    },
    strict=False,
)
"""One row a clip; label columns hold class names ("" = none), `votes_<channel>_<class>` hold counts.

A corpus whose clips are parts of longer videos has `start` and `end`, seconds in the video file (empty =
all of it), and may have `region`, the half of the picture where the speaker is. One with dialogues has
`dialogue`, `turn` (the order in it) and `transcript`. The rest are facts of the corpus under its own names.
"""

INTEGERS = ("age", "turn")
FLOATS = ("duration", "start", "end", "valence", "arousal", "dominance", "naturalness")
NUMBERS = dict.fromkeys(INTEGERS, "Int64") | dict.fromkeys(FLOATS, "float64")

SPLIT = pa.DataFrameSchema(
    {"clip": pa.Column(str, unique=True), "part": pa.Column(str, pa.Check.isin(PARTS))},
    strict=True,
)
"""One row a clip of the protocol."""


def validate(frame: pd.DataFrame, schema: pa.DataFrameSchema, source: str) -> pd.DataFrame:
    """Check a table against its schema.

    Raises:
        UgclError: a column is missing or holds a wrong value; the first fault is named with its row.
    """
    try:
        return schema.validate(frame)
    except pa.errors.SchemaError as error:
        text = " ".join(str(error).split())
        raise UgclError(f"{source}: {text[:300]}; mend the table") from None


def read(path: Path) -> pd.DataFrame:
    """Read a CSV with every column as text and empty cells as ""."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; run the stage that makes it, or mend the path") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UgclError(f"{path}: not a readable CSV ({error}); save it as UTF-8 with a header") from None


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV whose bytes depend on its values alone, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    frame.to_csv(partial, index=False, lineterminator="\n", float_format="%.6f")
    partial.replace(path)


def read_manifest(path: Path) -> pd.DataFrame:
    """Read and validate a manifest.

    Returns:
        One row a clip, sorted by clip: `votes_*` and INTEGERS as integers, FLOATS as floats, the rest as str.
    """
    return validate(typed(read(path), str(path)), MANIFEST, str(path))


def typed(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Give a manifest's numeric columns their types, where they still are text.

    Raises:
        UgclError: a cell of such a column is no number.
    """
    for column in frame:
        kind = "Int64" if column.startswith("votes_") else NUMBERS.get(column)
        if kind is None or frame[column].dtype == kind:
            continue
        try:
            frame[column] = pd.to_numeric(frame[column].replace("", pd.NA)).astype(kind)
        except (TypeError, ValueError) as error:
            raise UgclError(
                f"{source}: column {column!r}: {error}; write numbers or leave it empty"
            ) from None
    return frame


def read_split(path: Path) -> pd.DataFrame:
    """Read and validate the split table of one fold."""
    return validate(read(path), SPLIT, str(path))
