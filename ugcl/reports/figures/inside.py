"""Figures of the inside of a reference system: tokens, their map, retrieval, hard negatives, attention."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ugcl.reports import theme
from ugcl.reports.figures import drawing

MODALITIES = {"audio": theme.PALETTE[0], "video": theme.PALETTE[1], "text": theme.PALETTE[2]}
MARKERS = {"audio": "o", "video": "^", "text": "s"}
NAMED = 8
"""More speakers than this are coloured but not named."""


def tokens(table: pd.DataFrame, usage: pd.DataFrame, title: str = "") -> Figure:
    """How evenly the codebook is used: left, shares by rank; right, how many tokens that amounts to.

    Args:
        table: rows of one benchmark, columns fold, modality, token, share.
        usage: rows of one benchmark, columns fold, modality, tokens, perplexity, clip_perplexity.
    """
    count = int(usage["tokens"].max())
    modalities = list(dict.fromkeys(usage["modality"]))
    with theme.style():
        figure, (left, right) = drawing.panels(2.9, columns=2, width_ratios=[1.2, 1])
        for (modality, _), rows in table.groupby(["modality", "fold"], sort=False):
            share = rows["share"].sort_values(ascending=False).to_numpy()
            left.plot(np.arange(1, len(share) + 1), share, color=MODALITIES[modality], linewidth=0.9)
        left.axhline(1 / count, color="#404040", linewidth=0.9, linestyle="--")
        left.annotate("an even share", (count, 1 / count), ha="right", va="bottom", fontsize=8)
        left.set_ylim(bottom=0)
        left.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
        left.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        left.set_xlabel("token, most used first")
        left.set_title("share of each token")
        rows_of = [(m, c) for m in modalities for c in ("perplexity", "clip_perplexity")]
        for y, (modality, column) in enumerate(rows_of):
            values = usage.loc[usage["modality"] == modality, column]
            drawing.dots(right, values, y, MODALITIES[modality])
        words = {"perplexity": "all clips", "clip_perplexity": "one clip"}
        drawing.names(right, [f"{modality}, {words[column]}" for modality, column in rows_of])
        right.axvline(count, color="#404040", linewidth=0.9, linestyle="--")
        right.set_xlim(0, count * 1.04)
        right.set_xlabel(f"tokens in use, of {count} (perplexity)")
        right.set_title("how many are used")
        _modalities(figure, modalities)
        drawing.title(figure, title)
    return figure


def token_map(table: pd.DataFrame, classes: list[str], title: str = "") -> Figure:
    """The same points three times: coloured by emotion, which is the large panel, by speaker and by modality.

    Args:
        table: rows of one benchmark, columns speaker, label, modality, x, y.
    """
    speakers, modalities = sorted(set(table["speaker"])), list(dict.fromkeys(table["modality"]))
    shades = {
        "label": dict(zip(classes, theme.PALETTE, strict=False)),
        "speaker": dict(zip(speakers, _ramp(len(speakers)), strict=True)),
        "modality": MODALITIES,
    }
    names = {"label": classes, "speaker": speakers if len(speakers) <= NAMED else [], "modality": modalities}
    flat = np.ptp(table["y"]) / max(np.ptp(table["x"]), 1e-9)  # the panels keep the shape of the cloud
    flat = float(np.clip(flat, 0.45, 1.1))
    with theme.style():
        places = [["label", "speaker"], ["label", "modality"]]
        options = {"layout": "constrained", "width_ratios": [2.1, 1]}
        figure, panels = plt.subplot_mosaic(places, figsize=(theme.WIDTH, 1.35 + 4.2 * flat), **options)  # pyright: ignore[reportCallIssue]
        words = {"label": "emotion (label)", "speaker": f"{len(speakers)} speakers", "modality": "modality"}
        for column, colours in shades.items():
            axes = panels[column]
            _cloud(axes, table, column, colours, size=20 if column == "label" else 10)
            axes.set_title(words[column])
            _key(axes, {name: colours[name] for name in names[column]}, 4 if column == "label" else 2)
        drawing.title(figure, title)
    return figure


def _cloud(axes: Axes, table: pd.DataFrame, column: str, colours: dict[str, str], size: int) -> None:
    """The points of a map, coloured by a column, without scales: only distances have a meaning."""
    for modality, rows in table.groupby("modality", sort=False):
        shade = rows[column].map(colours).tolist()
        axes.scatter(rows["x"], rows["y"], c=shade, marker=MARKERS[modality], s=size, linewidths=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#d0d0d0")
    axes.set_aspect("equal")


def _key(axes: Axes, colours: dict[str, str], columns: int) -> None:
    """A legend of colours below a panel; none without names."""
    style = {"linestyle": "", "markersize": 4}
    handles = [
        Line2D([], [], color=colour, marker=MARKERS.get(name, "o"), label=name, **style)
        for name, colour in colours.items()
    ]
    if handles:
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02), "ncols": columns}
        axes.legend(handles=handles, handletextpad=0.1, columnspacing=0.8, **place)


def retrieval(table: pd.DataFrame, title: str = "") -> Figure:
    """Finding a clip's other half: dots are folds, bars their mean, grey dashes chance.

    Args:
        table: rows of one benchmark, columns query, target, recall_at_1, recall_at_5, chance_at_1,
            chance_at_5, same_label_at_1.
    """
    measures = {
        "recall_at_1": ("own half found first", "chance_at_1"),
        "recall_at_5": ("own half among five", "chance_at_5"),
        "same_label_at_1": ("same label first", ""),
    }
    ways = list(table.groupby(["query", "target"], sort=False))
    with theme.style():
        figure, grid = drawing.panels(1.2 + 0.35 * len(ways), columns=len(measures), sharey=True)
        for axes, (column, (words, chance)) in zip(grid, measures.items(), strict=True):
            for y, ((query, _), rows) in enumerate(ways):
                drawing.dots(axes, rows[column], y, MODALITIES[query])
                if chance:
                    ends = [rows[chance].mean()] * 2, [y - 0.4, y + 0.4]
                    axes.plot(*ends, "--", color="#606060", linewidth=1)
            axes.set_xlim(0, 1)
            axes.xaxis.set_major_formatter(drawing.PERCENT)
            axes.set_xticks([0, 0.5, 1])
            axes.set_title(words, fontsize=9)
        figure.get_layout_engine().set(wspace=0.08)  # pyright: ignore[reportOptionalMemberAccess, reportCallIssue]
        drawing.names(grid[0], [f"{query} → {target}" for (query, target), _ in ways])
        for axes in grid[1:]:
            drawing.bare(axes)
        figure.supxlabel("clips of the test fold; dots: folds, bar: their mean, dashed: chance", fontsize=9)
        drawing.title(figure, title)
    return figure


def hard_negatives(table: pd.DataFrame, classes: list[str], title: str = "") -> Figure:
    """Labels of the most similar pairs of clips with different labels.

    Args:
        table: rows of one benchmark, columns label, other_label.
    """
    counts = table.groupby(["label", "other_label"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=classes, columns=classes, fill_value=0)
    with theme.style():
        side = 1.2 + 0.42 * len(classes)
        figure, axes = plt.subplots(figsize=(min(theme.WIDTH, side + 1), side), layout="constrained")
        axes.imshow(counts, cmap="Blues", vmin=0)
        top = max(int(counts.to_numpy().max()), 1)
        for i, j in np.ndindex(counts.shape):
            number = counts.iat[i, j]
            ink = "white" if number > 0.55 * top else "#303030"
            axes.text(j, i, "·" if i == j else str(number), ha="center", va="center", color=ink, fontsize=8)
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(classes)), classes)
        axes.set_xlabel("label of the clip most like it")
        axes.set_ylabel("label of the clip")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        drawing.title(figure, title)
    return figure


def attention(table: pd.DataFrame, classes: list[str], title: str = "") -> Figure:
    """Pooling weights over time of one clip per class, as multiples of an even share.

    Args:
        table: rows of one benchmark, columns clip, label, modality, time (s), weight (sums to 1).
    """
    shown = [name for name in classes if name in set(table["label"])]
    modalities = list(dict.fromkeys(table["modality"]))
    columns = min(2, max(len(shown), 1))
    lines = max(-(-len(shown) // columns), 1)
    with theme.style():
        options = {"squeeze": False, "sharex": True, "sharey": True}
        figure, grid = drawing.panels(0.9 + 1.25 * lines, lines, columns, **options)
        for number, (axes, name) in enumerate(zip(grid.flat, shown, strict=False)):
            rows = table[table["label"] == name]
            for modality, each in rows.groupby("modality", sort=False):
                axes.plot(each["time"], each["weight"] * len(each), color=MODALITIES[modality], linewidth=1.3)
            axes.axhline(1, color="#404040", linewidth=0.8, linestyle="--")
            axes.set_title(f"{name}: {rows['clip'].iloc[0]}", fontsize=8.5)
            lowest = number + columns >= len(shown)
            axes.tick_params(labelbottom=lowest)
            axes.set_xlabel("seconds" if lowest else "")
        drawing.hide_rest(grid, len(shown))
        grid.flat[0].set_ylim(bottom=0)
        figure.supylabel("times an even share", fontsize=9)
        _modalities(figure, modalities)
        drawing.title(figure, title)
    return figure


def _modalities(figure: Figure, modalities: list[str]) -> None:
    handles = [Line2D([], [], color=MODALITIES[name], linewidth=1.6, label=name) for name in modalities]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(modalities))


def _ramp(count: int) -> list[str]:
    """`count` colours: from the palette, or steps of a colour map where it has too few."""
    if count <= len(theme.PALETTE):
        return list(theme.PALETTE[:count])
    from matplotlib.colors import to_hex

    return [to_hex(plt.get_cmap("viridis")(i / (count - 1))) for i in range(count)]
