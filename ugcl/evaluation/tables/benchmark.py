"""All results of a benchmark in a few tables."""

from __future__ import annotations

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.data.labels import labelled
from ugcl.evaluation.dialogues import turns
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import PER_FOLD, QUARANTINE, SUMMARY, TABLES
from ugcl.evaluation.statistics import baselines, mistakes, ranks, raters
from ugcl.evaluation.tables import audit, comparisons, environment, histories, predictions, published
from ugcl.evaluation.tables.networks import network_tables
from ugcl.evaluation.tables.score import read_scores
from ugcl.plan import paths
from ugcl.plan.evaluation import SCORES, marks, table

Frames = dict[str, pd.DataFrame]
"""System → rows."""


def write(config: Config, benchmark: str) -> None:
    """Write every table of a benchmark (:func:`ugcl.plan.evaluation.table_outputs`) but the record of them.

    Raises:
        UgclError: the benchmark is unknown, or an input is missing or broken.
    """
    for name, frame in benchmark_tables(config, benchmark).items():
        schema.write(frame, TABLES[name], table(benchmark, name))


def benchmark_tables(config: Config, benchmark: str) -> dict[str, pd.DataFrame]:
    """Every table of one benchmark: stem → rows."""
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    mark, primary = marks(config, benchmark), protocol.primary
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    frames = dict(predictions.stacked(config, benchmark, manifest))
    scores = _read_scores(benchmark, entry.systems)
    history = {system: histories.read(config, benchmark, system) for system in entry.systems}
    runs = {system: histories.runs(config, benchmark, system) for system in entry.systems}
    cards = {system: histories.with_ties(runs[system], frame, primary) for system, frame in history.items()}
    settings, level = config.evaluate, config.evaluate.confidence
    per_fold = _per_fold(scores)
    compared = comparisons.comparisons(config, benchmark, frames)
    optimism = {s: histories.optimism(frame, cards[s], primary) for s, frame in history.items()}
    by_system = {s: histories.optimism_by_system(f, cards[s], level, primary) for s, f in optimism.items()}
    disagreement = {s: raters.disagreement(f, manifest, protocol, settings) for s, f in frames.items()}
    friedman, nemenyi = ranks.ranks(per_fold, level, primary)
    found = {
        "per_fold": per_fold,
        **compared,
        "ablations": comparisons.ablations(config, benchmark, compared["comparisons"]),
        "friedman": friedman,
        "nemenyi": nemenyi,
        "errors": _mistakes(config, benchmark, frames[entry.reference], manifest),
        "disagreement": _of_systems(disagreement),
        "published": published.published(config, benchmark, published.read()),
        "optimism": _of_systems(optimism),
        "optimism_by_system": _of_systems(by_system),
        "learning_curves": _of_systems(history),
        "runs": _of_systems(cards),
        "environment": environment.environment(config, benchmark),
        "clips": audit.clips(config, benchmark, manifest),
        "parts": audit.parts(config, benchmark, manifest),
        "votes": audit.votes(config, benchmark, manifest),
        "quarantine": audit.read_quarantine(benchmark).reindex(columns=QUARANTINE),
        "left_out": audit.clips_left_out(config, benchmark, manifest),
    }
    found |= _of_dialogues(config, benchmark, frames, manifest)
    for name in SCORES[1:]:
        found[name] = read_scores(benchmark, name, entry.systems)
    found |= network_tables(config, benchmark)
    result = {"summary": _summary(config, benchmark, frames[entry.reference], scores, manifest)}
    return result | {name: frame.assign(benchmark=benchmark, marks=mark) for name, frame in found.items()}


def _of_dialogues(config: Config, benchmark: str, frames: Frames, manifest: pd.DataFrame) -> Frames:
    """The tables about dialogues; empty where no tested clip is in one."""
    protocol, frame = config.protocol(benchmark), next(iter(frames.values()))
    splits, speaker = audit.read_splits(config, benchmark), manifest.set_index("clip")["speaker"]
    without = turns.counterparts(config, benchmark)
    return {
        "dialogues": turns.facts(frame, splits, speaker, protocol),
        "turns": turns.turns(frames, without, protocol, config.evaluate),
        "shifts": turns.shifts(frames, protocol.classes),
    }


def _summary(
    config: Config,
    benchmark: str,
    tested: pd.DataFrame,
    scores: dict[str, pd.DataFrame],
    manifest: pd.DataFrame,
) -> pd.DataFrame:
    entry, protocol = config.benchmarks[benchmark], config.protocol(benchmark)
    parts = []
    for system, frame in scores.items():
        rows = frame[frame["scope"] == "pooled"]
        modalities = "+".join(config.resolve(benchmark, system).input.modalities)
        parts.append(rows.assign(system=system, modalities=modalities, seeds=len(entry.seeds)))
    clips = tested[tested["seed"] == tested["seed"].iloc[0]]
    label = labelled(manifest, protocol).set_index("clip")["label"]
    training = {
        fold: label.loc[split.loc[split["part"] == "train", "clip"]]
        for fold, split in audit.read_splits(config, benchmark).items()
    }
    others = baselines.reference_rows(clips, manifest, training, protocol, config.evaluate)
    for (name, modalities), rows in others.items():
        parts.append(rows.assign(system=name, modalities=modalities, seeds=0, lineage=""))
    mark = "".join(f" [{word}]" for word in marks(config, benchmark).split())
    same = {"benchmark": benchmark, "corpus": entry.corpus, "protocol": entry.protocol}
    same |= {"label_target": protocol.label + mark, "folds": len(config.folds(benchmark))}
    return pd.concat(parts, ignore_index=True).assign(**same)[list(SUMMARY)]


def _mistakes(config: Config, benchmark: str, frame: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    reference, protocol = config.benchmarks[benchmark].reference, config.protocol(benchmark)
    channel = raters.richest_channel(manifest, protocol.label)
    shares = raters.shares(manifest, channel, protocol) if channel else None
    return mistakes.errors(frame, manifest, protocol.classes, channel, shares).assign(system=reference)


def _read_scores(benchmark: str, systems: list[str]) -> dict[str, pd.DataFrame]:
    frame = read_scores(benchmark, "metrics", systems)
    for column in ("value", "ci_low", "ci_high"):
        frame[column] = pd.to_numeric(frame[column])
    return {system: frame[frame["system"] == system] for system in systems}


def _per_fold(scores: Frames) -> pd.DataFrame:
    frames = {s: frame[frame["scope"] == "fold"] for s, frame in scores.items()}
    return _of_systems(frames)[["system", *PER_FOLD]]


def _of_systems(frames: Frames) -> pd.DataFrame:
    parts = [frame.assign(system=system) for system, frame in frames.items()]
    return pd.concat(_filled(parts), ignore_index=True)


def _filled(frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    # pandas warns when empty frames decide column types; the first is kept for its columns if all are empty.
    return [frame for frame in frames if len(frame)] or frames[:1]
