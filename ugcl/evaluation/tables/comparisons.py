"""Every system against the benchmark's reference, and its ablations apart."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ugcl.config import Config
from ugcl.config.system.overrides import SECTIONS
from ugcl.evaluation.statistics import paired
from ugcl.plan.evaluation import ablations as ablated
from ugcl.plan.names import COUNTED

COMPARED = (
    "system",
    "reference",
    "metric",
    "value",
    "reference_value",
    "difference",
    "ci_low",
    "ci_high",
    "detectable",
    "effect",
    "effect_low",
    "effect_high",
    "p_permutation",
    "p_mcnemar",
    "p_holm",
)


def comparisons(config: Config, benchmark: str, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All systems of a benchmark against its reference.

    Args:
        config: the parameters.
        benchmark: key of `benchmarks`.
        frames: system → stacked predictions.

    Returns:
        The columns COMPARED (:func:`ugcl.evaluation.statistics.paired.compare`). `p_holm` corrects the row's
        own test over the systems: the permutation test on the UAR rows, McNemar's on the WAR rows.
    """
    entry = config.benchmarks[benchmark]
    classes = config.protocol(benchmark).classes
    parts = []
    others = [system for system in entry.systems if system != entry.reference]
    if others:
        reference = paired.scored(frames[entry.reference], classes, config.evaluate)
        for system in others:
            names = f"{benchmark}: {system} and {entry.reference}"
            own = paired.scored(frames[system], classes, config.evaluate)
            part = paired.compare(own, reference, config.evaluate, names)
            parts.append(part.assign(system=system, reference=entry.reference))
    if not parts:
        return pd.DataFrame(columns=COMPARED)
    table = pd.concat(parts, ignore_index=True)
    raw = table["p_permutation"].fillna(table["p_mcnemar"])
    table["p_holm"] = raw.groupby(table["metric"]).transform(lambda p: paired.holm(p.to_numpy()))
    return table[list(COMPARED)]


def ablations(config: Config, benchmark: str, compared: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of the reference's ablations, with what each changes."""
    names = ablated(config, benchmark)
    table = compared[compared["system"].isin(names) & compared["metric"].isin(COUNTED)]
    what = {name: changes(config, benchmark, name) for name in names}
    table = table.assign(changes=table["system"].map(what))
    front = ["system", "reference", "changes"]
    return table[[*front, *[column for column in COMPARED if column not in front]]]


def changes(config: Config, benchmark: str, system: str) -> str:
    """What a system's settings change against the reference, such as `loss.balance: 0 → 1`."""
    entry = config.benchmarks[benchmark]
    own = _flat(_settings(config, benchmark, system))
    base = _flat(_settings(config, benchmark, entry.reference))
    keys = sorted(own.keys() | base.keys())
    return "; ".join(
        f"{key}: {_word(base.get(key))} → {_word(own.get(key))}"
        for key in keys
        if own.get(key) != base.get(key)
    )


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
