"""What the training histories tell: learning curves, and the optimism of choosing epochs on the test fold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl import paths
from ugcl.config import Config
from ugcl.data import tables

UNSTABLE = ("seconds",)
"""History columns that differ from run to run and stay out of the tables."""


def read(config: Config, benchmark: str, system: str) -> pd.DataFrame:
    """The histories of all runs of a system, one row an epoch: seed, fold, epoch and the run's columns."""
    frames = []
    for seed in config.benchmarks[benchmark].seeds:
        for fold in config.folds(benchmark):
            history = tables.read(paths.MODELS / paths.run(benchmark, system, seed, fold) / "history.csv")
            history = history.drop(columns=[c for c in UNSTABLE if c in history])
            history = history.apply(lambda column: pd.to_numeric(column, errors="coerce"))
            history.insert(0, "fold", fold)
            history.insert(0, "seed", seed)
            frames.append(history)
    return pd.concat(frames, ignore_index=True)


def optimism(history: pd.DataFrame) -> pd.DataFrame:
    """What choosing the epoch on the test fold would have added to the UAR of each run.

    Training chose the epoch by dev UAR; the monitored test UAR shows what the test fold would have chosen.

    Args:
        history: of :func:`read`; runs without the monitoring column test_uar are left out.

    Returns:
        seed, fold, epoch (best dev UAR, then dev loss), uar (test, there), best_epoch, best_uar (test,
        the best of all epochs), optimism = best_uar − uar ≥ 0.
    """
    rows = []
    if {"dev_uar", "dev_loss", "test_uar"} <= set(history):
        for (seed, fold), run in history.groupby(["seed", "fold"]):
            run = run.dropna(subset=["dev_uar", "test_uar"]).reset_index(drop=True)
            if run.empty:
                continue
            chosen = run.sort_values(["dev_uar", "dev_loss", "epoch"], ascending=[False, True, True]).iloc[0]
            best = run.loc[np.argmax(run["test_uar"])]
            gain = best["test_uar"] - chosen["test_uar"]
            rows.append(
                (
                    seed,
                    fold,
                    int(chosen["epoch"]),
                    chosen["test_uar"],
                    int(best["epoch"]),
                    best["test_uar"],
                    gain,
                )
            )
    columns = ["seed", "fold", "epoch", "uar", "best_epoch", "best_uar", "optimism"]
    return pd.DataFrame(rows, columns=columns)
