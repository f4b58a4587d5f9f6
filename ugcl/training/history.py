"""The table of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ugcl.data import tables

FIRST = ("epoch", "lr", "loss", "classification")
LAST = ("dev_uar", "dev_war", "dev_loss", "test_uar", "seconds")
"""Between these columns come the method's own: its terms, then its facts. `test_uar` is there to report what
selection on test would have given; nothing selects by it."""


def write(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write the history; what the rows lack has no column."""
    names = dict.fromkeys(name for row in rows for name in row)
    own = [name for name in names if name not in (*FIRST, *LAST)]
    columns = [name for name in (*FIRST, *own, *LAST) if name in names]
    frame = pd.DataFrame(rows, columns=columns).astype({"epoch": int})
    frame["lr"] = frame["lr"].map("{:.9f}".format)
    tables.write(frame, path)


def read(path: Path) -> pd.DataFrame:
    """Read a history, one row per epoch, numbers as numbers."""
    return tables.read(path).apply(pd.to_numeric)
