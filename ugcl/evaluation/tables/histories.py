"""Tables from the training histories: learning curves, and the optimism of choosing epochs on test."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from ugcl.config import Config
from ugcl.evaluation.schemas.summary import OPTIMISM, OPTIMISM_BY_SYSTEM
from ugcl.plan import paths
from ugcl.plan.evaluation import cards
from ugcl.training.state.records import read_card, read_history

UNSTABLE = ("seconds",)
"""History columns that differ from run to run and stay out of the tables."""


def read(config: Config, benchmark: str, system: str) -> pd.DataFrame:
    """The histories of all runs of a system, one row per epoch: seed, fold, epoch and the run's columns."""
    frames = []
    for seed in config.benchmarks[benchmark].seeds:
        for fold in config.folds(benchmark):
            history = read_history(paths.MODELS / paths.run(benchmark, system, seed, fold))
            history = history.drop(columns=[c for c in UNSTABLE if c in history])
            history = history.apply(lambda column: pd.to_numeric(column, errors="coerce"))
            history.insert(0, "fold", fold)
            history.insert(0, "seed", seed)
            frames.append(history)
    return pd.concat(frames, ignore_index=True)


def runs(config: Config, benchmark: str, system: str) -> pd.DataFrame:
    """The cards of a system's runs as a table, without times.

    Returns:
        seed, fold, epoch (selected on dev), epochs (trained), dev_<primary> (there), parameters (how many
        numbers the network trains), lineage.

    Raises:
        UgclError: a card is missing or damaged.
    """
    found = [read_card(path.parent) for path in cards(config, benchmark, system)]
    score = f"dev_{config.protocol(benchmark).primary}"
    columns = ["seed", "fold", "epoch", "epochs", score, "parameters", "lineage"]
    rows = [
        (c.seed, c.fold, c.selected.epoch, c.epochs, getattr(c.selected, score), c.parameters, c.lineage)
        for c in found
    ]
    return pd.DataFrame(rows, columns=columns)


def with_ties(cards: pd.DataFrame, history: pd.DataFrame, primary: str = "uar") -> pd.DataFrame:
    """The cards of runs with tied_epochs: how many epochs share the highest dev score, 1 where none ties.

    Of tied epochs a run keeps the one with the least dev loss (:func:`ugcl.training.selection.better`).

    Args:
        history: of :func:`read`; without the column dev_<primary> the count is empty.
    """
    score = f"dev_{primary}"
    if score not in history:
        return cards.assign(tied_epochs=pd.NA)
    by_run = history.groupby(["seed", "fold"])[score]
    # The files have six digits; a UAR that differs by less is the same number of right clips.
    tied = (by_run.transform("max") - history[score] < 2e-6).groupby([history["seed"], history["fold"]])
    counted = tied.sum().rename("tied_epochs").astype("Int64")
    return cards.merge(counted, how="left", left_on=["seed", "fold"], right_index=True)


def optimism(history: pd.DataFrame, cards: pd.DataFrame, primary: str = "uar") -> pd.DataFrame:
    """What choosing the epoch on the test fold would have added to the score of each run.

    Training chose the epoch on dev; the monitored test score shows what the test fold would have chosen.

    Args:
        history: of :func:`read`; runs without the monitoring column test_<primary> are left out.
        cards: of :func:`runs`; the selected epochs.
        primary: the metric that selects, which names the columns: uar and best_uar.

    Returns:
        seed, fold, epoch (selected), uar (test, there), best_epoch, best_uar (test, the best of all epochs),
        optimism = best_uar − uar ≥ 0.
    """
    rows, monitored = [], f"test_{primary}"
    selected = cards.set_index(["seed", "fold"])["epoch"]
    if monitored in history:
        for (seed, fold), run in history.dropna(subset=[monitored]).groupby(["seed", "fold"]):
            test = run.set_index("epoch")[monitored]
            epoch = int(selected.loc[(seed, fold)])
            best = int(test.idxmax())
            rows.append((seed, fold, epoch, test[epoch], best, test[best], test[best] - test[epoch]))
    return pd.DataFrame(rows, columns=OPTIMISM.of(primary))


def optimism_by_system(
    runs: pd.DataFrame, cards: pd.DataFrame, confidence: float, primary: str = "uar"
) -> pd.DataFrame:
    """The mean optimism of a system's runs.

    Args:
        runs: of :func:`optimism`.
        cards: of :func:`with_ties`.

    Returns:
        One row (none without runs): runs, tied_runs (whose highest dev score several epochs share), uar,
        best_uar, optimism (means over runs), ci_low, ci_high (Student's interval over folds, seeds averaged,
        not below zero; empty with one fold).
    """
    if runs.empty:
        return pd.DataFrame(columns=OPTIMISM_BY_SYSTEM.of(primary))
    folds = runs.groupby("fold")["optimism"].mean()
    mean, low, high = folds.mean(), np.nan, np.nan
    if len(folds) > 1:
        half = stats.t.ppf((1 + confidence) / 2, len(folds) - 1) * folds.sem()
        low, high = max(0.0, mean - half), mean + half
    row = {"runs": len(runs), "tied_runs": int((cards["tied_epochs"] > 1).sum())}
    row |= {name: runs[name].mean() for name in (primary, f"best_{primary}")}
    return pd.DataFrame([row | {"optimism": mean, "ci_low": low, "ci_high": high}])
