"""What several figures draw the same way: a point with its interval, names of rows, signed points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

PERCENT = PercentFormatter(1, decimals=0)
LETTERS = {"audio": "A", "video": "V", "text": "T"}
FAINT = "#b4b4b4"
"""Ink of rows of which little can be said."""


def interval(axes: Axes, value: float, low: float, high: float, y: float, shade: str) -> None:
    """A point at a value, and the line of its interval where it has one."""
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [y, y], color=shade, linewidth=2, solid_capstyle="round")
    axes.plot([value], [y], "o", color=shade, markersize=5.5, markeredgecolor="white", markeredgewidth=0.8)


def beside(axes: Axes, y: float, text: str, color: str = "black", size: float = 8) -> None:
    """A text right of the axes, at a row's height."""
    place = ("axes fraction", "data")
    axes.annotate(text, (1.01, y), xycoords=place, va="center", fontsize=size, color=color)


def points(value: float, digits: int = 1) -> str:
    """A signed number of percentage points, with a real minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def names(axes: Axes, rows: Sequence[str]) -> None:
    """Name the rows 0, 1, … of an axes, the first on top."""
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(max(len(rows), 1) - 0.45, -0.55)
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
