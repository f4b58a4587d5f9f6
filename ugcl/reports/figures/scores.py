"""Figures of results. Each takes tables and returns a figure; points carry intervals, dots are folds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ugcl.plan.names import TITLES, is_reference_row
from ugcl.reports import theme
from ugcl.reports.figures import drawing


def forest(
    summary: pd.DataFrame,
    per_fold: pd.DataFrame,
    palette: dict[str, str],
    metric: str = "uar",
    units: str = "speakers",
    title: str = "",
) -> Figure:
    """Systems and reference rows with intervals; small dots are folds (seeds averaged).

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        per_fold: rows of one benchmark, columns system, seed, fold, metric, value.
        metric: the one to draw.
        units: what intervals draw.
    """
    rows = summary[summary["metric"] == metric].reset_index(drop=True)
    with theme.style():
        figure, axes = drawing.panels(0.9 + 0.32 * len(rows))
        folds = per_fold[per_fold["metric"] == metric].groupby(["system", "fold"])["value"].mean()
        first_reference = None
        for y, row in enumerate(rows.itertuples()):
            shade = theme.colour(palette, row.system)
            if is_reference_row(row.system):
                first_reference = y if first_reference is None else first_reference
            else:
                dots = folds.loc[row.system]
                axes.scatter(dots, np.full(len(dots), y + 0.22), s=9, color=shade, alpha=0.45, linewidths=0)
            drawing.interval(axes, row.value, row.ci_low, row.ci_high, y, shade)
            drawing.beside(axes, y, f"{100 * row.value:.1f}")
        if first_reference is not None:
            axes.axhline(first_reference - 0.5, color="#b0b0b0", linewidth=0.8)
        drawing.names(axes, [drawing.with_modalities(r.system, r.modalities) for r in rows.itertuples()])
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(drawing.PERCENT)
        axes.set_xlabel(f"{TITLES[metric]} with 95 % interval over {units}; small dots: folds")
        axes.set_title(title)
    return figure


def confusion(table: pd.DataFrame, classes: list[str], systems: list[str], title: str = "") -> Figure:
    """Confusion of systems as heat maps: share of the label's clips in colour and per cent, counts below.

    Args:
        table: rows of one benchmark, columns system, label, predicted, count (over all folds and seeds).
        systems: which to draw, in order.
    """
    columns = min(2, len(systems))
    lines = -(-len(systems) // columns)
    side = theme.WIDTH / columns
    small = 6.5 if columns == 2 else 8
    with theme.style():
        figure, grid = drawing.panels(lines * side * 0.95 + 0.3, lines, columns, squeeze=False)
        for number, (axes, system) in enumerate(zip(grid.flat, systems, strict=False)):
            rows = table[table["system"] == system]
            counts = rows.pivot(index="label", columns="predicted", values="count").loc[classes, classes]
            share = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
            axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
            for i, j in np.ndindex(share.shape):
                value = share.iat[i, j]
                ink = "white" if value > 0.55 else "#303030"
                text = f"{100 * value:.0f}\n({counts.iat[i, j]:.0f})"
                if len(classes) > 6 and columns == 2:
                    text = f"{100 * value:.0f}"
                style = {"ha": "center", "va": "center", "linespacing": 0.95}
                cell = axes.text(j, i, text, color=ink, fontsize=small, **style)
                cell.set_in_layout(False)  # it lies inside its axes, and thousands take seconds to lay out
            lowest, first = number + columns >= len(systems), number % columns == 0
            axes.set_xticks(range(len(classes)), classes if lowest else [""] * len(classes))
            axes.tick_params(axis="x", rotation=45)
            for name in axes.get_xticklabels():
                name.set(ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(classes)), classes if first else [""] * len(classes))
            axes.grid(False)
            axes.spines[:].set_visible(False)
            axes.set_title(system)
        drawing.hide_rest(grid, len(systems))
        figure.supxlabel("predicted", fontsize=9)
        figure.supylabel("label", fontsize=9)
        drawing.title(figure, title)
    return figure


def learning_curves(
    table: pd.DataFrame, palette: dict[str, str], metric: str = "uar", title: str = ""
) -> Figure:
    """Training loss and dev score by epoch: mean over runs, band from the 10th to the 90th percentile.

    Args:
        table: rows of one benchmark, columns system, seed, fold, epoch, loss, dev_<metric>.
    """
    count = table["system"].nunique()
    with theme.style():
        # The legend takes a line for four systems. Bands of many systems would hide the curves.
        figure, grid = drawing.panels(2.7 + 0.24 * -(-count // 4), columns=2)
        band = 0.08 if count <= 10 else 0.0
        columns = {"loss": "training loss", f"dev_{metric}": f"dev {TITLES[metric]}"}
        for axes, (column, label) in zip(grid, columns.items(), strict=True):
            for system, rows in table.groupby("system", sort=False):
                # An epoch that most runs stopped before would show the few left, not the system.
                runs = rows.groupby("epoch")[column]
                kept = runs.count() >= rows.groupby(["seed", "fold"]).ngroups / 2
                middle, low, high = (f[kept] for f in (runs.mean(), runs.quantile(0.1), runs.quantile(0.9)))
                shade = theme.colour(palette, system)
                axes.plot(middle.index, middle, color=shade, label=system, linewidth=1.3)
                axes.fill_between(middle.index, low, high, color=shade, alpha=band, linewidth=0)
            axes.set_xlabel("epoch")
            axes.set_title(label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        grid[1].yaxis.set_major_formatter(drawing.PERCENT)
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
        drawing.title(figure, title)
    return figure


def optimism(table: pd.DataFrame, palette: dict[str, str], metric: str = "uar", title: str = "") -> Figure:
    """What choosing the epoch on the test fold would have added: a dot per run, the mean as a bar.

    Args:
        table: rows of one benchmark, columns system, seed, fold, optimism.
    """
    systems = list(dict.fromkeys(table["system"]))
    with theme.style():
        figure, axes = drawing.panels(0.9 + 0.32 * max(len(systems), 1))
        for y, system in enumerate(systems):
            gains = 100 * table.loc[table["system"] == system, "optimism"]
            shade = theme.colour(palette, system)
            drawing.dots(axes, gains, y, shade)
            drawing.beside(axes, y, drawing.points(gains.mean()))
        drawing.names(axes, systems)
        axes.set_xlim(left=-0.2)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(
            f"{TITLES[metric]}, points, that choosing the epoch on test would add; bar: mean of runs"
        )
        axes.set_title(title)
    return figure


def classes(table: pd.DataFrame, summary: pd.DataFrame, palette: dict[str, str], title: str = "") -> Figure:
    """Left, recall of each class; right, calibration error.

    Args:
        table: rows of one benchmark, columns system, class, recall.
        summary: rows of one benchmark, for the ECE, which has no interval.
    """
    names = list(dict.fromkeys(table["class"]))
    systems = list(dict.fromkeys(table["system"]))
    with theme.style():
        height = 1.4 + 0.36 * max(len(names), len(systems))
        figure, (left, right) = drawing.panels(height, columns=2, width_ratios=[1.25, 1])
        offsets = np.linspace(-0.3, 0.3, len(systems)) if len(systems) > 1 else [0.0]
        for offset, system in zip(offsets, systems, strict=True):
            recall = table[table["system"] == system].set_index("class")["recall"].loc[names]
            y = np.arange(len(names)) + offset
            left.scatter(recall, y, s=16, color=theme.colour(palette, system), label=system, linewidths=0)
        drawing.names(left, names)
        left.set_xlim(0, 1)
        left.xaxis.set_major_formatter(drawing.PERCENT)
        left.set_title("recall by class")
        rows = summary[(summary["metric"] == "ece") & summary["system"].isin(systems)].set_index("system")
        for y, system in enumerate(systems):
            ends = rows.loc[system, ["value", "ci_low", "ci_high"]]
            drawing.interval(right, *ends, y, theme.colour(palette, system))  # pyright: ignore[reportCallIssue]
        drawing.names(right, systems)
        right.set_xlim(left=0)
        right.xaxis.set_major_locator(MaxNLocator(4))
        right.set_title("calibration error (ECE)")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
        drawing.title(figure, title)
    return figure
