"""The style of all figures: colours, sizes, and files that are reproducible byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from ugcl.config import Config
from ugcl.config.methods import METHODS
from ugcl.files import whole
from ugcl.plan.names import is_reference_row
from ugcl.plan.reports import SUFFIXES
from ugcl.reports.shades import shades
from ugcl.reports.vector import compact

PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255",
    "#117733", "#332288", "#999933", "#AA4499", "#44AA99", "#DDCC77", "#661100",
)  # fmt: skip
"""Colours that people with colour-blindness can distinguish.

Sources: Okabe and Ito, Color Universal Design, 2008 (first six); Tol, Colour Schemes, SRON/EPS/TN/09-002,
2021, "muted" (the rest).
"""

GREY = "#6b6b6b"
WIDTH = 6.5
"""Figure width, inches: the text width of a page."""

STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.labelsize": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "axes.grid": True, "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6, "legend.frameon": False, "legend.fontsize": 8, "xtick.labelsize": 8,
    "ytick.labelsize": 8, "figure.facecolor": "white", "svg.hashsalt": "ugcl", "svg.fonttype": "path",
    "path.simplify": True, "text.parse_math": False,
}  # fmt: skip


def colours(config: Config) -> dict[str, str]:
    """System → colour, the same in every figure and benchmark: a hue per family, a shade per member."""
    found = shades(parents(config))
    return {name: found[name] for name in config.systems}


def parents(config: Config) -> dict[str, str | None]:
    """System → what it descends from: the system that it extends, or the family of its published method.

    Families of published methods (`ugcl.config.methods.<family>`) stand before their first system, without a
    parent. Thirty hues could not be told apart.
    """
    found: dict[str, str | None] = {}
    for name, system in config.systems.items():
        settings = METHODS.get(system.method.get("name", ""))
        place = settings.__module__.split(".")[3:-1] if settings else []
        if system.extends is None and place:
            found.setdefault(f"methods: {place[0]}", None)
            found[name] = f"methods: {place[0]}"
        else:
            found[name] = system.extends
    return found


def colour(palette: dict[str, str], system: str) -> str:
    """The colour of a system; reference rows are grey."""
    return GREY if is_reference_row(system) else palette.get(system, GREY)


@contextmanager
def style() -> Iterator[None]:
    """Draw without a display, in the project's style."""
    mpl.use("agg")
    with mpl.rc_context(STYLE):
        yield


def save(figure: Figure, stem: Path, dpi: int) -> list[Path]:
    """Write a figure as SVG and PNG without dates or versions.

    Args:
        figure: the figure; it is closed.
        stem: path without suffix.
        dpi: resolution of the PNG.
    """
    from matplotlib import pyplot as plt

    written = [stem.with_name(stem.name + suffix) for suffix in SUFFIXES]
    metadata = {".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}}
    with mpl.rc_context(STYLE):
        figure.draw_without_rendering()
        figure.set_layout_engine(None)  # laid out once, not again for every file
        for path in written:
            with whole(path) as partial:
                kind = path.suffix.removeprefix(".")
                figure.savefig(partial, dpi=dpi, metadata=metadata[path.suffix], format=kind)
                if kind == "svg":
                    partial.write_text(compact(partial.read_text()))
    plt.close(figure)
    return written
