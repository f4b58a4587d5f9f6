"""Paired comparison of two systems on identical clips, and the correction for comparing many."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from ugcl.config.report import Evaluate
from ugcl.errors import UgclError
from ugcl.evaluation import bootstrap, metrics


def check_paired(first: pd.DataFrame, second: pd.DataFrame, names: str) -> None:
    """Refuse two systems that were not scored on the same clips.

    Raises:
        UgclError: seeds, folds, clips, speakers or labels differ.
    """
    keys = ["seed", "fold", "clip", "speaker", "label"]
    if not first[keys].reset_index(drop=True).equals(second[keys].reset_index(drop=True)):
        raise UgclError(f"{names}: predictions are not on the same clips; predict both systems again")


def speaker_contributions(frame: pd.DataFrame, classes: list[str]) -> pd.Series:
    """What each speaker adds to the UAR: Σ_c correct_pc / (C · n_c), averaged over seeds.

    UAR is the sum of these over speakers, so a paired difference is a sum of speaker differences.
    """
    counts = bootstrap.count(frame, classes)
    hits = np.einsum("spcc->spc", counts.confusion[..., : len(classes)])
    support = counts.confusion.sum((1, 3))[:, None, :]
    share = np.divide(hits, support, out=np.zeros_like(hits), where=support > 0)
    return pd.Series(
        (share.sum(2) / (support > 0).sum(2)).mean(0), index=pd.Index(counts.speakers, name="speaker")
    )


def sign_flip(differences: np.ndarray, permutations: int, seed: int) -> float:
    """Two-sided p of a sum of speaker differences under random signs.

    If the two systems are exchangeable, swapping their outputs on a speaker only turns the sign of that
    speaker's difference. All sign patterns are tried when there are no more of them than `permutations`.

    Args:
        differences: (speakers,).
        permutations: most random sign patterns.
        seed: of the random signs.
    """
    if not np.any(differences) or len(differences) < 2:
        return 1.0
    test = stats.permutation_test(
        (np.asarray(differences),),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=permutations,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(min(test.pvalue, 1.0))


def mcnemar_mid_p(first: np.ndarray, second: np.ndarray) -> float:
    """McNemar's mid-p of two paired vectors of correctness: the exact p less half of the observed point's.

    Source: Fagerland, Lydersen, Laake, BMC Medical Research Methodology 13:91, 2013.
    """
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(~first & second))
    discordant = only_first + only_second
    if discordant == 0:
        return 1.0
    point = stats.binom.pmf(min(only_first, only_second), discordant, 0.5)
    if only_first == only_second:
        return float(1 - point / 2)
    return float(mcnemar([[0, only_first], [only_second, 0]], exact=True).pvalue - point)


def compare(
    system: pd.DataFrame, reference: pd.DataFrame, classes: list[str], settings: Evaluate, names: str = ""
) -> pd.DataFrame:
    """A system minus the reference, metric by metric.

    Args:
        system: predictions of all seeds and folds (:func:`ugcl.evaluation.predictions.stack`).
        reference: the same of the reference system.
        classes: class names in order.
        settings: draws, level and seed.
        names: what to call the pair in an error.

    Returns:
        One row a metric: metric, value, reference_value, difference, ci_low, ci_high (speaker bootstrap of
        the difference), p_permutation (on the UAR row), p_mcnemar (on the WAR row; the median over seeds).

    Raises:
        UgclError: the two are not on identical clips.
    """
    check_paired(system, reference, names)
    pair = [bootstrap.count(frame, classes) for frame in (system, reference)]
    speakers = len(pair[0].speakers)
    weights = bootstrap.draw(speakers, settings.bootstrap, settings.seed)
    whole = np.ones((1, speakers))
    drawn = [bootstrap.evaluate(counts, weights) for counts in pair]
    point = [bootstrap.evaluate(counts, whole) for counts in pair]
    contributions = [speaker_contributions(frame, classes) for frame in (system, reference)]
    correct = [(frame["label"] == frame["predicted"]).to_numpy() for frame in (system, reference)]
    seeds = system["seed"].to_numpy()
    rows = []
    for metric in metrics.METRICS:
        if not all(metric in values for values in drawn):
            continue
        difference = point[0][metric][0] - point[1][metric][0]
        low, high = bootstrap.interval(drawn[0][metric] - drawn[1][metric], settings.confidence, speakers)
        row = {
            "metric": metric,
            "value": point[0][metric][0],
            "reference_value": point[1][metric][0],
            "difference": difference,
            "ci_low": low,
            "ci_high": high,
            "p_permutation": np.nan,
            "p_mcnemar": np.nan,
        }
        if metric == "uar":
            differences = (contributions[0] - contributions[1]).to_numpy()
            row["p_permutation"] = sign_flip(differences, settings.permutations, settings.seed)
        if metric == "war":
            each = [mcnemar_mid_p(*(c[seeds == seed] for c in correct)) for seed in np.unique(seeds)]
            row["p_mcnemar"] = float(np.median(each))
        rows.append(row)
    return pd.DataFrame(rows)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction of p-values; NaN stays NaN and does not count."""
    p = np.asarray(p, dtype=float)
    corrected, known = np.full_like(p, np.nan), ~np.isnan(p)
    if known.any():
        corrected[known] = multipletests(p[known], method="holm")[1]
    return corrected


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
