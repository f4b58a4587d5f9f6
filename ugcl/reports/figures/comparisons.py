"""Figures of differences: from the reference, of ablations by what they change, from published results."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ugcl.plan.names import COUNTED, TITLES, is_reference_row
from ugcl.reports import theme
from ugcl.reports.figures import drawing

PALE = "#ececec"
SECTIONS = {
    "method.weights": "loss terms",
    "method": "method",
    "encoder": "encoder",
    "input": "input",
    "loss": "classification loss",
    "train": "training",
}
"""Section of a system's settings → heading of the ablations that change only it; the first that fits."""

SEVERAL = "several at once"


def groups(changes: pd.Series) -> pd.Series:
    """The heading of each ablation, such as "loss terms" for `method.weights.contrast: 0.15 → 0`."""

    def heading(text: str) -> str:
        found = {
            next((name for section, name in SECTIONS.items() if change.startswith(f"{section}.")), SEVERAL)
            for change in text.split("; ")
        }
        return found.pop() if len(found) == 1 else SEVERAL

    return changes.map(heading)


def differences(
    compared: pd.DataFrame, palette: dict[str, str], metric: str = "uar", title: str = ""
) -> Figure:
    """Differences from the reference with intervals and corrected p; left of zero is worse.

    A pale band reaches as far as the smallest difference that the design would find in four of five tries.

    Args:
        compared: rows of one benchmark, columns of its comparisons.csv or ablations.csv; the rows
            of ablations stand under headings of what they change, where these differ.
    """
    rows = compared[compared["metric"] == metric].reset_index(drop=True)
    heading = groups(rows["changes"]) if "changes" in rows else pd.Series("", index=rows.index)
    order = [name for name in ["", *SECTIONS.values(), SEVERAL] if (heading == name).any()]
    reference = rows["reference"].iloc[0] if len(rows) else "the reference"
    with theme.style():
        lines = max(len(rows) + len(order) * (len(order) > 1), 1)
        figure, axes = drawing.panels(1.15 + 0.34 * lines)
        axes.axvline(0, color="#404040", linewidth=0.9)
        labels: list[str] = []
        for name in order:
            if len(order) > 1:
                labels.append(name)
            for row in rows[heading == name].itertuples():
                y = len(labels)
                axes.barh(y, 2 * row.detectable, left=-row.detectable, height=0.62, color=PALE, zorder=0)
                shade = theme.colour(palette, row.system)
                drawing.interval(axes, row.difference, row.ci_low, row.ci_high, y, shade)
                text = drawing.points(100 * row.difference)
                text += f"   {drawing.p_value(row.p_holm)}" if np.isfinite(row.p_holm) else ""
                drawing.beside(axes, y, text)
                labels.append(row.system)
        drawing.names(axes, labels)
        for text in axes.get_yticklabels() if len(order) > 1 else []:
            if text.get_text() in order:
                text.set(fontstyle="italic", color=theme.GREY)
        ends = rows[["ci_low", "ci_high", "difference", "detectable"]].to_numpy()
        reach = np.nanmax(np.abs(ends), initial=0.02) * 1.1
        axes.set_xlim(-reach, reach)
        drawing.signed(axes)
        axes.set_xlabel(
            f"{TITLES[metric]}, points, minus {reference} (95 % interval; p after Holm)\n"
            "pale: differences that this design would miss more than once in five times"
        )
        axes.set_title(title)
    return figure


def shared_metric(comparable: pd.DataFrame) -> str | None:
    """The metric that most of the published rows give; None without rows."""
    given = comparable["metric"].value_counts()
    return max((metric for metric in COUNTED if metric in given), key=given.get, default=None)


def published(
    summary: pd.DataFrame,
    comparable: pd.DataFrame,
    palette: dict[str, str],
    metric: str,
    title: str = "",
    units: str = "speakers",
) -> Figure:
    """Systems with intervals among the published results of the same protocol, the best on top.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        comparable: rows of results/tables/<benchmark>/published.csv that are comparable with it.
    """
    own = summary[(summary["metric"] == metric) & ~summary["system"].map(is_reference_row)]
    theirs = comparable[comparable["metric"] == metric]
    rows = pd.concat([own.assign(ours=True), theirs.assign(ours=False)], ignore_index=True)
    rows = rows.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    with theme.style():
        figure, axes = drawing.panels(1.1 + 0.3 * len(rows))
        for y, row in enumerate(rows.itertuples()):
            if row.ours:
                shade = theme.colour(palette, row.system)
                drawing.interval(axes, row.value, row.ci_low, row.ci_high, y, shade)
            else:
                if np.isfinite(row.spread):
                    ends = [row.value - row.spread, row.value + row.spread]
                    axes.plot(ends, [y, y], color=theme.GREY, linewidth=1)
                axes.plot([row.value], [y], "D", markersize=5, mfc="white", mec=theme.GREY)
            drawing.beside(axes, y, f"{100 * row.value:.1f}")
        drawing.names(axes, [_name(row) for row in rows.itertuples()])
        axes.xaxis.set_major_formatter(drawing.PERCENT)
        axes.set_xlabel(
            f"{TITLES[metric]}; dots: systems here, 95 % interval over {units};\n"
            "hollow: published, thin line: standard deviation where it is given"
        )
        axes.set_title(title)
    return figure


def _name(row) -> str:
    if row.ours:
        return drawing.with_modalities(row.system, row.modalities)
    year = f", {row.year:.0f}" if np.isfinite(row.year) else ""
    return drawing.with_modalities(f"{row.method}{year}", row.modalities)
