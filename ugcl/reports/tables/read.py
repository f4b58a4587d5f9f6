"""The summary's tables as reports use them: numbers as numbers, one benchmark at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.data import tables
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.plan.evaluation import table
from ugcl.plan.names import FEW
from ugcl.reports.tables import cells

OVER_ALL_SPEAKERS = ("comparisons", "ablations", "disagreement", "pairs")
"""Tables with intervals over all speakers of a benchmark, without a column that counts them."""


def read(name: str, benchmark: str | None = None) -> pd.DataFrame:
    """Read one of the summary's tables.

    Args:
        name: a stem of :data:`ugcl.evaluation.schemas.summary.TABLES`.
        benchmark: keep its rows alone.

    Returns:
        The table; number columns as numbers, empty cells of them as NaN. Intervals over fewer than FEW
        speakers are NaN too: they are as wide as the scale, or narrow by chance.

    Raises:
        UgclError: the table is missing, has other columns than its schema, or a word among numbers.
    """
    frame = tables.read(table(name))
    if benchmark is not None:
        frame = frame[frame["benchmark"] == benchmark].reset_index(drop=True)
    typed = schema.typed(frame, TABLES[name], table(name))
    ends = [column for column in typed if column.endswith(("_low", "_high"))]
    if "speakers" in typed:
        typed.loc[typed["speakers"] < FEW, ends] = np.nan
    elif name in OVER_ALL_SPEAKERS and len(typed):
        speakers = read("summary", benchmark).groupby("benchmark")["speakers"].min()
        typed.loc[typed["benchmark"].map(speakers) < FEW, ends] = np.nan
    return typed


def no_intervals(summary: pd.DataFrame) -> str:
    """Why a benchmark's scores have no intervals; "" where they have.

    Args:
        summary: its rows of the table `summary`.
    """
    count = int(summary["speakers"].min()) if len(summary) else FEW
    if count >= FEW:
        return ""
    speakers = cells.counted(count, "speaker")
    return f"No intervals: with {speakers} (under {FEW}) an interval says next to nothing."
