"""Figures of where systems fail: classes taken for each other, disputed clips, turns of dialogues."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ugcl.plan.names import TITLES
from ugcl.reports import theme
from ugcl.reports.figures import drawing, scores
from ugcl.reports.tables.dialogues import SHIFT, group_name

CROWD = 8
"""With more systems than this, intervals would hide each other and are left to the table."""

MOST = 15
"""Pairs of classes that are drawn."""

CHANNELS = {"voice": "heard only", "face": "saw only", "multimodal": "heard and saw"}
"""What the raters of a channel had: sound, pictures, or both."""


def pairs(table: pd.DataFrame, palette: dict[str, str], system: str, title: str = "") -> Figure:
    """The pairs of classes that a system takes for each other most often, with the share of each way.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/pairs.csv.
    """
    whole = table[table["system"] == system]
    rows = whole.sort_values("rate", ascending=False, kind="stable").head(MOST).reset_index(drop=True)
    with theme.style():
        figure, axes = drawing.panels(1.15 + 0.27 * len(rows))
        for y, row in enumerate(rows.itertuples()):
            low, high = (row.ci_low, row.ci_high) if row.rate > 0 else (float("nan"), float("nan"))
            drawing.interval(axes, row.rate, low, high, y, theme.colour(palette, system))
            ways = f"{100 * row.first_as_second:.0f} % →   ← {100 * row.second_as_first:.0f} %"
            drawing.beside(axes, y, ways)
        drawing.names(axes, [f"{row.first} – {row.second}" for row in rows.itertuples()])
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(drawing.PERCENT)
        shown = f"; {len(rows)} of {len(whole)} pairs" if len(rows) < len(whole) else ""
        axes.set_xlabel(
            f"clips of one label taken for the other, mean of both ways, 95 % interval{shown}\n"
            "right: share of the first's clips taken for the second, and the other way round"
        )
        axes.set_title(title)
    return figure


def raters(table: pd.DataFrame, palette: dict[str, str], title: str = "") -> Figure:
    """Where the raters' majority is the label and where it is not: how often a system says the label.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/disagreement.csv.
    """
    channels, systems = list(dict.fromkeys(table["channel"])), list(dict.fromkeys(table["system"]))
    with theme.style():
        options = {"sharey": True, "squeeze": False}
        figure, grid = drawing.panels(1.5 + 0.3 * len(systems), columns=len(channels), **options)
        for axes, channel in zip(grid.flat, channels, strict=True):
            rows = table[table["channel"] == channel]
            for row in rows.itertuples():
                y, shade = systems.index(row.system), theme.colour(palette, row.system)
                axes.plot([row.right_disputed, row.right_agreed], [y, y], color=shade, linewidth=1, alpha=0.5)
                axes.plot([row.right_agreed], [y], "o", color=shade, markersize=5)
                axes.plot([row.right_disputed], [y], "o", mfc="white", mec=shade, markersize=5)
                axes.plot([row.followed], [y], "x", color=shade, markersize=5, markeredgewidth=1.4)
            drawing.names(axes, systems)
            axes.set_xlim(-0.03, 1.03)
            axes.xaxis.set_major_formatter(drawing.PERCENT)
            disputed = (rows["clips"] * (1 - rows["label_agreement"])).round()
            counts = f"{disputed.iloc[0]:.0f} of {rows['clips'].iloc[0]:.0f} clips disputed"
            axes.set_title(f"{channel} ({CHANNELS.get(channel, 'raters')})\n{counts}", fontsize=8)
        figure.supxlabel(
            "filled: says the label where the raters' majority says it too; hollow: where it does not;\n"
            "cross: says the majority's class where that is not the label",
            fontsize=8,
        )
        drawing.title(figure, title)
    return figure


def turns(table: pd.DataFrame, palette: dict[str, str], units: str, title: str = "") -> Figure:
    """Scores by turn of the dialogue and after a change of the speaker's label; below, what context adds.

    Args:
        table: rows of one benchmark of turns.csv, at least one.
        units: what intervals draw.
    """
    metric = TITLES[table["metric"].iloc[0]]
    gained = table[table["without"] != ""]
    lines = 1 + bool(len(gained))
    systems = list(dict.fromkeys(table["system"]))
    with theme.style():
        height = 0.85 + 2.1 * lines + 0.17 * -(-len(systems) // 4)
        options = {"squeeze": False, "width_ratios": [5, 3], "sharey": "row"}
        figure, grid = drawing.panels(height, lines, 2, **options)
        for axes, attribute in zip(grid[0], ("turn", "shift"), strict=True):
            rows = table[table["attribute"] == attribute]
            _by_group(axes, rows, ("value", "ci_low", "ci_high"), palette)
        grid[0, 0].set_ylabel(metric)
        for axes, attribute in zip(grid[1] if lines > 1 else [], ("turn", "shift"), strict=False):
            axes.axhline(0, color="#404040", linewidth=0.9)
            rows = gained[gained["attribute"] == attribute]
            _by_group(axes, rows, ("gain", "gain_low", "gain_high"), palette)
        if lines > 1:
            grid[1, 0].set_ylabel("points by context")
            grid[1, 0].yaxis.set_major_formatter(lambda y, _: drawing.points(100 * y, 0) if y else "0")
        grid[0, 0].yaxis.set_major_formatter(drawing.PERCENT)
        drawing.legend(figure, palette, systems)
        grid[-1, 0].set_xlabel(f"95 % intervals over {units}", fontsize=8)
        grid[-1, 1].set_xlabel("against the speaker's turn before", fontsize=8)
        drawing.title(figure, title)
    return figure


def _by_group(axes: Axes, rows: pd.DataFrame, columns: tuple[str, str, str], palette: dict[str, str]) -> None:
    """One panel: groups of turns from left to right, a line per system with its intervals."""
    groups, systems = list(dict.fromkeys(rows["group"])), list(dict.fromkeys(rows["system"]))
    sides = np.linspace(-0.16, 0.16, len(systems)) if len(systems) > 1 else np.zeros(1)
    ordered = set(rows["attribute"]) == {"turn"}
    for side, system in zip(sides, systems, strict=True):
        own = rows[rows["system"] == system].set_index("group").reindex(groups)
        x, shade = np.arange(len(groups)) + side, theme.colour(palette, system)
        if len(systems) <= CROWD:
            axes.vlines(x, own[columns[1]], own[columns[2]], color=shade, linewidth=1.3, alpha=0.55)
        line = "-" if ordered else "none"
        axes.plot(x, own[columns[0]], color=shade, linestyle=line, linewidth=1.1, marker="o", markersize=3.6)
    words = [group_name("turn", g) if ordered else SHIFT[g].replace(" ", "\n", 1) for g in groups]
    axes.set_xticks(range(len(groups)), words, fontsize=7)
    axes.grid(axis="x", visible=False)


def shifts(table: pd.DataFrame, classes: list[str], system: str, title: str = "") -> Figure:
    """Confusion of a system where the speaker's label changed, beside where it stayed.

    Args:
        table: rows of one benchmark of shifts.csv.
    """
    own = table[table["system"] == system]
    named = own.assign(system=own["group"].map(SHIFT))
    return scores.confusion(named, classes, list(dict.fromkeys(named["system"])), title)
