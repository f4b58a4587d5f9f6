"""Figures of the UAR of groups of clips, with their gaps, and of single speakers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ugcl.plan.names import FEW
from ugcl.reports import theme
from ugcl.reports.figures import drawing

MANY = 20
"""An attribute of more groups than this is named, not drawn."""


def subgroups(
    table: pd.DataFrame, palette: dict[str, str], system: str, units: str = "speakers", title: str = ""
) -> Figure:
    """Left, UAR of each group; right, how far it is from the attribute's other groups; small groups grey.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/subgroups.csv.
    """
    rows = table[table["system"] == system]
    sizes = rows["attribute"].value_counts(sort=False)
    drawn = [attribute for attribute, size in sizes.items() if size <= MANY]
    left_out = [f"{attribute} ({size} groups)" for attribute, size in sizes.items() if size > MANY]
    lines: list[Any] = []  # the name of an attribute, then its rows
    for attribute in drawn:
        lines += [attribute, *rows[rows["attribute"] == attribute].itertuples()]
    with theme.style():
        figure, (left, right) = drawing.panels(1.35 + 0.25 * max(len(lines), 2), columns=2, sharey=True)
        right.axvline(0, color="#404040", linewidth=0.9)
        for y, row in enumerate(lines):
            if isinstance(row, str):
                continue
            shade = drawing.FAINT if row.small else theme.colour(palette, system)
            drawing.interval(left, row.uar, row.ci_low, row.ci_high, y, shade)
            if np.isfinite(row.gap):
                drawing.interval(right, row.gap, row.gap_low, row.gap_high, y, shade)
            size = f"{row.clips:.0f} clips, {row.speakers:.0f} speakers"
            drawing.beside(right, y, size, theme.GREY if row.small else "black", 6.5)
        drawing.names(left, [row if isinstance(row, str) else row.group for row in lines])
        for row, text in zip(lines, left.get_yticklabels(), strict=True):
            if isinstance(row, str):
                text.set(fontstyle="italic", color=theme.GREY)
            elif row.small:
                text.set(color=theme.GREY)
        right.tick_params(axis="y", labelleft=False)
        drawing.bare(right)
        left.set_xlim(0, 1)
        left.xaxis.set_major_formatter(drawing.PERCENT)
        left.set_xlabel("UAR of the group")
        # The interval of two speakers may be as wide as the scale: cut off, it does not hide the others.
        ends = rows[["gap", "gap_low", "gap_high"]].where(rows["attribute"].isin(drawn))
        ends.loc[rows["small"] != "", ["gap_low", "gap_high"]] = np.nan
        reach = np.nanmax(np.abs(ends.to_numpy(float)), initial=0.05) * 1.25
        right.set_xlim(-reach, reach)
        drawing.signed(right)
        right.set_xlabel("points from the other groups")
        notes = [f"grey: under {FEW} speakers, or a class is missing"] if (rows["small"] != "").any() else []
        notes += [f"not drawn: {', '.join(left_out)}"] if left_out else []
        notes += [] if lines else ["the corpus has no groups to compare"]
        figure.supxlabel("; ".join([f"95 % intervals over {units}", *notes]), fontsize=8)
        drawing.title(figure, title)
    return figure


def speakers(table: pd.DataFrame, palette: dict[str, str], title: str = "") -> Figure:
    """UAR of each test speaker as a dot; the speaker with the lowest is named.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/per_speaker.csv.
    """
    systems = list(dict.fromkeys(table["system"]))
    with theme.style():
        figure, axes = drawing.panels(1.0 + 0.38 * len(systems))
        for y, system in enumerate(systems):
            rows = table[table["system"] == system].sort_values(["uar", "speaker"])
            shade = theme.colour(palette, system)
            axes.scatter(rows["uar"], y + _spread(rows["uar"].to_numpy()), s=15, color=shade, alpha=0.6, lw=0)
            axes.plot([rows["uar"].median()] * 2, [y - 0.32, y + 0.32], color=shade, linewidth=2)
            hardest = rows.iloc[0]
            place = {"xytext": (-5, 0), "textcoords": "offset points", "ha": "right", "va": "center"}
            axes.annotate(hardest["speaker"], (hardest["uar"], y), fontsize=7, color=theme.GREY, **place)
        drawing.names(axes, systems)
        axes.set_xlim(max(0, table["uar"].min() - 0.12), 1.01)
        axes.xaxis.set_major_formatter(drawing.PERCENT)
        axes.set_xlabel("UAR per test speaker (dots); bar: median; number: speaker with the lowest UAR")
        axes.set_title(title)
    return figure


def _spread(values: np.ndarray, near: float = 0.012, step: float = 0.1, most: float = 0.3) -> np.ndarray:
    """Heights that keep dots of nearly equal values apart; the values are sorted."""
    heights = np.zeros(len(values))
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] - values[start] > near:
            count = i - start
            reach = min(step * (count - 1) / 2, most)
            heights[start:i] = np.linspace(-reach, reach, count) if count > 1 else 0
            start = i
    return heights
