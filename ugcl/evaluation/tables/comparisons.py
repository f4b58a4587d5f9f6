"""Every system against the benchmark's reference, its ablations apart, and against every other system."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.config.report import Evaluate
from ugcl.config.system.overrides import SECTIONS
from ugcl.evaluation.schemas.summary import COMPARED, SYSTEM_PAIRS
from ugcl.evaluation.statistics import paired
from ugcl.evaluation.statistics.paired import Scored
from ugcl.plan.evaluation import ablations as ablated
from ugcl.plan.names import COUNTED

COLUMNS = COMPARED.between("system reference")

AGREEMENT = ("both", "only_system", "only_other", "neither")
PLANNED, EXPLORATORY = "planned", "exploratory"
"""Families of comparisons, each corrected by itself (`benchmarks.X.planned`)."""


def comparisons(config: Config, benchmark: str, frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """All systems of a benchmark against its reference, and against each other.

    Args:
        frames: system → stacked predictions.

    Returns:
        comparisons: the columns COLUMNS (:func:`ugcl.evaluation.statistics.paired.compare`). `p_holm`
        corrects `p` over the `family_size` systems of the row's `family`, metric by metric. The tests that
        are given the trained models (p_permutation, p_mcnemar) are not corrected.
        system_pairs: see :func:`pairs`.
    """
    entry = config.benchmarks[benchmark]
    protocol = config.protocol(benchmark)
    judged = protocol.primary, protocol.intervals
    every = [entry.reference, *(system for system in entry.systems if system != entry.reference)]
    reference, parts, kept = None, [], {}
    for system in every:
        own = paired.scored(frames[system], protocol.classes, config.evaluate)
        kept[system] = own.only(protocol.primary)
        if reference is None:
            reference = own
            continue
        names = f"{benchmark}: {system} and {entry.reference}"
        part = paired.compare(own, reference, config.evaluate, names, *judged)
        parts.append(part.assign(system=system, reference=entry.reference))
    each = pairs({system: kept[system] for system in entry.systems}, config.evaluate, *judged)
    if not parts:
        return {"comparisons": pd.DataFrame(columns=COLUMNS), "system_pairs": each}
    table = pd.concat(parts, ignore_index=True)
    planned = table["system"].isin(entry.planned)
    table["family"] = planned.map({True: PLANNED, False: EXPLORATORY})
    families = table.groupby(["family", "metric"])
    table["p_holm"] = families["p"].transform(lambda p: paired.holm(p.to_numpy()))
    table["family_size"] = families["system"].transform("size")
    return {"comparisons": table[list(COLUMNS)], "system_pairs": each}


def pairs(scored: dict[str, Scored], settings: Evaluate, primary: str, unit: str) -> pd.DataFrame:
    """Every two systems by the primary metric, on the clips that both were tested on.

    Args:
        scored: system → its scores; all of the same clips.
        primary: the metric.
        unit: what the intervals draw, speaker or dialogue.

    Returns:
        system, other, metric, value, other_value, the difference of the first from the other with ci_low,
        ci_high and p of one inference; p_holm corrects it over all pairs. both, only_system, only_other,
        neither: shares of the clips, seeds averaged, that these predict rightly.
    """
    right = {name: (one.frame["label"] == one.frame["predicted"]).to_numpy() for name, one in scored.items()}
    rows = []
    for name, other in combinations(scored, 2):
        row = paired.difference(scored[name], scored[other], primary, settings, unit)
        first, second = right[name], right[other]
        shares = first & second, first & ~second, ~first & second, ~first & ~second
        rows.append(
            {"system": name, "other": other, "metric": primary, "other_value": row.pop("reference_value")}
            | dict(zip(AGREEMENT, map(np.mean, shares), strict=True))
            | row
        )
    table = pd.DataFrame(rows, columns=["system", *SYSTEM_PAIRS])
    if rows:
        table["p_holm"] = paired.holm(table["p"].to_numpy())
    return table


def ablations(config: Config, benchmark: str, compared: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of the reference's ablations, with what each changes."""
    names = ablated(config, benchmark)
    table = compared[compared["system"].isin(names) & compared["metric"].isin(COUNTED)]
    what = {name: changes(config, benchmark, name) for name in names}
    return table.assign(changes=table["system"].map(what))


def changes(config: Config, benchmark: str, system: str) -> str:
    """What a system's settings change against the reference, such as `method.weights.contrast: 0.15 → 0`."""
    entry = config.benchmarks[benchmark]
    own = _flat(_settings(config, benchmark, system))
    base = _flat(_settings(config, benchmark, entry.reference))
    different = [key for key in sorted(own.keys() | base.keys()) if own.get(key) != base.get(key)]
    return "; ".join(f"{key}: {_word(base.get(key))} → {_word(own.get(key))}" for key in different)


def _settings(config: Config, benchmark: str, system: str) -> dict[str, Any]:
    return config.resolve(benchmark, system).model_dump(include=set(SECTIONS))


def _flat(tree: Any, place: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {place: tree}
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{place}.{key}" if place else key)
    return flat


def _word(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
