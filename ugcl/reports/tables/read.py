"""A benchmark's tables as reports use them: numbers as numbers."""

from __future__ import annotations

import pandas as pd

from ugcl.data import tables
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.plan.evaluation import table


def read(name: str, benchmark: str) -> pd.DataFrame:
    """Read one of a benchmark's tables.

    Args:
        name: a stem of :data:`ugcl.evaluation.schemas.summary.TABLES`.

    Returns:
        The table; number columns as numbers, empty cells of them as NaN.

    Raises:
        UgclError: the table is missing, has other columns than its schema, or a word among numbers.
    """
    path = table(benchmark, name)
    return schema.typed(tables.read(path), TABLES[name], path)
