"""The rows of a file that another program wrote, as numbers: tables and arrays."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config.encoders.files import ExportedFiles
from ugcl.features.media.container import check_file
from ugcl.features.media.failure import MediaError


@dataclass(frozen=True)
class Rows:
    """What a file holds.

    Attributes:
        values: (rows, dim) float64.
        good: (rows,) bool, False where the program failed.
        times: (rows,) seconds, None where the file has none.
        columns: names of the values; empty of an array.
    """

    values: np.ndarray
    good: np.ndarray
    times: np.ndarray | None = None
    columns: Sequence[str] = ()


def read(path: Path, settings: ExportedFiles, columns: Sequence[str] | None = None) -> Rows:
    """Read a file.

    Args:
        columns: the features of a table, as another file of the corpus had them; default by the settings.

    Raises:
        MediaError: missing, empty, or unreadable: it is not of its kind, lacks a column, or has words there.
    """
    check_file(path)
    try:
        return _table(path, settings, columns) if settings.is_table else _array(path, settings)
    except MediaError:
        raise
    except Exception as error:  # libraries raise exceptions of many kinds of what they cannot read
        raise MediaError("unreadable", f"{path}: {type(error).__name__} {error}") from None


def _array(path: Path, settings: ExportedFiles) -> Rows:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = np.load(path, allow_pickle=False)
    if path.suffix.lower() == ".npz":
        with loaded:
            name = settings.array or (loaded.files[0] if len(loaded.files) == 1 else "")
            if name not in loaded.files:
                known = ", ".join(loaded.files)
                raise MediaError("unreadable", f"{path}: no array {name!r} (it has {known}); set array")
            loaded = loaded[name]
    if loaded.dtype.kind not in "iuf" or loaded.ndim not in (1, 2):
        form = f"{loaded.dtype} of shape {loaded.shape}"
        raise MediaError("unreadable", f"{path}: {form}; it must be numbers (D,) or (T, D)")
    values = np.atleast_2d(loaded).astype(np.float64)
    return Rows(values, np.ones(len(values), bool))


def _table(path: Path, settings: ExportedFiles, columns: Sequence[str] | None) -> Rows:
    with path.open(encoding="utf-8-sig") as file:
        head = file.readline()
    separator = max(",;\t", key=head.count)  # openSMILE writes semicolons
    frame = pd.read_csv(path, sep=separator, skipinitialspace=True, encoding="utf-8-sig", index_col=False)
    frame.columns = frame.columns.str.strip()
    if frame.empty:
        raise MediaError("empty", f"{path}: has no rows")
    own = [name for name in (settings.time, settings.success, settings.confidence) if name]
    wanted = list(columns) if columns is not None else _chosen(list(frame), settings, own)
    for name in [*own, *wanted]:
        if name not in frame:
            raise MediaError("unreadable", f"{path}: no column {name!r}")
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise MediaError("unreadable", f"{path}: column {name!r} is not a number; drop it")
    good = np.ones(len(frame), bool)
    if settings.success:
        good &= frame[settings.success].fillna(0).to_numpy() != 0
    if settings.confidence:
        good &= frame[settings.confidence].fillna(0).to_numpy() >= settings.least_confidence
    times = frame[settings.time].to_numpy(np.float64) if settings.time else None
    if times is not None and not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        text = f"column {settings.time!r} does not rise from row to row; keep one face, or one row, per time"
        raise MediaError("unreadable", f"{path}: {text}")
    return Rows(frame[wanted].to_numpy(np.float64), good, times, wanted)


def _chosen(names: list[str], settings: ExportedFiles, own: Sequence[str]) -> list[str]:
    """The columns of the features, in the order of the file."""

    def fits(name: str, patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    left = [name for name in names if name not in own and not fits(name, settings.drop)]
    return [name for name in left if fits(name, settings.columns)] if settings.columns else left
