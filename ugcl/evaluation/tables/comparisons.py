"""Every system against the benchmark's reference, and its ablations apart."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ugcl.config import Config
from ugcl.config.system.overrides import SECTIONS
from ugcl.evaluation.schemas.summary import COMPARED
from ugcl.evaluation.statistics import paired
from ugcl.plan.evaluation import ablations as ablated
from ugcl.plan.names import COUNTED

COLUMNS = COMPARED.between("system reference")

PLANNED, EXPLORATORY = "planned", "exploratory"
"""Families of comparisons, each corrected by itself (`benchmarks.X.planned`)."""


def comparisons(config: Config, benchmark: str, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All systems of a benchmark against its reference.

    Args:
        frames: system → stacked predictions.

    Returns:
        The columns COLUMNS (:func:`ugcl.evaluation.statistics.paired.compare`). `p_holm` corrects `p` over
        the `family_size` systems of the row's `family`, metric by metric. The tests that are given the
        trained models (p_permutation, p_mcnemar) are not corrected.
    """
    entry = config.benchmarks[benchmark]
    protocol = config.protocol(benchmark)
    classes = protocol.classes
    others = [system for system in entry.systems if system != entry.reference]
    if not others:
        return pd.DataFrame(columns=COLUMNS)
    reference, parts = paired.scored(frames[entry.reference], classes, config.evaluate), []
    for system in others:
        names = f"{benchmark}: {system} and {entry.reference}"
        own = paired.scored(frames[system], classes, config.evaluate)
        judged = protocol.primary, protocol.intervals
        part = paired.compare(own, reference, config.evaluate, names, *judged)
        parts.append(part.assign(system=system, reference=entry.reference))
    table = pd.concat(parts, ignore_index=True)
    planned = table["system"].isin(entry.planned)
    table["family"] = planned.map({True: PLANNED, False: EXPLORATORY})
    families = table.groupby(["family", "metric"])
    table["p_holm"] = families["p"].transform(lambda p: paired.holm(p.to_numpy()))
    table["family_size"] = families["system"].transform("size")
    return table[list(COLUMNS)]


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
