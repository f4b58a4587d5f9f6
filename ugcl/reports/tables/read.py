"""A benchmark's tables as reports use them: numbers as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.data import tables
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.plan.evaluation import table
from ugcl.plan.names import FEW
from ugcl.reports.tables import cells

OVER_ALL_SPEAKERS = ("comparisons", "ablations", "disagreement", "pairs", "system_pairs")
"""Tables with intervals over all speakers of a benchmark, without a column that counts them."""


def read(name: str, benchmark: str) -> pd.DataFrame:
    """Read one of a benchmark's tables.

    Args:
        name: a stem of :data:`ugcl.evaluation.schemas.summary.TABLES`.

    Returns:
        The table; number columns as numbers, empty cells of them as NaN. Intervals over fewer than FEW
        speakers, or dialogues where those are drawn, are NaN too: they are as wide as the scale, or narrow by
        chance.

    Raises:
        UgclError: the table is missing, has other columns than its schema, or a word among numbers.
    """
    path = table(benchmark, name)
    typed = schema.typed(tables.read(path), TABLES[name], path)
    ends = [column for column in typed if column.endswith(("_low", "_high"))]
    drawn = dialogues(benchmark) if ends else None
    if drawn is not None:
        typed.loc[:, ends] = typed[ends] if drawn >= FEW else np.nan
    elif "speakers" in typed:
        typed.loc[typed["speakers"] < FEW, ends] = np.nan
    elif name in OVER_ALL_SPEAKERS and len(typed):
        speakers = read("summary", benchmark).groupby("benchmark")["speakers"].min()
        typed.loc[typed["benchmark"].map(speakers) < FEW, ends] = np.nan
    return typed


def dialogues(benchmark: str) -> int | None:
    """How many dialogues a benchmark's intervals draw from; None where they draw speakers."""
    facts = read("dialogues", benchmark)
    by_dialogue = len(facts) and facts["intervals"].iloc[0] == "dialogue"
    return int(facts["units"].iloc[0]) if by_dialogue else None


def no_intervals(benchmark: str) -> str:
    """Why a benchmark's scores have no intervals; "" where they have."""
    count, unit = dialogues(benchmark), "dialogue"
    if count is None:
        summary = read("summary", benchmark)
        count, unit = int(summary["speakers"].min()) if len(summary) else FEW, "speaker"
    if count >= FEW:
        return ""
    units = cells.counted(count, unit)
    return f"No intervals: with {units} (under {FEW}) an interval says next to nothing."
