"""Trained systems on another corpus: scores, confusion and calibration, beside those of the target's own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.config.system.transfer import Transfer
from ugcl.errors import UgclError
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.evaluation.statistics import metrics
from ugcl.evaluation.tables import predictions
from ugcl.evaluation.tables.score import pooled
from ugcl.evaluation.transfer import predict as networks
from ugcl.inference import temperature
from ugcl.plan.evaluation import marks, table
from ugcl.plan.transfer import TABLES as STEMS
from ugcl.plan.transfer import pairs

LEAST = 1e-12
"""Added to probabilities, so that classes without any can be compared."""


def write(config: Config, target: str) -> None:
    """Write the tables of every pair of `transfer` with a target (`ugcl evaluate transfer`).

    Raises:
        UgclError: an input is missing, or corpora share clips or speakers.
    """
    found = [tables_of(config, pair) for pair in pairs(config, target)]
    if not found:
        raise UgclError(
            f"transfer names no system of an active benchmark for {target}; add one, or change active"
        )
    for name in STEMS:
        whole = pd.concat([each[name] for each in found], ignore_index=True)
        schema.write(whole, TABLES[name], table(target, name))


def tables_of(config: Config, pair: Transfer) -> dict[str, pd.DataFrame]:
    """The scores and the confusion of a trained system on another corpus.

    All are of the classes that both sides have, in the words of the trained system: probabilities of other
    classes are dropped and the rest made to sum to one, so that each kind chooses among the same classes.

    Returns:
        transfer: kind is `ensemble` (the runs of a seed vote, over its folds), `single` (each run by itself,
        averaged), `home` (the same system in its own benchmark) and `own` (the target's systems on the same
        clips); metric is as in the summary, `ece_scaled` (at the temperatures of each system's own dev
        clips) and `other_class` (share of clips of which a class without counterpart was the first choice).
        transfer_confusion: counts of the target's labels and the classes that the ensemble predicted, with
        those that have no counterpart, summed over seeds.
    """
    trained, target = config.protocol(pair.source).classes, config.protocol(pair.target).classes
    same = pair.counterparts(trained, target)
    common = [name for name in trained if name in set(same.values())]
    itself = {name: name for name in common}
    clips, runs = networks.predicted(config, pair)
    votes = {kind: _by_seed(clips, p, trained) for kind, p in _both(pair, runs).items()}
    single = {kind: _stacked(clips, p, trained) for kind, p in _both(pair, runs).items()}
    frames = {("ensemble", pair.source, pair.system): (votes, itself, same)}
    frames["single", pair.source, pair.system] = (single, itself, same)
    frames["home", pair.source, pair.system] = (_own(config, pair.source, pair.system), itself, itself)
    for system in config.benchmark(pair.target).systems:
        frames["own", pair.target, system] = (_own(config, pair.target, system), same, same)
    parts = []
    for (kind, benchmark, system), (each, columns, labels) in frames.items():
        rows = _scores({k: onto(f, common, columns, labels) for k, f in each.items()}, common, config)
        seeds = len(config.benchmark(benchmark).seeds)
        parts.append(rows.assign(kind=kind, of=benchmark, scored=system, seeds=seeds))
    facts = {
        "benchmark": pair.target,
        "trained": pair.source,
        "system": pair.system,
        "marks": _marks(config, pair),
    }
    left = clips.loc[~clips["label"].isin(list(same)), "label"].value_counts(sort=False)
    words = ", ".join(f"{name} {left[name]}" for name in target if name in left.index)
    notes = {"classes": " ".join(common), "left_out": words, "left_out_clips": int(left.sum())}
    notes["unmatched"] = " ".join(name for name in trained if name not in common)
    return {
        "transfer": pd.concat(parts, ignore_index=True).assign(**facts, **notes),
        "transfer_confusion": _confusion(votes["raw"], target, trained).assign(**facts),
    }


def onto(
    frame: pd.DataFrame, common: list[str], columns: Mapping[str, str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Predictions among the classes that two protocols share.

    Args:
        frame: label, predicted, p_<class> and others.
        common: the shared classes in order.
        columns: class of the probabilities → shared class; what several count as is summed.
        labels: label → shared class; clips with another label are left out.

    Returns:
        The clips that are left, with their label, predicted and p_<class> among the shared classes, and
        `other`: whether the first choice had been a class without a counterpart.
    """
    kept = frame[frame["label"].isin(list(labels))]
    p = np.stack(
        [kept[[f"p_{k}" for k, v in columns.items() if v == name]].sum(axis=1) for name in common], 1
    )
    p = (p + LEAST) / (p + LEAST).sum(1, keepdims=True)
    plain = kept[[name for name in kept if not name.startswith(("p_", "q_"))]]
    return plain.assign(
        label=kept["label"].map(dict(labels)),
        predicted=np.array(common)[p.argmax(1)],
        other=~kept["predicted"].isin(list(columns)),
        **{f"p_{name}": p[:, i] for i, name in enumerate(common)},
    ).reset_index(drop=True)


def _scores(frames: Mapping[str, pd.DataFrame], common: list[str], config: Config) -> pd.DataFrame:
    """Every metric of predictions, and the calibration error at the temperatures."""
    raw, bins = frames["raw"], config.evaluate.bins
    rows = pooled(raw, common, config.evaluate)
    after = []
    for _, part in frames["scaled"].groupby("seed"):
        after.append(metrics.ece(*metrics.encode(part, common), metrics.probabilities(part, common), bins))
    more = {"ece_scaled": float(np.mean(after)), "other_class": float(raw["other"].mean())}
    shared = rows.iloc[0][["clips", "speakers"]]
    extra = pd.DataFrame({"metric": list(more), "value": list(more.values())}).assign(**shared)
    return pd.concat([rows, extra.assign(ci_low=np.nan, ci_high=np.nan)], ignore_index=True)


def _both(pair: Transfer, runs: networks.Probabilities) -> dict[str, networks.Probabilities]:
    return {"raw": runs, "scaled": networks.scaled(pair, runs)}


def _by_seed(clips: pd.DataFrame, runs: networks.Probabilities, classes: list[str]) -> pd.DataFrame:
    """The mean of a seed's runs, which vote."""
    seeds = dict.fromkeys(seed for seed, _ in runs)
    means = {(seed, 0): np.mean([p for (s, _), p in runs.items() if s == seed], axis=0) for seed in seeds}
    return _stacked(clips, means, classes)


def _stacked(clips: pd.DataFrame, runs: networks.Probabilities, classes: list[str]) -> pd.DataFrame:
    """Predictions as the statistics read them; each run stands for a seed.

    They have no folds: a network judges the clips of all of the target's folds, so that the noise of its
    training does not differ between them.
    """
    parts = []
    for number, p in enumerate(runs.values()):
        p = np.maximum(p, predictions.FLOOR)
        columns = {f"p_{name}": p[:, i] for i, name in enumerate(classes)}
        parts.append(clips.assign(seed=number, predicted=np.array(classes)[p.argmax(1)], **columns))
    return pd.concat(parts, ignore_index=True)


def _own(config: Config, benchmark: str, system: str) -> dict[str, pd.DataFrame]:
    """What a system predicted in its own benchmark, as it is and at its temperatures."""
    frame = predictions.stack(config, benchmark, system)
    columns = [f"p_{name}" for name in config.protocol(benchmark).classes]
    known, after = temperature.read(benchmark, system), frame.copy()
    for run, rows in frame.groupby(["seed", "fold"]):
        after.loc[rows.index, columns] = temperature.scale(rows[columns].to_numpy(), known[run])
    return {"raw": frame, "scaled": after}


def _confusion(votes: pd.DataFrame, labels: list[str], classes: list[str]) -> pd.DataFrame:
    counts = pd.crosstab(votes["label"], votes["predicted"]).reindex(
        index=labels, columns=classes, fill_value=0
    )
    return counts.stack().rename("count").rename_axis(["label", "predicted"]).reset_index()


def _marks(config: Config, pair: Transfer) -> str:
    """The warnings of both benchmarks, each once."""
    words = [word for name in (pair.target, pair.source) for word in marks(config, name).split()]
    return " ".join(dict.fromkeys(words))
