"""The summary over benchmarks, from the table of each."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pandas as pd

from ugcl import files
from ugcl.config import Config
from ugcl.data import tables
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import SUMMARY
from ugcl.plan import evaluation as plan
from ugcl.plan.names import is_reference_row

LEDGER = ("uar", "war", "macro_f1")
"""Metrics that metrics.json holds, beside the primary metric of a benchmark's protocol."""


def summarise(config: Config, benchmarks: Iterable[str]) -> None:
    """Write summary.csv and metrics.json over some benchmarks, in their order.

    Args:
        config: the parameters, which have all of them.
        benchmarks: whose results/tables/<benchmark>/summary.csv are read, at least one.

    Raises:
        UgclError: a table is missing or has other columns.
    """
    parts = []
    for benchmark in benchmarks:
        frame = tables.read(plan.table(benchmark, "summary"))
        schema.typed(frame.copy(), SUMMARY, plan.table(benchmark, "summary"))
        parts.append(frame)
    whole = pd.concat(parts, ignore_index=True)
    schema.write(whole, SUMMARY, plan.summary())  # as text: each row is that of the benchmark's table
    tree: dict[str, dict[str, dict[str, float]]] = {}
    primary = {name: config.protocol(name).primary for name in whole["benchmark"].unique()}
    kept = whole["metric"].isin(LEDGER) | (whole["metric"] == whole["benchmark"].map(primary))
    trained = whole[kept & ~whole["system"].map(is_reference_row)]
    for row in trained.itertuples():
        tree.setdefault(row.benchmark, {}).setdefault(row.system, {})[row.metric] = float(row.value)
    files.write(plan.metrics_json(), json.dumps(tree, indent=2, sort_keys=True) + "\n")
