"""Whose tables are current: what the summary covers beside the active benchmarks, and why no others.

A run makes the tables of the active benchmarks alone; those of others stay as they are. A benchmark's tables
lie beside a record of what they were made from, `lineage.json`, which Git keeps with them.
"""

from __future__ import annotations

import hashlib
import json

from ugcl import files
from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.plan.evaluation import table, table_record
from ugcl.provenance import lineage


def record(benchmark: str, made_from: str) -> None:
    """Note the lineage that a benchmark's tables were made from, once all are written."""
    content = {"benchmark": benchmark, "lineage": made_from, "summary_sha256": _digest(benchmark)}
    text = json.dumps(content, indent=2)
    files.write(table_record(benchmark), text + "\n")


def included(config: Config) -> dict[str, str]:
    """Benchmark → lineage of its tables, in the parameters' order: the active, and others if current."""
    others = set(_others(config))
    return {
        name: lineage.tables(config, name)
        for name in config.benchmarks
        if name in config.active or (name in others and not _fault(config, name))
    }


def left_out(config: Config) -> dict[str, str]:
    """Benchmarks with tables that the summary leaves out → the reason."""
    faults = {name: _fault(config, name) for name in _others(config)}
    return {name: fault for name, fault in faults.items() if fault}


def _others(config: Config) -> list[str]:
    """Benchmarks, or what was one, that are not active and have tables."""
    found = sorted(path.parent.name for path in paths.TABLES.glob("*/summary.csv"))
    return [name for name in found if name not in config.active]


def _fault(config: Config, benchmark: str) -> str:
    """Why a benchmark's tables are not current; "" where they are."""
    if benchmark not in config.benchmarks:
        return "the parameters do not name this benchmark"
    path = table_record(benchmark)
    try:
        found = json.loads(path.read_text())
        made, recorded, digest = (found[key] for key in ("benchmark", "lineage", "summary_sha256"))
    except (OSError, ValueError, TypeError, KeyError):
        return f"{path} is missing or damaged, so it is not known what they were made from"
    try:
        now = lineage.tables(config, benchmark)
    except (UgclError, ModuleNotFoundError) as error:
        return f"their lineage cannot be worked out: {error}"
    if (made, recorded) != (benchmark, now):
        return f"they were made with other parameters or code (lineage {recorded}, now {now})"
    if digest != _digest(benchmark):
        return f"{table(benchmark, 'summary')} is not the file that was recorded"
    return ""


def _digest(benchmark: str) -> str:
    return hashlib.sha256(table(benchmark, "summary").read_bytes()).hexdigest()
