"""Tables about trained systems on another corpus, as pages list them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ugcl.plan.names import COUNTED, TITLES
from ugcl.reports.tables.cells import counted, fixed, percent

KINDS = {
    "home": "{system}, in {trained}",
    "ensemble": "{system}, runs vote",
    "single": "{system}, one run",
    "own": "{scored} of {of}",
}
"""Kind of a row → its name: the system on its own corpus, transferred, and the target's own systems."""


def name(row: Any) -> str:
    """What a row of the table scores."""
    return KINDS[row.kind].format(**{key: getattr(row, key) for key in ("system", "trained", "scored", "of")})


def scores(table: pd.DataFrame, primary: str = "uar") -> pd.DataFrame:
    """One row per kind and system: metrics in per cent with intervals, and calibration before and after.

    Args:
        table: rows of one trained system, columns of results/tables/<benchmark>/transfer.csv.
        primary: the metric that comes first.
    """
    shown = [primary, *(metric for metric in COUNTED if metric != primary)]
    lines = []
    for _, rows in table.groupby(["kind", "of", "scored"], sort=False):
        line = {"system": name(rows.iloc[0])}
        values = rows.set_index("metric")[["value", "ci_low", "ci_high"]]
        for metric in shown:
            line[TITLES[metric]] = percent(*values.loc[metric])
        for metric in ("ece", "ece_scaled"):
            line[TITLES[metric]] = fixed(values.loc[metric, "value"], 3)
        line["other class"] = percent(values.loc["other_class", "value"], np.nan, np.nan)
        first = rows.iloc[0]
        lines.append(line | {"clips": f"{first['clips']:.0f}", "speakers": f"{first['speakers']:.0f}"})
    return pd.DataFrame(lines)


def confusion(table: pd.DataFrame) -> pd.DataFrame:
    """Labels of the target by classes of the trained system, in per cent of each label's clips.

    Args:
        table: rows of one trained system, columns of results/tables/<benchmark>/transfer_confusion.csv.
    """
    labels, classes = (list(dict.fromkeys(table[key])) for key in ("label", "predicted"))
    counts = table.pivot(index="label", columns="predicted", values="count").loc[labels, classes]
    shares = 100 * counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    cells = shares.map(lambda value: fixed(value, 0)).rename_axis(columns=None)
    return cells.rename_axis("label").reset_index()


def matched(row: Any) -> str:
    """Which classes are scored, and which of either side have no counterpart.

    Args:
        row: any row of the table.
    """
    text = f"Scored among {', '.join(row['classes'].split())}."
    left, unmatched = row["left_out"], row["unmatched"].split()
    if left:
        clips = counted(int(row["left_out_clips"]), "clip")
        text += f" Left out: {clips} of classes without a counterpart in {row['trained']} ({left})."
    if unmatched:
        text += f" Not scored, without a counterpart in {row['benchmark']}: {', '.join(unmatched)}."
    return text
