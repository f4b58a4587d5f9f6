"""What `ugcl data audit` looks at: the folds of a benchmark, or a user's files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.data.labels import labelled
from ugcl.data.splits import build as splits
from ugcl.data.splits import foreign_split as foreign_split
from ugcl.data.splits.audit import Audit, audit
from ugcl.errors import UgclError
from ugcl.plan import paths

log = logging.getLogger(__name__)


def audits(
    config: Config, arguments: Sequence[str], corpus: str | None = None, pattern: str | None = None
) -> list[Audit]:
    """Audit benchmarks or files.

    Args:
        arguments: keys of `benchmarks`, or files as :func:`ugcl.data.splits.foreign_split.read` takes them.
        corpus: key of `corpora` whose manifest has the speakers and labels of the files.
        pattern: regular expression for the speaker in clip names.

    Raises:
        UgclError: an argument is neither, or a table cannot be read.
    """
    if all(argument in config.benchmarks for argument in arguments):
        return [found for name in arguments for found in of_benchmark(config, name)]
    strange = [a for a in arguments if not Path(a.rpartition("=")[2]).is_file()]
    if strange:
        known = ", ".join(config.benchmarks)
        raise UgclError(f"{strange[0]}: neither a file nor a benchmark; benchmarks are {known}")
    manifest = None
    if corpus is not None:
        config.corpus(corpus)
        manifest = tables.read_manifest(paths.manifest(corpus))
    found = foreign_split.read(arguments, pattern, manifest)
    return [audit(table, name) for name, table in found.items()]


def of_benchmark(config: Config, benchmark: str) -> list[Audit]:
    """Audit every fold that a benchmark runs: its split file, or what would be written to it."""
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    known = labelled(manifest, protocol).drop(columns="part", errors="ignore")  # MELD's manifest has one
    return [
        audit(
            _fold(config, benchmark, manifest, number).merge(known, on="clip", how="left"),
            f"{benchmark} fold {number}",
            protocol.classes,
        )
        for number in config.folds(benchmark)
    ]


def _fold(config: Config, benchmark: str, manifest: pd.DataFrame, number: int) -> pd.DataFrame:
    entry = config.benchmark(benchmark)
    path = paths.split(entry.corpus, entry.protocol, number)
    if path.is_file():
        return tables.read_split(path)
    log.info("%s: not there yet; auditing the fold that would be written", path)
    root, protocol = sources.root(config, entry.corpus), config.protocol(benchmark)
    return splits.make_fold(manifest, protocol, root, number)
