"""From the predictions of one system to its score tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.config.report import Evaluate
from ugcl.data import tables
from ugcl.evaluation import schema
from ugcl.evaluation.statistics import bootstrap, calibration, metrics, mistakes, subgroups
from ugcl.evaluation.statistics.schemas import SCORES
from ugcl.evaluation.tables import predictions
from ugcl.plan import paths
from ugcl.plan.evaluation import score as score_path


def pooled(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Metrics over all folds, averaged over seeds, with speaker-bootstrap intervals.

    The ECE and the scores of dimensions have none.

    Returns:
        One row a metric: metric, value, ci_low, ci_high, clips, speakers.
    """
    each = pd.DataFrame([metrics.scores(rows, classes, settings.bins) for _, rows in frame.groupby("seed")])
    counts = bootstrap.count(frame, classes)
    speakers = len(counts.speakers)
    drawn = bootstrap.evaluate(counts, bootstrap.draw(speakers, settings.bootstrap, settings.seed))
    clips = len(frame) // frame["seed"].nunique()
    rows = []
    for metric, values in each.items():
        low = high = np.nan
        if metric in drawn:
            scale = metrics.scale(metric)
            low, high = bootstrap.interval(
                values.to_numpy(), drawn[metric], settings.confidence, speakers, scale
            )
        rows.append((metric, values.mean(), low, high, clips, speakers))
    return pd.DataFrame(rows, columns=["metric", "value", "ci_low", "ci_high", "clips", "speakers"])


def score_table(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Metrics pooled, of each seed, and of each seed and fold.

    Folds get no interval: the few speakers of one fold cannot carry one.

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


def score(config: Config, benchmark: str, system: str, lineage: str = "") -> list[Path]:
    """Score a system of a benchmark from its prediction files and the manifest, and write its tables.

    Args:
        config: the parameters.
        benchmark: key of `benchmarks`.
        system: one of the benchmark's systems.
        lineage: hash of what the result depends on; printed in every table.

    Returns:
        The files written (:func:`ugcl.plan.evaluation.score_outputs`).
    """
    protocol, entry, settings = config.protocol(benchmark), config.benchmark(benchmark), config.evaluate
    classes, folds = protocol.classes, config.folds(benchmark)
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    frame = predictions.stack(benchmark, system, entry.seeds, folds, classes)
    frame = predictions.with_rater_shares(frame, manifest, protocol)
    results = {
        "metrics": score_table(frame, classes, settings).assign(lineage=lineage),
        "confusion": metrics.confusion(frame, classes),
        "per_class": class_table(frame, classes),
        "subgroups": subgroups.subgroups(frame, manifest, classes, settings),
        "per_speaker": subgroups.per_speaker(frame, classes),
        "calibration": calibration.calibration(frame, classes, settings),
        "pairs": mistakes.pairs(frame, classes, settings),
    }
    for name, table in results.items():
        schema.write(table, SCORES[name], score_path(benchmark, system, name))
    return [score_path(benchmark, system, name) for name in results]


def class_table(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Per-class scores pooled over folds and averaged over seeds; support is that of one seed."""
    each = [metrics.per_class(rows, classes) for _, rows in frame.groupby("seed")]
    whole = pd.concat(each).groupby("class", sort=False).mean().reset_index()
    return whole.assign(support=whole["support"].round().astype(int))
