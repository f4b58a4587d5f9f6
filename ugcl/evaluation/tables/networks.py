"""Tables about trained networks of a benchmark: robustness, temperatures, tokens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.evaluation.schemas.networks import ROBUSTNESS
from ugcl.evaluation.tables.score import read_scores
from ugcl.plan.evaluation import REPRESENTATION, temperature, under_conditions


def network_tables(config: Config, benchmark: str) -> dict[str, pd.DataFrame]:
    """The tables of one benchmark: stem → rows, system first.

    Returns:
        robustness (columns ROBUSTNESS; no rows without conditions), temperature (of
        :func:`ugcl.inference.temperature.fitted`), and of the reference system alone those of
        :mod:`ugcl.evaluation.networks.tokens`: tokens, token_usage, retrieval, hard_negatives,
        token_map, attention.

    Raises:
        UgclError: a table is not there.
    """
    entry = config.benchmark(benchmark)
    found = {
        "robustness": pd.DataFrame(columns=["system", *ROBUSTNESS]),
        "temperature": _stacked((s, temperature(benchmark, s)) for s in entry.systems),
    }
    if systems := under_conditions(config, benchmark):
        found["robustness"] = read_scores(benchmark, "robustness", systems)
    return found | {name: read_scores(benchmark, name, [entry.reference]) for name in REPRESENTATION}


def _stacked(files: Iterable[tuple[str, Path]]) -> pd.DataFrame:
    parts = []
    for system, path in files:
        frame = tables.read(path)
        frame.insert(0, "system", system)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)
