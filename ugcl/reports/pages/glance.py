"""A benchmark in four statements: its best system, and where that one is weak."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.plan.names import TITLES
from ugcl.reports.pages.model_card import best, standing
from ugcl.reports.tables.cells import p_value
from ugcl.reports.tables.columns import condition_name
from ugcl.reports.tables.papers import percent
from ugcl.reports.tables.read import read
from ugcl.reports.tables.scores import chance


def glance(config: Config, benchmark: str) -> list[dict[str, str]]:
    """What a reader wants to know first, each with label, value and note.

    Returns:
        Best system, its confidence, its weakest class and the condition that costs it most (left out where no
        condition was asked for).
    """
    summary = read("summary", benchmark)
    primary = config.protocol(benchmark).primary
    system = best(summary, primary)
    own = summary[summary["system"] == system].set_index("metric")
    place = standing(summary, read("comparisons", benchmark), primary)
    note = _against(config, benchmark, system)
    if place["tied"]:
        note = f"the same as {', '.join(place['tied'])}; {note}"
    label = "Best system" if place["shown"] else f"Highest {TITLES[primary]}, not shown to be best"
    guess = 100 * chance(config, benchmark)
    value = f"{system}, {TITLES[primary]} {100 * own.loc[primary, 'value']:.1f} (chance {guess:.1f})"
    shown = [_statement(label, value, note)]
    if "ece" in own.index:
        gap = "mean gap between confidence and accuracy (ECE)" + _band(own)
        shown.append(_statement("Its confidence", f"{100 * own.loc['ece', 'value']:.1f} points off", gap))
    recall = read("per_class", benchmark).query("system == @system").reset_index(drop=True)
    worst = recall.loc[recall["recall"].idxmin()]
    weakest = f"{worst['class']}, {100 * worst['recall']:.0f} %"
    shown.append(_statement("Its weakest class", weakest, "of the label's clips are recognised"))
    changes = read("robustness", benchmark).query("system == @system and metric == @primary")
    changes = changes[np.isfinite(changes["difference"].astype(float))].reset_index(drop=True)
    if len(changes):
        row = changes.loc[changes["difference"].idxmin()]
        name = condition_name(row["condition"], row["level"])
        change = percent(row["difference"], row["difference_low"], row["difference_high"], True)
        shown.append(_statement("Hardest condition", name, f"{change} points of {TITLES[primary]}"))
    return shown


def _statement(label: str, value: str, note: str) -> dict[str, str]:
    return {"label": label, "value": value, "note": note}


def _band(own: pd.DataFrame) -> str:
    """What a calibrated system would show, and what scaling leaves."""
    found = []
    if "ece_calibrated" in own.index:
        low, high = 100 * own.loc["ece_calibrated", ["ci_low", "ci_high"]]
        if np.isfinite([low, high]).all():
            found.append(f"a calibrated system would show {low:.1f}–{high:.1f}")
    if "ece_scaled" in own.index:
        found.append(f"{100 * own.loc['ece_scaled', 'value']:.1f} after temperature scaling")
    return "".join(f"; {each}" for each in found)


def _against(config: Config, benchmark: str, system: str) -> str:
    """How the best system stands against the reference."""
    reference = config.benchmark(benchmark).reference
    if system == reference:
        return "it is the reference"
    rows = read("comparisons", benchmark).query("system == @system")
    rows = rows[rows["metric"] == config.protocol(benchmark).primary]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    text = percent(row["difference"], row["ci_low"], row["ci_high"], True)
    p = p_value(row["p_holm"])
    equals = "" if p.startswith("<") else "= "
    return f"{text} points against {reference}" + (f", p {equals}{p} (Holm)" if p else "")
