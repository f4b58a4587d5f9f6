"""The rows of a corpus in audformat (audEERING): one clip per row of some tables of the database."""

from __future__ import annotations

import importlib
import logging
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import yaml

from ugcl.config.corpora import Database
from ugcl.data.annotations.segments import ODD
from ugcl.data.recordings.files import VIDEO
from ugcl.data.splits.leaks import listed
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
PART = {"train": "train", "dev": "dev", "develop": "dev", "test": "test"}
SOURCE = re.compile(r"(?:(?P<table>[^/]+)/)?(?P<column>[^/:]+)(?::(?P<field>[^/:]+))?")
KEYS = ["file", "start", "end"]


def audformat() -> Any:
    """The library.

    Raises:
        UgclError: it is not installed.
    """
    try:
        return importlib.import_module("audformat")
    except ImportError:
        raise UgclError("audformat is not installed; `pip install -e '.[audformat]'`") from None


def rows(root: Path, settings: Database) -> pd.DataFrame:
    """One row per row of the database's tables.

    A file is a clip's sound, or its video where its ending says so. A clip is named by its file, and by its
    times in milliseconds where it is a segment. Where the tables have splits, the column `part` has their
    types.

    Raises:
        UgclError: audformat is not installed, the root is not a database, may run code when it is read, or
            lacks a table, column or field; or two rows are one clip, or a clip has no speaker.
    """
    try:
        _check_data_alone(root)
        database = audformat().Database.load(str(root))
        frame = pd.concat([_rows(database, table, settings) for table in settings.tables], ignore_index=True)
    except UgclError:
        raise
    except Exception as error:  # whatever the library raises of a broken database
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise UgclError(f"{root}: cannot be read as an audformat database ({reason}); fix it") from None
    twice = frame["clip"][frame["clip"].duplicated()]
    if len(twice):
        raise UgclError(f"{root}: two rows of {listed(settings.tables)} are clip {twice.iloc[0]!r}; keep one")
    if "speaker" in frame and (frame["speaker"] == "").any():
        clip = frame.loc[frame["speaker"] == "", "clip"].iloc[0]
        raise UgclError(
            f"{root}: clip {clip!r} has no speaker in {settings.columns['speaker']!r}; fill it in"
        )
    return frame


def _check_data_alone(root: Path) -> None:
    """Refuse what the library would run: it unpickles tables, and builds any object that a header names."""
    pickled = sorted(root.glob("db.*.pkl"))
    if pickled:
        raise UgclError(
            f"{pickled[0]}: a pickled table, which may run code when it is read; remove it, or save the"
            " database with storage_format='parquet'"
        )
    header = root / "db.yaml"
    try:
        tree = yaml.safe_load(header.read_text("utf-8"))
    except yaml.constructor.ConstructorError as error:
        place = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UgclError(f"{header}{place}: a Python object, which may run code; save plain values") from None
    for name in [*(tree.get("tables") or {}), *(tree.get("misc_tables") or {})]:
        if set("/\\") & set(str(name)):
            raise UgclError(f"{header}: table {name!r} would be read from another folder; rename it")


def _rows(database: Any, name: str, settings: Database) -> pd.DataFrame:
    table = _table(database, name)
    index = table.get(as_segmented=True).reset_index()[KEYS]
    frame = pd.DataFrame({"file": index["file"].astype(str)})
    # A whole file has no times; an end that is not known is the file's.
    times = {key: index[key].dt.total_seconds().astype(float) for key in KEYS[1:]}
    whole = times["end"].isna() & (times["start"] == 0)
    frame["start"], frame["end"] = times["start"].mask(whole), times["end"]
    films = frame["file"].map(lambda file: PurePosixPath(file).suffix.lower() in VIDEO)
    frame["audio"], frame["video"] = frame["file"].mask(films, ""), frame["file"].where(films, "")
    if table.split_id is not None:
        kind = str(database.splits[table.split_id].type)
        frame["part"] = PART.get(kind, table.split_id)
    for column, source in settings.columns.items():
        frame[column] = _values(database, name, source, index)
    frame["clip"] = [_clip(*row) for row in frame[KEYS].itertuples(index=False)]
    return frame.drop(columns="file")


def _clip(file: str, start: float, end: float) -> str:
    name = ODD.sub("_", str(PurePosixPath(file).with_suffix("")))
    times = "-".join("" if pd.isna(second) else str(round(1000 * second)) for second in (start, end))
    return name if times == "-" else f"{name}_{times}"


def _values(database: Any, main: str, source: str, index: pd.DataFrame) -> list[str]:
    """A column as text, in the order of the rows; "" where it has no value."""
    match = SOURCE.fullmatch(source)
    if match is None:
        raise UgclError(f"columns: {source!r} is not [table/]column[:field]; fix it")
    name, column, field = match["table"] or main, match["column"], match["field"]
    table = _table(database, name)
    if column not in table.columns:
        known = listed([repr(one) for one in table.columns]) or "none"
        raise UgclError(f"table {name!r} has no column {column!r} (it has {known}); fix columns")
    if field is None:
        values = table.get()[column]
    else:
        try:
            values = table.get(map={column: field})[field]
        except (ValueError, KeyError):
            raise UgclError(
                f"column {column!r} of table {name!r} has no field {field!r} in its scheme"
            ) from None
    if name != main:
        keys = pd.Index(index["file"]) if table.is_filewise else pd.MultiIndex.from_frame(index)
        lost = len(keys) - int(keys.isin(values.index).sum())
        if lost and lost == len(keys):
            raise UgclError(
                f"columns: no row of table {main!r} is one of table {name!r}; both need the same files, and"
                " the same segments where the second has segments"
            )
        if lost:
            log.warning("column %s: %d of %d rows of table %s are not in it", source, lost, len(keys), main)
        values = values.reindex(keys)
    return ["" if pd.isna(value) else str(value) for value in values.astype(object)]


def _table(database: Any, name: str) -> Any:
    if name not in database.tables:
        known = listed([repr(one) for one in database.tables]) or "none"
        raise UgclError(f"the database has no table {name!r} (it has {known}); fix tables")
    return database.tables[name]
