"""Figures of how far a system's probabilities can be trusted."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ugcl.plan.names import TITLES, is_reference_row
from ugcl.reports import theme
from ugcl.reports.figures import drawing
from ugcl.reports.tables.scores import SCORES


def bins(table: pd.DataFrame) -> pd.DataFrame:
    """Each system's bins averaged over seeds: system, bin, confidence, accuracy, ci_low, ci_high.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/calibration.csv.
    """
    columns = ["confidence", "accuracy", "ci_low", "ci_high"]
    return table.groupby(["system", "bin"], sort=False)[columns].mean().reset_index()


def reliability(
    table: pd.DataFrame, summary: pd.DataFrame, palette: dict[str, str], title: str = ""
) -> Figure:
    """Accuracy against confidence in bins of equally many clips, a panel per system.

    Below the diagonal a system is overconfident. Intervals of the bins take clips as independent.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/calibration.csv.
        summary: rows of one benchmark, for the ECE.
    """
    systems = list(dict.fromkeys(table["system"]))
    error = summary[summary["metric"] == "ece"].set_index("system")["value"]
    averaged = bins(table)
    columns = min(4, len(systems))
    lines = -(-len(systems) // columns)
    side = theme.WIDTH / max(columns, 3)
    with theme.style():
        options = {"squeeze": False, "sharex": True, "sharey": True}
        figure, grid = drawing.panels(lines * side + 0.75, lines, columns, **options)
        for axes, system in zip(grid.flat, systems, strict=False):
            rows, shade = averaged[averaged["system"] == system], theme.colour(palette, system)
            axes.plot([0, 1], [0, 1], color=theme.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.vlines(rows["confidence"], rows["ci_low"], rows["ci_high"], color=shade, alpha=0.35, lw=1.4)
            axes.plot(rows["confidence"], rows["accuracy"], "o-", color=shade, markersize=3, linewidth=1)
            axes.set_title(f"{system}\nECE {100 * error[system]:.1f} %", fontsize=8)
            axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
            axes.xaxis.set_major_formatter(drawing.PERCENT)
            axes.yaxis.set_major_formatter(drawing.PERCENT)
        drawing.hide_rest(grid, len(systems))
        for axes in grid.flat[max(len(systems) - columns, 0) : len(systems)]:
            axes.tick_params(labelbottom=True)
        figure.supxlabel("confidence: the highest class probability, mean of the bin", fontsize=9)
        figure.supylabel("share of right clips", fontsize=9)
        drawing.title(figure, title)
    return figure


def scores(
    summary: pd.DataFrame, palette: dict[str, str], units: str = "speakers", title: str = ""
) -> Figure:
    """ECE, Brier score and log-loss of each system with intervals, a panel per score.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        units: what intervals draw.
    """
    trained = summary[~summary["system"].map(is_reference_row)]
    systems = list(dict.fromkeys(trained["system"]))
    with theme.style():
        figure, panels = drawing.panels(1.1 + 0.3 * len(systems), columns=len(SCORES), sharey=True)
        for axes, metric in zip(panels, SCORES, strict=True):
            for row in trained[trained["metric"] == metric].itertuples():
                y, shade = systems.index(row.system), theme.colour(palette, row.system)
                drawing.interval(axes, row.value, row.ci_low, row.ci_high, y, shade)
            drawing.names(axes, systems)
            axes.set_xlim(left=0)
            axes.xaxis.set_major_locator(MaxNLocator(4))
            axes.set_title(TITLES[metric])
        figure.supxlabel(f"smaller is better; 95 % intervals over {units}, not for the ECE", fontsize=8)
        drawing.title(figure, title)
    return figure
