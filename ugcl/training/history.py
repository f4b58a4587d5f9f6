"""The table of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ugcl.data import tables
from ugcl.losses.total import PARTS

COLUMNS = ("epoch", "lr", *PARTS, "dev_uar", "dev_war", "dev_loss", "test_uar", "seconds")
"""`test_uar` is there to report what selection on test would have given; nothing selects by it."""


def write(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write the history; parts of the loss that the system lacks have no column."""
    columns = [name for name in COLUMNS if any(name in row for row in rows)]
    frame = pd.DataFrame(rows, columns=columns).astype({"epoch": int})
    frame["lr"] = frame["lr"].map("{:.9f}".format)
    tables.write(frame, path)


def read(path: Path) -> pd.DataFrame:
    """Read a history, one row an epoch, numbers as numbers."""
    return tables.read(path).apply(pd.to_numeric)
