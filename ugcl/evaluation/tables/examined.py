"""Gathers what trained systems did beyond their predictions: robustness, temperatures, the inside, cost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.evaluation.networks.schemas import ROBUSTNESS
from ugcl.plan.evaluation import REPRESENTATION, score, temperature, under_conditions


def examined(config: Config, benchmark: str) -> dict[str, pd.DataFrame]:
    """The tables of one benchmark: stem → rows, system first.

    Returns:
        robustness (columns ROBUSTNESS; without rows where no condition is
        asked for), temperature (of :func:`ugcl.inference.temperature.fitted`), cost (of
        :func:`ugcl.evaluation.networks.cost.cost`), and of the reference system alone those of
        :mod:`ugcl.evaluation.networks.representation`: tokens, token_usage, retrieval, hard_negatives,
        token_map, attention.

    Raises:
        UgclError: a table is not there.
    """
    entry = config.benchmark(benchmark)
    found = {
        "robustness": pd.DataFrame(columns=["system", *ROBUSTNESS]),
        "temperature": _stacked((s, temperature(benchmark, s)) for s in entry.systems),
        "cost": _stacked((s, score(benchmark, s, "cost")) for s in entry.systems),
    }
    if systems := under_conditions(config, benchmark):
        found["robustness"] = _stacked((s, score(benchmark, s, "robustness")) for s in systems)
    for name in REPRESENTATION:
        found[name] = _stacked([(entry.reference, score(benchmark, entry.reference, name))])
    return found


def _stacked(files: Iterable[tuple[str, Path]]) -> pd.DataFrame:
    parts = []
    for system, path in files:
        frame = tables.read(path)
        frame.insert(0, "system", system)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)
