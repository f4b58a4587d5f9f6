"""From the predictions of a benchmark to its score tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Pool:
    """Metrics over all folds of each seed, in every draw of the speakers or dialogues.

    Attributes:
        each: metric → value of each seed.
        drawn: metric → (draws, seeds); the ECE and the scores of dimensions are not drawn.
        left_out: metric → (folds, seeds) without each fold.
        units: how many speakers or dialogues are drawn.
        clips, speakers: how many there are.
        confidence: of the intervals.
    """

    each: pd.DataFrame
    drawn: dict[str, np.ndarray]
    left_out: dict[str, np.ndarray]
    units: int
    clips: int
    speakers: int
    confidence: float

    @classmethod
    def of(cls, frame: pd.DataFrame, data: metrics.Encoded, classes: list[str], settings: Evaluate) -> Pool:
        """That of predictions of which every seed has the same clips; `data` are the same as arrays."""
        seeds = frame.groupby("seed").indices.values()
        counts = bootstrap.count(frame, classes)
        units = len(counts.units)
        return cls(
            each=pd.DataFrame([metrics.scores_of(data.part(rows), settings.bins) for rows in seeds]),
            drawn=bootstrap.evaluate(counts, bootstrap.draw(units, settings.bootstrap, settings.seed)),
            left_out=bootstrap.evaluate(counts, bootstrap.without_folds(counts)),
            units=units,
            clips=len(frame) // len(seeds),
            speakers=frame["speaker"].nunique(),
            confidence=settings.confidence,
        )

    def table(self, seeds: slice = slice(None)) -> pd.DataFrame:
        """Metrics averaged over some seeds, by number: metric, value, ci_low, ci_high, clips, speakers."""
        rows = []
        for metric, values in self.each.iloc[seeds].items():
            low = high = np.nan
            if metric in self.drawn:
                found = values.to_numpy(), self.drawn[metric][:, seeds], self.confidence, self.units
                scale, left_out = metrics.scale(metric), self.left_out[metric][:, seeds]
                low, high = bootstrap.interval(*found, scale, left_out)
            rows.append((metric, values.mean(), low, high, self.clips, self.speakers))
        return pd.DataFrame(rows, columns=["metric", "value", "ci_low", "ci_high", "clips", "speakers"])


def pooled(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Metrics over all folds, averaged over seeds, with intervals by drawing speakers or dialogues.

    The ECE and the scores of dimensions have none.

    Returns:
        One row per metric: metric, value, ci_low, ci_high, clips, speakers.
    """
    return Pool.of(frame, metrics.Encoded.of(frame, classes), classes, settings).table()


def score_table(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Metrics pooled, of each seed, and of each seed and fold.

    Folds get no interval: one fold has too few speakers.

    Returns:
        scope (pooled, seed, fold), seed, fold ("all" where pooled over), metric, value, ci_low, ci_high,
        clips, speakers.
    """
    data = metrics.Encoded.of(frame, classes)
    pool = Pool.of(frame, data, classes, settings)
    parts = [pool.table().assign(scope="pooled", seed="all", fold="all")]
    for number, seed in enumerate(np.unique(frame["seed"])):
        own = pool.table(slice(number, number + 1))
        parts.append(own.assign(scope="seed", seed=str(seed), fold="all"))
    for (seed, fold), rows in frame.groupby(["seed", "fold"]).indices.items():
        values = metrics.scores_of(data.part(rows), settings.bins)
        part = pd.DataFrame({"metric": list(values), "value": list(values.values())})
        speakers = frame["speaker"].iloc[rows].nunique()
        part = part.assign(ci_low=np.nan, ci_high=np.nan, clips=len(rows), speakers=speakers)
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

    Raises:
        UgclError: predictions are missing, broken, or not those of the systems' runs on their folds' clips.
    """
    found: dict[str, list[pd.DataFrame]] = defaultdict(list)
    manifest = tables.read_manifest(paths.manifest(config.benchmark(benchmark).corpus))
    for system, frame in predictions.stacked(config, benchmark, manifest):
        for name, table in _tables(config, benchmark, system, frame, manifest).items():
            lineage = {"lineage": lineages[system]} if name == "metrics" else {}
            found[name].append(table.assign(system=system, **lineage))
    for name, parts in found.items():
        filled = [part for part in parts if len(part)] or parts[:1]  # empty ones would decide column types
        whole = pd.concat(filled, ignore_index=True)
        schema.write(whole, SCORES[name].between("system"), score_path(benchmark, name))
    return [score_path(benchmark, name) for name in found]


def _tables(
    config: Config, benchmark: str, system: str, frame: pd.DataFrame, manifest: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The score tables of one system: stem → rows."""
    classes, settings = config.protocol(benchmark).classes, config.evaluate
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
