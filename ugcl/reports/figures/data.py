"""Figures of a benchmark's data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ugcl.reports import theme
from ugcl.reports.figures import drawing

SHADE = theme.PALETTE[0]
BAD = theme.PALETTE[1]
MANY = 30
"""More speakers than this are not named one by one."""


def overview(clips: pd.DataFrame, parts: pd.DataFrame, classes: list[str], title: str = "") -> Figure:
    """Clips of each class and speaker, their durations, and the sizes of the parts.

    Args:
        clips: one row per clip: speaker, label, duration (seconds), failure.
        parts: one row per fold and part: fold, part, clips.
    """
    table = clips.pivot_table(index="label", columns="speaker", values="clip", aggfunc="count", fill_value=0)
    table = table.reindex(classes, fill_value=0)
    with theme.style():
        figure, ((top, hours), (length, folds)) = drawing.panels(5.2, 2, 2, width_ratios=[1.5, 1])
        image = top.imshow(table, aspect="auto", cmap="Blues", vmin=0)
        top.set_yticks(range(len(classes)), classes)
        names = table.columns.tolist()
        if len(names) <= MANY:
            top.set_xticks(range(len(names)), names, rotation=90)
        top.set_xlabel(f"{len(names)} speakers")
        top.set_title("clips by class and speaker")
        top.grid(False)
        top.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=top, shrink=0.9, pad=0.02)
        bar.locator = MaxNLocator(integer=True, nbins=5)
        bar.update_ticks()

        good = clips[clips["failure"] == ""]["label"].value_counts().reindex(classes, fill_value=0)
        bad = clips[clips["failure"] != ""]["label"].value_counts().reindex(classes, fill_value=0)
        y = np.arange(len(classes))
        hours.barh(y, good, color=SHADE, height=0.65, label="good")
        hours.barh(y, bad, left=good, color=BAD, height=0.65, label=f"quarantined ({bad.sum()})")
        hours.set_yticks(y, classes)
        hours.invert_yaxis()
        hours.grid(axis="y", visible=False)
        hours.set_title("clips by class")
        hours.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, handlelength=1)

        known = clips["duration"].dropna()
        if len(known):
            length.hist(known, bins=30, color=SHADE)
            length.set_xlabel(f"seconds (median {known.median():.1f}, {known.sum() / 3600:.2f} h in all)")
        else:
            length.set_axis_off()
            length.text(0.5, 0.5, "not known: there are no media", ha="center", transform=length.transAxes)
        length.set_title("durations")

        sizes = parts.pivot(index="fold", columns="part", values="clips")[["train", "dev", "test"]]
        left = np.zeros(len(sizes))
        for part, shade in zip(sizes, (theme.PALETTE[0], theme.PALETTE[4], theme.PALETTE[1]), strict=True):
            folds.barh(sizes.index, sizes[part], left=left, color=shade, height=0.65, label=part)
            left += sizes[part].to_numpy()
        folds.set_yticks(sizes.index, [f"fold {fold}" for fold in sizes.index])
        folds.invert_yaxis()
        folds.grid(axis="y", visible=False)
        folds.set_title("clips by part")
        folds.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, handlelength=1)
        drawing.title(figure, title)
    return figure
