"""The critical-difference diagram: systems on a line of mean ranks, joined where no test separates them."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ugcl.reports import theme
from ugcl.reports.figures import drawing

INK = "#303030"
STEP = 0.30
"""Height of a name's line, inches."""


def mean_ranks(pairs: pd.DataFrame) -> pd.Series:
    """System → mean rank over folds, the best (1) first, from rows of nemenyi.csv."""
    both = pd.concat([pairs.set_index("system")["rank"], pairs.set_index("other")["other_rank"]])
    return both[~both.index.duplicated()].sort_values(kind="stable")


def joined(ranks: pd.Series, critical: float) -> list[tuple[float, float]]:
    """The widest runs of systems whose mean ranks lie within the critical difference, as (best, worst) rank.

    Args:
        ranks: of :func:`mean_ranks`.
        critical: how far apart two mean ranks must be to differ.
    """
    values = ranks.to_numpy()
    runs: list[tuple[float, float]] = []
    for i, best in enumerate(values):
        worst = values[values - best < critical].max()
        if (values[i:] <= worst).sum() > 1 and (not runs or worst > runs[-1][1]):
            runs.append((float(best), float(worst)))
    return runs


def critical_difference(
    friedman: pd.DataFrame, pairs: pd.DataFrame, palette: dict[str, str], title: str = ""
) -> Figure:
    """Systems by mean rank over folds; a bar joins those that Nemenyi's test does not separate.

    Source: Demšar, Journal of Machine Learning Research 7, 2006, section 3.2.2 and figure 1.

    Args:
        friedman: the benchmark's row of results/tables/<benchmark>/friedman.csv, or none.
        pairs: its rows of results/tables/<benchmark>/nemenyi.csv.
    """
    with theme.style():
        if friedman.empty:
            return _nothing(title)
        test, ranks = friedman.iloc[0], mean_ranks(pairs)
        runs = joined(ranks, test["critical_difference"])
        left = -(-len(ranks) // 2)
        bars = 0.22 * len(runs)
        depth = bars + STEP * left + 0.1
        above = 0.75
        figure, axes = drawing.panels(depth + above + 0.85)
        axes.set_xlim(1, len(ranks))
        axes.set_ylim(-depth, above)
        _scale(axes, len(ranks), test["critical_difference"])
        for number, (best, worst) in enumerate(runs):
            y = -0.16 - 0.22 * number
            axes.plot([best - 0.03, worst + 0.03], [y, y], color=INK, linewidth=3.2, solid_capstyle="butt")
        for place, (system, rank) in enumerate(ranks.items()):
            on_left = place < left
            line = place if on_left else len(ranks) - 1 - place
            _leader(axes, system, rank, -bars - STEP * (line + 0.7), on_left, theme.colour(palette, system))
        axes.set_xlabel(
            f"mean rank over {test['folds']:.0f} folds, 1 is best; a bar joins systems that Nemenyi's test"
            f" does not separate\nFriedman χ² = {test['statistic']:.2f}, {drawing.p_value(test['p'])}"
        )
        drawing.title(figure, title)
    return figure


def _scale(axes: Axes, systems: int, critical: float) -> None:
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.plot([1, systems], [0, 0], color=INK, linewidth=1)
    every = max(1, systems // 10)
    for tick in range(1, systems + 1):
        tall = (tick - 1) % every == 0
        axes.plot([tick, tick], [0, 0.09 if tall else 0.05], color=INK, linewidth=0.8)
        if tall:
            axes.text(tick, 0.13, str(tick), ha="center", va="bottom", fontsize=8)
    ends = [1, min(1 + critical, systems)]
    axes.plot(ends, [0.5, 0.5], color=theme.GREY, linewidth=1.2)
    for end in ends:
        axes.plot([end, end], [0.45, 0.55], color=theme.GREY, linewidth=1.2)
    wide = " (wider than the line)" if 1 + critical > systems else ""
    text = f"critical difference {critical:.2f}{wide}"
    axes.text(sum(ends) / 2, 0.58, text, ha="center", va="bottom", fontsize=8, color=theme.GREY)


def _leader(axes: Axes, system: str, rank: float, y: float, on_left: bool, shade: str) -> None:
    """The elbow from a rank on the line to the system's name beside the axes."""
    low, high = axes.get_xlim()
    edge, far = (low, -0.012) if on_left else (high, 1.012)
    axes.plot([rank, rank, edge], [0, y, y], color=shade, linewidth=1, clip_on=False)
    axes.plot([rank], [0], "o", color=shade, markersize=5, clip_on=False, zorder=3)
    text = f"{system}  {rank:.2f}" if on_left else f"{rank:.2f}  {system}"
    style = {"xycoords": ("axes fraction", "data"), "ha": "right" if on_left else "left", "va": "center"}
    axes.annotate(text, (far, y), fontsize=8.5, **style)


def _nothing(title: str) -> Figure:
    figure, axes = drawing.panels(0.9)
    axes.set_axis_off()
    text = "Ranks are not compared: that takes three systems that differ, and two folds."
    axes.text(0, 0.5, text, va="center", fontsize=9)
    axes.set_title(title)
    return figure
