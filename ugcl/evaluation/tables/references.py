"""The reference rows of a protocol before anything is trained, from its manifest and folds alone."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ugcl.config import Config
from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.data import sources, tables
from ugcl.data.labels import labelled, units
from ugcl.data.splits import build as splits
from ugcl.evaluation.statistics.baselines import fold_rows, reference_rows
from ugcl.plan import paths


def of_benchmark(config: Config, benchmark: str) -> pd.DataFrame:
    """The reference rows of a benchmark's folds, quarantined clips included; see :func:`references`."""
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    root = sources.root(config, entry.corpus)
    folds = {n: splits.make_fold(manifest, protocol, root, n) for n in config.folds(benchmark)}
    return references(manifest, protocol, folds, config.evaluate)


def references(
    manifest: pd.DataFrame, protocol: Protocol, folds: Mapping[int, pd.DataFrame], settings: Evaluate
) -> pd.DataFrame:
    """Chance, majority, raters and script, pooled and fold by fold.

    Args:
        folds: fold → its split table.

    Returns:
        system, modalities, fold ("all" where pooled), metric, value, ci_low, ci_high, clips, speakers.
    """
    known = labelled(manifest, protocol)
    known = known.assign(unit=units(known, protocol.intervals))[["clip", "speaker", "label", "unit"]]
    parts = {number: split.merge(known, on="clip", how="left") for number, split in folds.items()}
    tests = [rows[rows["part"] == "test"].assign(fold=number) for number, rows in parts.items()]
    tested = pd.concat(tests, ignore_index=True)
    training = {number: rows.loc[rows["part"] == "train", "label"] for number, rows in parts.items()}
    whole = [
        rows.assign(system=name, modalities=modalities, fold="all")
        for (name, modalities), rows in reference_rows(tested, manifest, training, protocol, settings).items()
    ]
    each = fold_rows(tested, manifest, training, protocol)
    table = pd.concat([*whole, each.assign(fold=each["fold"].astype(str))], ignore_index=True)
    front = ["system", "modalities", "fold"]
    return table[[*front, *[column for column in table if column not in front]]]
