"""What several figures draw in the same way: panels, titles, points with intervals, dots, names of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from ugcl.reports import theme
from ugcl.reports.tables import cells

PERCENT = PercentFormatter(1, decimals=0)
LETTERS = {"audio": "A", "video": "V", "text": "T"}
FAINT = "#b4b4b4"
"""Colour of rows with too few speakers for a conclusion."""


def panels(height: float, lines: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure of the page's width, `height` inches high, and its axes; see `matplotlib.pyplot.subplots`."""
    return plt.subplots(lines, columns, figsize=(theme.WIDTH, height), layout="constrained", **options)


def hide_rest(grid: np.ndarray, used: int) -> None:
    """Hide the panels of a grid after the first ones, which are used."""
    for axes in grid.flat[used:]:
        axes.set_visible(False)


def legend(figure: Figure, palette: dict[str, str], systems: Iterable[str], line: str = "-") -> None:
    """A legend of systems below the panels, in four columns."""
    handles = [
        Line2D([], [], color=theme.colour(palette, s), marker="o", markersize=4, linestyle=line, label=s)
        for s in systems
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)


def title(figure: Figure, text: str) -> None:
    """A title over all axes of a figure, as bold and as far left as that of a single one."""
    figure.suptitle(text, fontsize=10, fontweight="bold", x=0.01, ha="left")


def interval(axes: Axes, value: float, low: float, high: float, y: float, shade: str) -> None:
    """A point at a value, and the line of its interval where it has one."""
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [y, y], color=shade, linewidth=2, solid_capstyle="round")
    axes.plot([value], [y], "o", color=shade, markersize=5.5, markeredgecolor="white", markeredgewidth=0.8)


def dots(axes: Axes, values: Sequence[float], y: float, shade: str) -> None:
    """Small dots, one per run or fold, and their mean as a bar."""
    spread = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(1)
    axes.scatter(values, y + spread, s=12, color=shade, alpha=0.5, linewidths=0)
    axes.plot([np.mean(values)] * 2, [y - 0.3, y + 0.3], color=shade, linewidth=2.2)


def beside(axes: Axes, y: float, text: str, color: str = "black", size: float = 8) -> None:
    """A text right of the axes, at a row's height."""
    place = ("axes fraction", "data")
    axes.annotate(text, (1.01, y), xycoords=place, va="center", fontsize=size, color=color)


def points(value: float, digits: int = 1) -> str:
    """A signed number of percentage points, with a real minus; zero has no sign."""
    return cells.fixed(value, digits, signed=True)


def signed(axes: Axes) -> None:
    """Write shares on the x axis as signed percentage points."""
    axes.xaxis.set_major_formatter(lambda value, _: points(100 * value, 0) if round(value, 6) else "0")


def names(axes: Axes, rows: Sequence[str]) -> None:
    """Name the rows 0, 1, … of an axes, the first on top."""
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(max(len(rows), 1) - 0.45, -0.55)
    bare(axes)


def bare(axes: Axes) -> None:
    """No lines and ticks for rows, which are separated by their names or by the axes to the left."""
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def with_modalities(name: str, modalities: str) -> str:
    """A name with its modalities as letters, such as `ugcl (AV)`; the name alone where there are none."""
    short = "".join(LETTERS.get(each, each) for each in modalities.split("+"))
    return f"{name} ({short})" if short else name


def p_value(p: float) -> str:
    """A p value as figures show it."""
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"
