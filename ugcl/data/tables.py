"""The tables that rooms exchange: their columns, how they are read and how they are written."""

from __future__ import annotations

import csv
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from ugcl.errors import UgclError
from ugcl.files import whole

PARTS = ("train", "dev", "test")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def matches(pattern: str) -> pa.Check:
    """A check that every text of a column fits a pattern from its start to its end.

    The column is matched as one long text, which takes a third of the time of a match per cell; cell by cell
    only a column that failed is looked at, to name the cell.
    """
    whole, single = re.compile(rf"(?:{pattern}\n)*+"), re.compile(pattern)

    def check(column: pd.Series) -> Any:
        text = "\n".join([*column.to_numpy(), ""])
        if whole.fullmatch(text) and text.count("\n") == len(column):
            return True
        return column.map(lambda cell: single.fullmatch(cell) is not None)

    return pa.Check(check, name=f"matches {pattern}")


def sha256_or_empty() -> pa.Check:
    """A check that every cell is a SHA-256 in lower-case hexadecimal digits, or empty.

    Of a million hashes a pattern takes three times as long.
    """

    digits = b"0123456789abcdef"

    def check(column: pd.Series) -> Any:
        cells = column.to_numpy()
        if set(map(len, cells)) <= {0, 64} and not "".join(cells).encode().translate(None, digits):
            return True
        return column.str.fullmatch(r"(?:[0-9a-f]{64})?")

    return pa.Check(check, name="SHA-256")


MANIFEST = pa.DataFrameSchema(
    {
        "clip": pa.Column(str, matches(r"[\w.+-]+"), unique=True),
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
        "cut": pa.Column(str, pa.Check.isin(["", "video"]), required=False),
        "region": pa.Column(str, pa.Check.isin(["", "left", "right"]), required=False),
        "dialogue": pa.Column(str, required=False),
        "turn": pa.Column("Int64", pa.Check.ge(0), nullable=True, required=False),
        "duration": pa.Column(float, pa.Check.ge(0), nullable=True),
        "audio_sha256": pa.Column(str, sha256_or_empty()),
        "video_sha256": pa.Column(str, sha256_or_empty()),
    },
    strict=False,
)
"""One row per clip; label columns hold class names ("" = none), `votes_<channel>_<class>` hold counts.

A corpus whose clips are parts of longer files has `start` and `end`, seconds in its sound and video files
(empty = to the end, or all of it); `cut` is "video" where a clip has a sound file of its own, which they do
not cut. It may have `region`, the half of the picture where the speaker is. One with dialogues has
`dialogue` (a name unique in the corpus, "" = none), `turn` (the order in it) and `transcript`. The rest are
facts of the corpus under its own names.
"""

INTEGERS = ("age", "turn")
FLOATS = ("duration", "start", "end", "valence", "arousal", "dominance", "naturalness")
NUMBERS = dict.fromkeys(INTEGERS, "Int64") | dict.fromkeys(FLOATS, "float64")

_PART = pa.Column(str, pa.Check.isin(PARTS))
SPLIT = pa.DataFrameSchema({"clip": pa.Column(str, unique=True), "part": _PART}, strict=True)
"""One row per clip of the protocol."""


NAMED = {"audio": ("audio", "video"), "video": ("video",), "text": ("transcript",)}
"""Modality → columns of a manifest; a clip has the modality where one of them is filled."""

KEPT = "kept"
"""Column of a quarantine: "yes" in rows of clips that stay, without that modality."""


def set_aside(quarantine: pd.DataFrame) -> pd.DataFrame:
    """The rows of a quarantine whose clips are in no part; the others stay without a modality."""
    return quarantine[quarantine[KEPT] == ""] if KEPT in quarantine else quarantine


def validate(frame: pd.DataFrame, schema: pa.DataFrameSchema, source: str) -> pd.DataFrame:
    """Check a table against its schema.

    Raises:
        UgclError: a column is missing or holds a wrong value; the first fault is named with its row.
    """
    try:
        return schema.validate(frame)
    except pa.errors.SchemaError as error:
        text = " ".join(str(error).split())
        raise UgclError(f"{source}: {text[:300]}; fix the table") from None


def read(path: Path, numbers: Iterable[str] = ()) -> pd.DataFrame:
    """Read a CSV with every column as text and empty cells as "".

    Args:
        numbers: columns to read as float64 instead, NaN where empty.

    Raises:
        UgclError: the file is missing or is not a CSV.
        ValueError: a cell of `numbers` is not a number.
    """
    types = defaultdict(lambda: str, dict.fromkeys(numbers, "float64"))
    absent = {column: [""] for column in types}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Rows with a field more than the header must not move all columns by one.
            frame = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=absent, index_col=False)
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; run the stage that makes it, or fix the path") from None
    except (pd.errors.ParserWarning, pd.errors.ParserError):
        frame = _without_empty_fields(path)
    except (pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UgclError(f"{path}: not a readable CSV ({error}); save it as UTF-8 with a header") from None
    for separator, name in SEPARATORS.items():
        if len(frame.columns) == 1 and separator in frame.columns[0]:
            raise UgclError(f"{path}: its columns are separated by {name}; save it as CSV with commas")
    return frame


def _without_empty_fields(path: Path) -> pd.DataFrame:
    """A CSV of text, some of whose rows have more fields than the header: commas at their end.

    Raises:
        UgclError: such a field is not empty, or the file has a quote that is not closed.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except csv.Error as error:
        raise UgclError(f"{path}: not a readable CSV ({error}); save it as UTF-8 with a header") from None
    width = len(rows[0])
    for number, row in enumerate(rows[1:], 2):
        if any(row[width:]):
            raise UgclError(
                f"{path}: row {number} has {len(row)} fields, the header has {width}; remove a comma, or put"
                " text with commas in quotes"
            )
    return pd.DataFrame([(row + [""] * width)[:width] for row in rows[1:]], columns=rows[0], dtype=str)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV whose bytes depend on its values alone, in one step.

    Raises:
        UgclError: the disk is full.
    """
    with whole(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n", float_format="%.6f")


def read_manifest(path: Path) -> pd.DataFrame:
    """Read and validate a manifest.

    Returns:
        One row per clip, sorted by clip: `votes_*` and INTEGERS as integers, FLOATS as floats, the rest as
        str.
    """
    numbers = [column for column in _header(path) if _kind(column)]
    try:
        frame = read(path, numbers)
    except ValueError:
        frame = read(path)  # as text, for `typed` to name the cell
    return validate(typed(frame, str(path)), MANIFEST, str(path))


def _header(path: Path) -> list[str]:
    try:
        return list(pd.read_csv(path, nrows=0))
    except (OSError, ValueError):
        return []  # `read` says what is wrong


def _kind(column: str) -> str | None:
    """The type of a manifest's numeric column, None for text."""
    return "Int64" if column.startswith("votes_") else NUMBERS.get(column)


def typed(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Give a manifest's numeric columns their types, where they still are text.

    Raises:
        UgclError: a cell of such a column is not a number.
    """
    for column in frame:
        kind = _kind(column)
        if kind is None or frame[column].dtype == kind:
            continue
        try:
            if not pd.api.types.is_numeric_dtype(frame[column]):
                frame[column] = pd.to_numeric(frame[column].replace("", pd.NA))
            frame[column] = frame[column].astype(kind)
        except (TypeError, ValueError) as error:
            raise UgclError(f"{source}: column {column!r}: {error}; write numbers or nothing") from None
    return frame


def read_split(path: Path) -> pd.DataFrame:
    """Read and validate the split table of one fold."""
    return validate(read(path), SPLIT, str(path))
