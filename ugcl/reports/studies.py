"""Searches for settings in reports: their tables and figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ugcl.data import tables
from ugcl.plan import paths
from ugcl.plan.names import COUNTED, TITLES
from ugcl.reports import theme
from ugcl.reports.figures import drawing

OWN = ("trial", "state", *(f"dev_{name}" for name in COUNTED), "epochs", "seconds")
"""Columns of the table of trials that are not parameters."""

SHADE = theme.PALETTE[0]
BEST = theme.PALETTE[1]
FEW = 6
"""A parameter with as many values at most is drawn by its values and not to scale."""


def read(benchmark: str, system: str, name: str) -> pd.DataFrame:
    """Read `trials` or `importances` of a search; columns of numbers as numbers."""
    frame = tables.read(paths.study_table(benchmark, system, name))
    for column in frame:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        if (numbers.notna() | (frame[column] == "")).all():
            frame[column] = numbers
    return frame


def parameters(trials: pd.DataFrame) -> list[str]:
    """The parameters that were searched."""
    return [column for column in trials if column not in OWN]


def score(trials: pd.DataFrame) -> tuple[str, str]:
    """The column of the dev score that was searched for, and its name in words, such as `dev UAR`."""
    primary = next(name for name in COUNTED if f"dev_{name}" in trials)
    return f"dev_{primary}", f"dev {TITLES[primary]}"


def best(trials: pd.DataFrame, count: int = 5) -> pd.DataFrame:
    """The best complete trials as cells, the best first: trial, dev score, and each parameter's value."""
    column, words = score(trials)
    rows = trials[trials["state"] == "complete"].sort_values(
        [column, "trial"], ascending=[False, True], kind="stable"
    )
    cells = {"trial": rows["trial"].map("{:.0f}".format), words: rows[column].map("{:.3f}".format)}
    cells |= {name: rows[name].map(_value) for name in parameters(trials)}
    return pd.DataFrame(cells).head(count).reset_index(drop=True)


def history(trials: pd.DataFrame, title: str = "") -> Figure:
    """Dev score of every trial and of the best so far; crosses at the bottom were cut short.

    Args:
        trials: columns trial, state, dev_<primary>.
    """
    column, words = score(trials)
    complete = trials[trials["state"] == "complete"]
    pruned = trials.loc[trials["state"] == "pruned", "trial"]
    with theme.style():
        figure, axes = drawing.panels(2.6)
        so_far = complete[column].cummax()
        axes.step(complete["trial"], so_far, where="post", color=BEST, label="best so far")
        axes.plot(complete["trial"], complete[column], "o", color=SHADE, markersize=4, label="complete")
        if len(pruned):
            floor = complete[column].min() if len(complete) else 0
            axes.plot(pruned, np.full(len(pruned), floor), "x", color=theme.GREY, label="cut short")
        axes.yaxis.set_major_formatter(drawing.PERCENT)
        axes.set_xlabel("trial")
        axes.set_ylabel(f"{words}, mean of folds")
        axes.legend(loc="lower right")
        axes.set_title(title)
    return figure


def importances(table: pd.DataFrame, title: str = "", words: str = "dev UAR") -> Figure:
    """What share of the variance of the dev score each parameter explains.

    Args:
        table: columns parameter, importance, the largest first.
        words: the score, of :func:`score`.
    """
    with theme.style():
        figure, axes = drawing.panels(0.8 + 0.26 * len(table))
        axes.hlines(range(len(table)), 0, table["importance"], color=SHADE, linewidth=2)
        for y, value in enumerate(table["importance"]):
            axes.plot([value], [y], "o", color=SHADE)
            drawing.beside(axes, y, f"{100 * value:.0f} %")
        drawing.names(axes, table["parameter"].tolist())
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(drawing.PERCENT)
        axes.set_xlabel(f"share of the variance of {words} (fANOVA)")
        axes.set_title(title)
    return figure


def slices(trials: pd.DataFrame, title: str = "", columns: int = 3) -> Figure:
    """Dev score against each parameter's value, complete trials alone; the best is marked.

    Args:
        trials: columns state, dev_<primary> and the parameters.
        columns: panels side by side.
    """
    column, _ = score(trials)
    complete = trials[trials["state"] == "complete"]
    names = parameters(trials)
    lines = -(-len(names) // columns)
    with theme.style():
        figure, grid = drawing.panels(1.7 * lines + 0.3, lines, columns, squeeze=False)
        drawing.hide_rest(grid, len(names))
        for axes, name in zip(grid.flat, names, strict=False):
            values = complete[name]
            known = sorted(values.unique())
            few = len(known) <= FEW
            if few or not pd.api.types.is_numeric_dtype(values):
                axes.set_xticks(range(len(known)), [_value(value) for value in known])
                values = values.map(known.index)
            elif values.min() > 0 and values.max() / values.min() > 20:
                axes.set_xscale("log")
            axes.plot(values, complete[column], "o", color=SHADE, markersize=3.5, alpha=0.6)
            if len(complete):
                top = complete[column].idxmax()
                axes.plot([values[top]], [complete[column][top]], "o", color=BEST, markersize=5.5)
            axes.set_xlabel(name)
            axes.yaxis.set_major_formatter(drawing.PERCENT)
        drawing.title(figure, title)
    return figure


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
