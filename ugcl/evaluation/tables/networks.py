"""Tables about trained networks of a benchmark: robustness, temperatures, tokens."""

from __future__ import annotations

import pandas as pd

from ugcl.config import Config
from ugcl.evaluation.schemas.networks import ROBUSTNESS
from ugcl.evaluation.tables.score import read_scores
from ugcl.inference.temperature import COLUMNS, read_table
from ugcl.plan.evaluation import REPRESENTATION, under_conditions


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
        "temperature": pd.concat([read_table(benchmark, s) for s in entry.systems], ignore_index=True)[
            ["system", *COLUMNS]
        ],
    }
    if systems := under_conditions(config, benchmark):
        found["robustness"] = read_scores(benchmark, "robustness", systems)
    return found | {name: read_scores(benchmark, name, [entry.reference]) for name in REPRESENTATION}
