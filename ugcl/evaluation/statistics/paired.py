"""Paired comparison of two systems on identical clips, and the correction for comparing many.

Interval and p of a difference are one inference: Student's t with the error of
:func:`ugcl.evaluation.statistics.bootstrap.standard_error`, to which speakers and training runs add. p is
below 1 − confidence where, and only where, the interval leaves out zero. It is about two ways to train, on
new speakers, or on new dialogues where those are drawn (`intervals: dialogue`). The sign-flip test and
McNemar's test are given the trained models: they take training noise for a difference of the systems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from ugcl.config.report import Evaluate
from ugcl.errors import UgclError
from ugcl.evaluation.statistics import bootstrap, metrics, signflip
from ugcl.plan.names import METRICS

POWER = 0.8
"""Probability of finding the smallest difference that :func:`detectable` names."""


APART = ("effect", "effect_low", "effect_high", "p_permutation", "p_error", "p_smallest", "p_mcnemar")
"""Columns that a comparison has on the rows of the primary metric or of WAR alone."""


@dataclass(frozen=True)
class Scored:
    """A system as comparisons need it: computed once, compared with any other on the same clips.

    Attributes:
        frame: predictions of all seeds and folds (:func:`ugcl.evaluation.tables.predictions.stack`).
        point: metric → (S,) value of each seed.
        drawn: metric → (draws, S) under the draws that all systems of these units share.
        left_out: metric → (folds, S) without each fold.
        confusion: (S, P, C, C + 1) counts of label × prediction by seed and unit.
        hits: (P, C) right clips of each unit and class over all seeds, whole numbers.
        support: (C,) clips of each class in one seed.
    """

    frame: pd.DataFrame
    point: dict[str, np.ndarray]
    drawn: dict[str, np.ndarray]
    left_out: dict[str, np.ndarray]
    confusion: np.ndarray
    hits: np.ndarray
    support: np.ndarray

    @property
    def contributions(self) -> np.ndarray:
        """What each unit adds to the UAR, (P,): Σ_c correct_pc / (C · n_c), averaged over seeds.

        UAR is the sum of these over units, so a paired difference is a sum of their differences.
        """
        known = self.support > 0
        seeds = len(self.point["uar"])
        return (self.hits[:, known] / self.support[known]).sum(1) / (seeds * known.sum())

    def only(self, metric: str) -> Scored:
        """The same with one metric's draws, which take most of the memory."""
        parts = ("point", "drawn", "left_out")
        return replace(self, **{part: {metric: getattr(self, part)[metric]} for part in parts})

    def shares(self, metric: str) -> np.ndarray:
        """What each unit has to do with a metric, (P,), seeds averaged.

        The contributions to the UAR; of others, which are not sums over units, the jackknife's pseudo-values
        n · θ − (n − 1) · θ without the unit (Tukey 1958; Efron and Tibshirani 1993, section 11.5).
        """
        if metric == "uar":
            return self.contributions
        hits = np.einsum("spcc->spc", self.confusion[..., :-1])
        counts = hits, self.confusion.sum(3), self.confusion[..., :-1].sum(2)
        without = (each.sum(1, keepdims=True) - each for each in counts)
        units = len(self.hits)
        return (units * self.point[metric][:, None] - (units - 1) * metrics.counted(*without)[metric]).mean(0)


def scored(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> Scored:
    """Score a system in the draws that every system of the same units gets."""
    counts = bootstrap.count(frame, classes)
    weights = bootstrap.draw(len(counts.units), settings.bootstrap, settings.seed)
    point = bootstrap.evaluate(counts, bootstrap.once(counts))
    return Scored(
        frame=frame,
        point={metric: value[0] for metric, value in point.items()},
        drawn=bootstrap.evaluate(counts, weights),
        left_out=bootstrap.evaluate(counts, bootstrap.without_folds(counts)),
        confusion=counts.confusion,
        hits=np.einsum("spcc->pc", counts.confusion[..., :-1]).round().astype(np.int64),
        support=counts.confusion[0].sum((0, 2)).round().astype(np.int64),
    )


def check_paired(first: pd.DataFrame, second: pd.DataFrame, names: str) -> None:
    """Refuse two systems that were not scored on the same clips.

    Raises:
        UgclError: seeds, folds, clips, speakers, dialogues or labels differ.
    """
    keys = ["seed", "fold", "clip", "speaker", "label", *({"unit"} & {*first} & {*second})]
    if not first[keys].reset_index(drop=True).equals(second[keys].reset_index(drop=True)):
        raise UgclError(f"{names}: predictions are not on the same clips; predict both systems again")


def mcnemar_mid_p(first: np.ndarray, second: np.ndarray) -> float:
    """McNemar's mid-p of two paired vectors of correctness: the exact p less half of the observed point's.

    Clips count as independent here, which clips of one speaker are not, and the trained models as given.

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


def effect_size(differences: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Hedges' g of paired speaker differences with its interval from the noncentral t distribution.

    g = J · mean / sd with J = 1 − 3 / (4·(n − 1) − 1), which removes the bias of few speakers.

    Args:
        differences: (speakers,).

    Returns:
        g, lower end, upper end; NaN with fewer than three speakers or where all differences are equal.

    Source: Hedges, J. of Educational Statistics 6(2), 1981; interval: Cumming and Finch, Educational and
    Psychological Measurement 61(4), 2001.
    """
    n = len(differences)
    if n < 3 or np.ptp(differences) < 1e-12:
        return float("nan"), float("nan"), float("nan")
    root, correction = np.sqrt(n), 1 - 3 / (4 * (n - 1) - 1)
    t = root * differences.mean() / differences.std(ddof=1)
    low, high = (special.nctdtrinc(n - 1, (1 + side * confidence) / 2, t) for side in (1, -1))
    return tuple(float(correction * shift / root) for shift in (t, low, high))  # pyright: ignore[reportReturnType]


def detectable(error: float, freedom: float, confidence: float, power: float = POWER) -> float:
    """The smallest true difference that a paired test finds with the given power.

    d · error, where error is the standard error of the observed difference and d the number of errors that a
    two-sided t test at level 1 − confidence finds with that power. With many speakers d is 1.96 + 0.84, with
    six it is 3.5. It is for one comparison: Holm's correction of several asks more.

    Args:
        error: of :func:`ugcl.evaluation.statistics.bootstrap.standard_error`.
        freedom: its degrees of freedom.
        confidence: 1 − the level of the test.
        power: probability of finding it.

    Returns:
        The difference, in the metric's unit; NaN with fewer than three speakers.
    """
    if not np.isfinite(error) or freedom < 2:
        return float("nan")
    critical = stats.t.ppf((1 + confidence) / 2, freedom)
    return float(error * special.nctdtrinc(freedom, 1 - power, critical))


def student_p(difference: float, error: float, freedom: float) -> float:
    """Two-sided p of a difference by Student's t; 1 where it is zero.

    Args:
        difference: observed.
        error: of :func:`ugcl.evaluation.statistics.bootstrap.standard_error`.
        freedom: its degrees of freedom.

    Returns:
        p; NaN where the error is 0.
    """
    if difference == 0:
        return 1.0
    return float(2 * stats.t.sf(abs(difference) / error, freedom)) if error > 0 else float("nan")


def compare(
    system: Scored,
    reference: Scored,
    settings: Evaluate,
    names: str = "",
    primary: str = "uar",
    unit: str = "speaker",
) -> pd.DataFrame:
    """A system minus the reference, metric by metric.

    Args:
        system: one of the two, from :func:`scored`.
        reference: the other, scored with the same settings.
        primary: the metric that is tested given the trained models too.
        unit: what the intervals draw, speaker or dialogue.

    Returns:
        One row per metric: metric, value, reference_value, difference, ci_low, ci_high and p (one t
        inference), covers (`speakers+training`, or `speakers` where the design shows no training noise;
        dialogues where they are drawn), detectable (smallest difference found with power .8); on the row of
        the primary metric effect, effect_low, effect_high (Hedges' g over units) and the p_permutation,
        p_error, p_smallest of :func:`given_models`; on the WAR row p_mcnemar (the median over seeds).

    Raises:
        UgclError: the two are not on identical clips.
    """
    check_paired(system.frame, reference.frame, names)
    rows = []
    for metric in METRICS:
        if metric not in system.drawn or metric not in reference.drawn:
            continue
        row = difference(system, reference, metric, settings, unit) | dict.fromkeys(APART, np.nan)
        if metric == primary:
            differences = system.shares(metric) - reference.shares(metric)
            row |= given_models(system, reference, metric, settings)
            effect = effect_size(differences, settings.confidence)
            row |= dict(zip(("effect", "effect_low", "effect_high"), effect, strict=True))
        if metric == "war":
            row["p_mcnemar"] = _median_mcnemar(system.frame, reference.frame)
        rows.append(row)
    return pd.DataFrame(rows)


def difference(
    system: Scored, reference: Scored, metric: str, settings: Evaluate, unit: str = "speaker"
) -> dict[str, object]:
    """A system minus the reference in one metric: what :func:`compare` gives of every metric."""
    values, drawn, left_out = (
        getattr(system, part)[metric] - getattr(reference, part)[metric]
        for part in ("point", "drawn", "left_out")
    )
    error, freedom = bootstrap.standard_error(values, drawn, len(system.hits), left_out)
    apart = _rounded(values.mean())
    low, high = bootstrap.student(apart, error, freedom, settings.confidence)
    if error == 0 and apart:
        low = high = np.nan
    return {
        "metric": metric,
        "value": system.point[metric].mean(),
        "reference_value": reference.point[metric].mean(),
        "difference": apart,
        "ci_low": low,
        "ci_high": high,
        "p": student_p(apart, error, freedom),
        "covers": _covers(values, left_out, unit),
        "detectable": detectable(error, freedom, settings.confidence),
    }


def _rounded(difference: float) -> float:
    """A difference of equal means is zero, whatever the order in which they were summed."""
    return 0.0 if abs(difference) < 1e-12 else float(difference)


def _covers(values: np.ndarray, left_out: np.ndarray, unit: str) -> str:
    whole = bootstrap.covers_training(len(values), len(left_out))
    return f"{unit}s+training" if whole else f"{unit}s"


def given_models(system: Scored, reference: Scored, metric: str, settings: Evaluate) -> dict[str, float]:
    """The test of trained models that swaps their outputs unit by unit.

    Of UAR by :func:`ugcl.evaluation.statistics.signflip.sign_flip`, of another metric by
    :func:`ugcl.evaluation.statistics.signflip.swap`.
    """
    numbers = settings.permutations, settings.seed
    if metric == "uar":
        test = signflip.sign_flip(system.hits - reference.hits, system.support, *numbers)
    else:
        test = signflip.swap(system.confusion, reference.confusion, metric, *numbers)
    return {"p_permutation": test.p, "p_error": test.error, "p_smallest": test.smallest}


def _median_mcnemar(first: pd.DataFrame, second: pd.DataFrame) -> float:
    correct = [(frame["label"] == frame["predicted"]).to_numpy() for frame in (first, second)]
    seeds = first["seed"].to_numpy()
    each = [mcnemar_mid_p(*(c[seeds == seed] for c in correct)) for seed in np.unique(seeds)]
    return float(np.median(each))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction of p-values; NaN stays NaN and does not count."""
    p = np.asarray(p, dtype=float)
    corrected, known = np.full_like(p, np.nan), ~np.isnan(p)
    if known.any():
        corrected[known] = multipletests(p[known], method="holm")[1]
    return corrected
