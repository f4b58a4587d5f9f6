"""From the predictions of a benchmark to its score tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.config.report import Evaluate
from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.scores import SCORES
from ugcl.evaluation.statistics import bootstrap, calibration, metrics, mistakes, subgroups
from ugcl.evaluation.tables import predictions
from ugcl.inference import temperature
from ugcl.plan import paths
from ugcl.plan.evaluation import score as score_path

COMPLETE = ("metrics", "cost", "robustness")
"""Stems of the tables in which every system has rows; a system may, say, have no confused pair of classes."""


def pooled(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Metrics over all folds, averaged over seeds, with intervals by drawing speakers or dialogues.

    The ECE and the scores of dimensions have none.

    Returns:
        One row per metric: metric, value, ci_low, ci_high, clips, speakers.
    """
    each = pd.DataFrame([metrics.scores(rows, classes, settings.bins) for _, rows in frame.groupby("seed")])
    counts = bootstrap.count(frame, classes)
    units, speakers = len(counts.units), frame["speaker"].nunique()
    drawn = bootstrap.evaluate(counts, bootstrap.draw(units, settings.bootstrap, settings.seed))
    left_out = bootstrap.evaluate(counts, bootstrap.without_folds(counts))
    clips = len(frame) // frame["seed"].nunique()
    rows = []
    for metric, values in each.items():
        low = high = np.nan
        if metric in drawn:
            scale = metrics.scale(metric)
            found = values.to_numpy(), drawn[metric], settings.confidence, units, scale, left_out[metric]
            low, high = bootstrap.interval(*found)
        rows.append((metric, values.mean(), low, high, clips, speakers))
    return pd.DataFrame(rows, columns=["metric", "value", "ci_low", "ci_high", "clips", "speakers"])


def score_table(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Metrics pooled, of each seed, and of each seed and fold.

    Folds get no interval: one fold has too few speakers.

    Returns:
        scope (pooled, seed, fold), seed, fold ("all" where pooled over), metric, value, ci_low, ci_high,
        clips, speakers.
    """
    whole = pooled(frame, classes, settings)
    parts = [whole.assign(scope="pooled", seed="all", fold="all")]
    for seed, rows in frame.groupby("seed"):
        of_seed = whole if len(rows) == len(frame) else pooled(rows, classes, settings)
        parts.append(of_seed.assign(scope="seed", seed=str(seed), fold="all"))
    for (seed, fold), rows in frame.groupby(["seed", "fold"]):
        values = metrics.scores(rows, classes, settings.bins)
        part = pd.DataFrame({"metric": list(values), "value": list(values.values())})
        part = part.assign(ci_low=np.nan, ci_high=np.nan, clips=len(rows), speakers=rows["speaker"].nunique())
        parts.append(part.assign(scope="fold", seed=str(seed), fold=str(fold)))
    return pd.concat(parts, ignore_index=True)


def with_pooled(whole: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """A score table with more pooled rows after its own: metric, value, ci_low, ci_high."""
    pooled_rows = whole[whole["scope"] == "pooled"]
    shared = pooled_rows.iloc[0][["scope", "seed", "fold", "clips", "speakers"]]
    parts = [pooled_rows, more.assign(**shared)[list(whole)], whole[whole["scope"] != "pooled"]]
    return pd.concat(parts, ignore_index=True)


def score(config: Config, benchmark: str, lineages: Mapping[str, str]) -> list[Path]:
    """Score the systems of a benchmark from their predictions and the manifest, and write its tables.

    Args:
        lineages: system → hash of what its scores depend on, printed in the table of metrics.

    Returns:
        The files written (:func:`ugcl.plan.evaluation.score_outputs`); `system` is their first column.
    """
    found: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for system in config.benchmark(benchmark).systems:
        for name, table in score_tables(config, benchmark, system).items():
            lineage = {"lineage": lineages[system]} if name == "metrics" else {}
            found[name].append(table.assign(system=system, **lineage))
    for name, parts in found.items():
        filled = [part for part in parts if len(part)] or parts[:1]  # empty ones would decide column types
        whole = pd.concat(filled, ignore_index=True)
        schema.write(whole, SCORES[name].between("system"), score_path(benchmark, name))
    return [score_path(benchmark, name) for name in found]


def score_tables(config: Config, benchmark: str, system: str) -> dict[str, pd.DataFrame]:
    """The score tables of one system: stem → rows.

    Raises:
        UgclError: predictions are missing, broken, or not those of the system's runs on their folds' clips.
    """
    protocol, entry, settings = config.protocol(benchmark), config.benchmark(benchmark), config.evaluate
    classes = protocol.classes
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    frame = predictions.stack(config, benchmark, system)
    frame = predictions.with_rater_shares(frame, manifest, protocol)
    beside = calibration.errors(frame, classes, settings, temperature.read(benchmark, system))
    return {
        "metrics": with_pooled(score_table(frame, classes, settings), beside),
        "confusion": metrics.confusion(frame, classes),
        "per_class": class_table(frame, classes),
        "subgroups": subgroups.subgroups(frame, manifest, classes, settings),
        "per_speaker": subgroups.per_speaker(frame, classes),
        "calibration": calibration.calibration(frame, classes, settings),
        "pairs": mistakes.pairs(frame, classes, settings),
    }


def read_scores(benchmark: str, name: str, systems: list[str]) -> pd.DataFrame:
    """Some systems' rows of one of a benchmark's score tables.

    Raises:
        UgclError: the table is missing, or has no row of a system that must have one.
    """
    path = score_path(benchmark, name)
    frame = tables.read(path)
    missing = [system for system in systems if system not in set(frame["system"])]
    if missing and name in COMPLETE:
        raise UgclError(f"{path}: has no rows of {missing[0]}; run `snakemake evaluate`")
    return frame[frame["system"].isin(systems)].reset_index(drop=True)


def class_table(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Per-class scores pooled over folds and averaged over seeds; support is that of one seed."""
    each = [metrics.per_class(rows, classes) for _, rows in frame.groupby("seed")]
    whole = pd.concat(each).groupby("class", sort=False).mean().reset_index()
    return whole.assign(support=whole["support"].round().astype(int))
