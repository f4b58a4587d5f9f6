"""Ranks of systems over folds: Friedman's test, Nemenyi's pairs and their critical difference."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

FRIEDMAN = ("systems", "folds", "statistic", "p", "critical_difference")
NEMENYI = ("system", "other", "rank", "other_rank", "p")


def ranks(
    per_fold: pd.DataFrame, confidence: float = 0.95, primary: str = "uar"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Friedman's test and Nemenyi's pairs on the primary metric of folds, seeds averaged.

    Args:
        per_fold: columns system, seed, fold, metric, value of one benchmark.
        confidence: of the critical difference.
        primary: the metric whose values are ranked.

    Returns:
        Friedman: systems, folds, statistic, p, critical_difference (no row where it cannot be done);
        Nemenyi: system, other, rank, other_rank (mean ranks, 1 = best), p.
    """
    rows = per_fold[per_fold["metric"] == primary]
    values = rows.groupby(["fold", "system"], sort=False)["value"].mean().unstack()
    result = friedman(values)
    if result is None:
        return pd.DataFrame(columns=FRIEDMAN), pd.DataFrame(columns=NEMENYI)
    folds, systems = values.shape
    row = (systems, folds, *result, critical_difference(systems, folds, confidence))
    mean_rank = values.rank(axis=1, ascending=False).mean()
    pair_p = nemenyi(values)
    names = list(values.columns)
    pairs = [(a, b, mean_rank[a], mean_rank[b], pair_p.loc[a, b]) for a, b in combinations(names, 2)]
    return pd.DataFrame([row], columns=FRIEDMAN), pd.DataFrame(pairs, columns=NEMENYI)


def friedman(values: pd.DataFrame) -> tuple[float, float] | None:
    """Friedman's test over folds: do systems differ in rank?

    Args:
        values: (folds, systems) of one metric.

    Returns:
        χ² and p, or None with fewer than three systems or two folds, or where all systems are equal.
    """
    if values.shape[1] < 3 or values.shape[0] < 2 or (values.nunique(axis=1) == 1).all():
        return None
    result = stats.friedmanchisquare(*(values[column] for column in values))
    return float(result.statistic), float(result.pvalue)


def nemenyi(values: pd.DataFrame) -> pd.DataFrame:
    """Nemenyi's post-hoc p of every pair of systems after Friedman: (systems, systems)."""
    import scikit_posthocs

    table = scikit_posthocs.posthoc_nemenyi_friedman(values.to_numpy())
    table.index = table.columns = values.columns
    return table


def critical_difference(systems: int, folds: int, confidence: float = 0.95) -> float:
    """How far two mean ranks must be apart to differ: q · sqrt(k·(k + 1) / (6·N)), k systems and N folds.

    q is the studentised range quantile of k groups and infinite degrees of freedom over sqrt(2).

    Source: Demšar, Journal of Machine Learning Research 7, 2006, section 3.2.2.
    """
    q = stats.studentized_range.ppf(confidence, systems, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(systems * (systems + 1) / (6 * folds)))
