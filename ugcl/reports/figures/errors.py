"""Figures of where systems fail: classes taken for each other, and clips on which raters disagree."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ugcl.reports import theme
from ugcl.reports.figures import drawing

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
