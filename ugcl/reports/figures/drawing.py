"""What several figures draw the same way: titles, points with intervals, dots, names of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

PERCENT = PercentFormatter(1, decimals=0)
LETTERS = {"audio": "A", "video": "V", "text": "T"}
FAINT = "#b4b4b4"
"""Ink of rows of which little can be said."""


def title(figure: Figure, text: str) -> None:
    """A title over all axes of a figure, as bold and as far left as that of a single one."""
    figure.suptitle(text, fontsize=10, fontweight="bold", x=0.01, ha="left")


def interval(axes: Axes, value: float, low: float, high: float, y: float, shade: str) -> None:
    """A point at a value, and the line of its interval where it has one."""
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [y, y], color=shade, linewidth=2, solid_capstyle="round")
    axes.plot([value], [y], "o", color=shade, markersize=5.5, markeredgecolor="white", markeredgewidth=0.8)


def dots(axes: Axes, values: Sequence[float], y: float, shade: str) -> None:
    """Small dots, one a run or fold, and their mean as a bar mark."""
    spread = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(1)
    axes.scatter(values, y + spread, s=12, color=shade, alpha=0.5, linewidths=0)
    axes.plot([np.mean(values)] * 2, [y - 0.3, y + 0.3], color=shade, linewidth=2.2)


def beside(axes: Axes, y: float, text: str, color: str = "black", size: float = 8) -> None:
    """A text right of the axes, at a row's height."""
    place = ("axes fraction", "data")
    axes.annotate(text, (1.01, y), xycoords=place, va="center", fontsize=size, color=color)


def points(value: float, digits: int = 1) -> str:
    """A signed number of percentage points, with a real minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def signed(axes: Axes) -> None:
    """Write shares on the x axis as signed percentage points."""
    axes.xaxis.set_major_formatter(lambda value, _: points(100 * value, 0) if round(value, 6) else "0")


def names(axes: Axes, rows: Sequence[str]) -> None:
    """Name the rows 0, 1, … of an axes, the first on top."""
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(max(len(rows), 1) - 0.45, -0.55)
    bare(axes)


def bare(axes: Axes) -> None:
    """No lines and ticks for rows, which their names or the axes to the left tell apart."""
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
