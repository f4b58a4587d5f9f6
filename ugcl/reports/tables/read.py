"""The summary's tables as reports use them: numbers as numbers, one benchmark at a time."""

from __future__ import annotations

import pandas as pd

from ugcl.data import tables
from ugcl.evaluation import schema
from ugcl.evaluation.tables.schemas import TABLES
from ugcl.plan.evaluation import table


def read(name: str, benchmark: str | None = None) -> pd.DataFrame:
    """Read one of the summary's tables.

    Args:
        name: a stem of :data:`ugcl.evaluation.tables.schemas.TABLES`.
        benchmark: keep its rows alone.

    Returns:
        The table; number columns as numbers, empty cells of them as NaN.

    Raises:
        UgclError: the table is missing, has other columns than its schema, or a word among numbers.
    """
    frame = tables.read(table(name))
    if benchmark is not None:
        frame = frame[frame["benchmark"] == benchmark].reset_index(drop=True)
    return schema.typed(frame, TABLES[name], table(name))
