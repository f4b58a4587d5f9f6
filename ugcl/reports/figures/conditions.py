"""Figures of robustness, of other corpora, and of cost."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from ugcl.plan.names import TITLES
from ugcl.reports import theme
from ugcl.reports.figures import drawing
from ugcl.reports.tables.transfer import name as row_name

CROWD = 8
"""With more systems than this, intervals would hide each other and are left to the table."""

WORDS = {f"missing:{modality}": f"no {modality}" for modality in ("audio", "video", "text")}
WORDS |= {"drop:alternate": "every second\nframe lost", "drop:random": "half of the\nframes lost"}
"""Conditions without a scale, as the figure names them."""

SCALES = {
    "noise": ("white noise in the sound", "signal-to-noise ratio, dB"),
    "shift": ("audio against video", "audio late by, seconds"),
    "labels": ("wrong labels in training", "share of the training clips"),
}
"""Conditions with levels: title and scale."""


def robustness(
    table: pd.DataFrame,
    palette: dict[str, str],
    chance: float | None = None,
    metric: str = "uar",
    title: str = "",
) -> Figure:
    """Scores under every condition: those of SCALES as lines from the clean clips, the others as points.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/robustness.csv.
        chance: the score of guessing, drawn as a dashed line.
    """
    rows = table[table["metric"] == metric]
    systems = list(dict.fromkeys(rows["system"]))
    known = rows[rows["value"].notna()]  # a condition without values has no panel
    kinds = set(known["condition"])
    present = set(known[["condition", "level"]].itertuples(index=False, name=None))
    scales = [kind for kind in SCALES if kind in kinds]
    others = [name for name in WORDS if tuple(name.split(":")) in present]
    lines = bool(scales) + bool(others)
    with theme.style():
        height = 0.55 + 2.3 * max(lines, 1) + _legend(systems)
        figure = plt.figure(figsize=(theme.WIDTH, height), layout="constrained")
        grid = figure.add_gridspec(max(lines, 1), max(len(scales), 1))
        panels: list[Axes] = []
        for number, kind in enumerate(scales):
            axes = figure.add_subplot(grid[0, number])
            _scale(axes, rows, kind, systems, palette)
            axes.set_ylabel("" if number else TITLES[metric])
            panels.append(axes)
        if others:
            axes = figure.add_subplot(grid[lines - 1, :])
            _points(axes, rows, others, systems, palette)
            axes.set_ylabel(TITLES[metric])
            panels.append(axes)
        for axes in panels:
            axes.set_ylim(0, 1)
            axes.yaxis.set_major_formatter(drawing.PERCENT)
            if chance is not None:
                axes.axhline(chance, color=theme.GREY, linewidth=0.9, linestyle="--")
                style = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "top"}
                axes.annotate("chance", (0.995, chance), fontsize=7.5, color=theme.GREY, **style)
        drawing.legend(figure, palette, systems)
        drawing.title(figure, title)
    return figure


def _scale(axes: Axes, rows: pd.DataFrame, kind: str, systems: list[str], palette: dict[str, str]) -> None:
    """One panel of a condition with levels; the clean clips are a level of their own."""
    of_kind = rows[rows["condition"] == kind]
    levels = sorted(set(of_kind["level"]), key=float, reverse=kind == "noise")
    places = ["", *levels] if kind == "noise" else sorted(["", *levels], key=lambda level: float(level or 0))
    shifts = _dodge(len(systems))
    for shift, system in zip(shifts, systems, strict=True):
        own = rows[(rows["system"] == system) & rows["condition"].isin([kind, "clean"])]
        values = own.set_index("level").reindex(places)
        if values["value"].notna().sum() > 1:  # the clean clips alone say nothing of the condition
            x = np.arange(len(places)) + shift
            _draw(axes, x, values, theme.colour(palette, system), len(systems), "-")
    axes.set_xticks(range(len(places)), [_level(kind, level) for level in places])
    axes.set_xlim(-0.3, len(places) - 0.7)
    title, scale = SCALES[kind]
    axes.set_xlabel(scale)
    axes.set_title(title)
    axes.grid(axis="x", visible=False)


def _level(kind: str, level: str) -> str:
    if level == "":
        return "clean"
    return f"{100 * float(level):g} %" if kind == "labels" else level


def _points(
    axes: Axes, rows: pd.DataFrame, conditions: list[str], systems: list[str], palette: dict[str, str]
) -> None:
    """One panel of conditions without levels, the clean clips first."""
    places = [("clean", ""), *(tuple(name.split(":")) for name in conditions)]
    shifts = _dodge(len(systems), 0.3)
    for shift, system in zip(shifts, systems, strict=True):
        values = rows[rows["system"] == system].set_index(["condition", "level"]).reindex(places)
        x = np.arange(len(places)) + shift
        _draw(axes, x, values, theme.colour(palette, system), len(systems), "none")
    axes.set_xticks(range(len(places)), ["clean", *(WORDS[name] for name in conditions)])
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.set_title("missing modality, lost frames")
    axes.grid(axis="x", visible=False)


def _draw(axes: Axes, x: np.ndarray, values: pd.DataFrame, shade: str, systems: int, line: str) -> None:
    if systems <= CROWD:
        axes.vlines(x, values["ci_low"], values["ci_high"], color=shade, linewidth=1.3, alpha=0.55)
    axes.plot(x, values["value"], color=shade, linestyle=line, linewidth=1.1, marker="o", markersize=3.6)


def _legend(systems: Sized) -> float:
    """Inches that a legend of four columns takes."""
    return 0.17 * -(-len(systems) // 4)


def _dodge(count: int, width: float = 0.16) -> np.ndarray:
    """Side steps of systems, so that their intervals do not lie on each other."""
    return np.linspace(-width, width, count) if count > 1 else np.zeros(1)


def cost(
    table: pd.DataFrame,
    summary: pd.DataFrame,
    palette: dict[str, str],
    metric: str = "uar",
    title: str = "",
) -> Figure:
    """A metric with its interval against size, work and latency; the scales are logarithmic.

    Args:
        table: rows of one benchmark, columns system, parameters, flops, latency_ms.
        summary: rows of one benchmark, columns system, metric, value, ci_low, ci_high.
    """
    scores = summary[summary["metric"] == metric].set_index("system")
    measures = [("parameters", "parameters"), ("flops", "operations per clip")]
    measures.append(("latency_ms", "ms per clip, batch 1"))
    with theme.style():
        figure, grid = drawing.panels(2.65 + _legend(table), columns=len(measures), sharey=True)
        for axes, (column, words) in zip(grid, measures, strict=True):
            for row in table.to_dict("records"):
                x, score = row[column], scores.loc[row["system"]]
                shade = theme.colour(palette, row["system"])
                if len(table) <= CROWD:
                    axes.vlines(x, score["ci_low"], score["ci_high"], color=shade, linewidth=1.3, alpha=0.5)
                axes.plot(x, score["value"], "o", color=shade, markersize=5.5, markeredgecolor="white")
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
            axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.margins(x=0.12)
            axes.set_xlabel(words)
        grid[0].set_ylabel(TITLES[metric])
        grid[0].yaxis.set_major_formatter(drawing.PERCENT)
        drawing.legend(figure, palette, table["system"], line="")
        drawing.title(figure, title)
    return figure


def transfer(table: pd.DataFrame, palette: dict[str, str], metric: str = "uar", title: str = "") -> Figure:
    """Systems of other benchmarks on this one's clips, each at home and after transfer, and its own systems.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/transfer.csv.
    """
    rows = table[table["metric"] == metric]
    # The target's own systems are judged on the same clips and classes for each pair with the same classes.
    keys = ["kind", "of", "scored", "classes"]
    own = rows[rows["kind"] == "own"].drop_duplicates(keys)
    rows = pd.concat([rows[rows["kind"] != "own"], own])
    several = own["classes"].nunique() > 1
    names = [
        row_name(row) + (f" ({len(row.classes.split())} classes)" if several and row.kind == "own" else "")
        for row in rows.itertuples()
    ]
    with theme.style():
        figure, axes = drawing.panels(0.9 + 0.32 * len(rows))
        for y, row in enumerate(rows.itertuples()):
            shade = theme.colour(palette, row.scored)
            drawing.interval(axes, row.value, row.ci_low, row.ci_high, y, shade)
            drawing.beside(axes, y, f"{100 * row.value:.1f}")
        drawing.names(axes, names)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(drawing.PERCENT)
        axes.set_xlabel(f"{TITLES[metric]} among the classes that both have")
        axes.set_title(title)
    return figure
