"""Which files tests of trained systems on other corpora read and write; for the Snakefile, so light."""

from __future__ import annotations

from pathlib import Path

from ugcl.config import Config
from ugcl.config.system.transfer import Transfer
from ugcl.plan import evaluation

TABLES = ("transfer", "transfer_confusion")
"""Stems of the tables in results/tables/<benchmark> of the benchmark whose clips are judged."""

NOTEBOOK = "11_transfer"


def pairs(config: Config, target: str) -> list[Transfer]:
    """The systems of other active benchmarks that are tested on a benchmark's clips."""
    return [pair for pair in config.transfer if pair.target == target and pair.source in config.active]


def targets(config: Config) -> list[str]:
    """The active benchmarks on whose clips systems of others are tested."""
    return [name for name in config.active if pairs(config, name)]


def inputs(config: Config, target: str) -> list[Path]:
    """What `ugcl evaluate transfer` reads: clips and predictions of the target, runs and clips of others."""
    files = [*evaluation.clip_inputs(config, target), *evaluation.predicted(config, target)]
    for pair in pairs(config, target):
        files += evaluation.predicted(config, pair.source, [pair.system])
        files += evaluation.clean_clips(config, pair.source)
    return list(dict.fromkeys(files))


def outputs(config: Config) -> list[Path]:
    """What it writes for all active benchmarks."""
    return [evaluation.table(target, name) for target in targets(config) for name in TABLES]
