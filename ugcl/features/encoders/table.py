"""Precomputed features read from a CSV in place of an encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl.config.features import Table
from ugcl.data.sources import sha256
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

ABSENT = ["", "NA", "N/A", "nan", "NaN", "-nan", "-NaN", "null", "NULL", "None"]
"""Cells that stand for no number."""


class TableEncoder:
    """Vectors of a CSV, such as OpenFace action units: one row per clip (rate 0) or one row per frame.

    Args:
        config: the table's key column, columns to drop, rate, and how names are matched.

    Raises:
        UgclError: the table is missing, lacks a column, has a column that is not a number, or two rows per
            clip where there must be one.
    """

    layers = 1
    needs_faces = False

    def __init__(self, name: str, config: Table, path: Path) -> None:
        self.name, self.modality, self.rate, self.config = name, config.modality, config.rate, config
        if not path.is_file():
            raise UgclError(f"{path}: not found; put the table of encoder {name!r} there, or fix its path")
        frame = pd.read_csv(path, nrows=0)
        for column in (config.key, *config.drop):
            if column not in frame:
                raise UgclError(f"{path}: no column {column!r}; fix encoders.{name}")
        # Only a number can be absent: a clip may be called NA, nan or None.
        absent = {column: ABSENT for column in frame if column != config.key}
        frame = pd.read_csv(path, dtype={config.key: str}, keep_default_na=False, na_values=absent)
        keys = frame[config.key].map(self._fields)
        values = frame.drop(columns=[config.key, *config.drop])
        words = [column for column in values if not pd.api.types.is_numeric_dtype(values[column])]
        if words:
            raise UgclError(f"{path}: column {words[0]!r} is not a number; list it in encoders.{name}.drop")
        self.columns, self.dim = list(values), values.shape[1]
        self.rows = {key: group.to_numpy(np.float32) for key, group in values.groupby(keys, sort=False)}
        double = next((key for key, rows in self.rows.items() if config.rate == 0 and len(rows) > 1), None)
        if double is not None:
            raise UgclError(f"{path}: {double!r} has several rows; set encoders.{name}.rate for frames")
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "columns": self.columns,
            "sha256": sha256(path),
        }

    def encode(self, clip: Clip) -> np.ndarray:
        """The clip's rows, (rows, columns) float32."""
        rows = self.rows.get(self._fields(clip.name))
        if rows is None:
            raise MediaError("missing", f"{clip.name}: the table {self.config.path} has no row of this clip")
        if not np.isfinite(rows).all():
            raise MediaError("unreadable", f"{clip.name}: the table {self.config.path} has empty cells")
        return rows

    def _fields(self, name: str) -> str:
        """The part of a name that is compared."""
        name, last = str(name).strip(), self.config.last_fields
        return "-".join(name.split("-")[-last:]) if last else name
