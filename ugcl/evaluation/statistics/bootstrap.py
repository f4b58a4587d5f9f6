"""Confidence intervals by drawing speakers, not clips: clips of one speaker are not independent.

A draw takes as many speakers as there are, with replacement. All metrics are computed from per-speaker
counts, so a draw is a vector of whole weights and all draws are a few matrix products. Within a draw a class
that no drawn speaker has is left out of the mean over classes, as it is in
:func:`ugcl.evaluation.statistics.metrics.scores`. The ECE has no interval: resampling biases it upwards.

Training is the second source of variation: each run, one seed on one fold, is a draw of the training noise
that all test speakers of the fold share (:func:`standard_error`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import special, stats

from ugcl.evaluation.statistics import metrics

LEAST_FOLDS = 4
"""Folds from which the noise of training is judged where there is one seed: an interval of three is twice as
wide as of many, whatever the data."""


@dataclass(frozen=True)
class Counts:
    """Sufficient counts of a system's predictions, by seed (S) and speaker (P).

    Attributes:
        speakers: speaker names, sorted; length P.
        confusion: (S, P, C, C + 1) label × prediction; the last column is "no class".
        sums: metric → (2, S, P) sum over clips, and number of clips that have the metric; empty without
            probabilities.
        wins: (S, C, P, P) pairs of a clip of the class, of the first speaker, and a clip of another class,
            of the second, in which the first has the higher probability of the class (ties count half); None
            without probabilities.
        folds: (P,) number of each speaker's fold; None where it is unknown or a speaker is in several.
    """

    speakers: list[str]
    confusion: np.ndarray
    sums: dict[str, np.ndarray]
    wins: np.ndarray | None = None
    folds: np.ndarray | None = None


def count(frame: pd.DataFrame, classes: list[str]) -> Counts:
    """Count predictions by seed and speaker.

    Args:
        frame: columns seed, speaker, label, predicted and optionally fold, p_<class> and q_<class>.
    """
    speakers = sorted(frame["speaker"].unique())
    number = {name: i for i, name in enumerate(speakers)}
    confusion, sums, wins = [], [], []
    for _, rows in frame.groupby("seed"):
        who = rows["speaker"].map(number).to_numpy()
        truth, predicted = metrics.encode(rows, classes)
        table = np.zeros((len(speakers), len(classes), len(classes) + 1))
        np.add.at(table, (who, truth, predicted), 1)
        confusion.append(table)
        p = metrics.probabilities(rows, classes)
        if p is None:
            continue
        values = metrics.clip_values(rows, classes)
        sums.append({name: _sum_by_speaker(who, value, len(speakers)) for name, value in values.items()})
        wins.append(_wins(p, truth, who, len(speakers)))
    return Counts(
        speakers=speakers,
        confusion=np.stack(confusion),
        sums={name: np.stack([s[name] for s in sums], axis=1) for name in sums[0]} if sums else {},
        wins=np.stack(wins) if wins else None,
        folds=_folds(frame),
    )


def _folds(frame: pd.DataFrame) -> np.ndarray | None:
    """The fold of each speaker, in the order of their names."""
    if "fold" not in frame:
        return None
    folds = frame.groupby("speaker")["fold"].agg(["min", "max"])
    return folds["min"].to_numpy() if (folds["min"] == folds["max"]).all() else None


def _sum_by_speaker(who: np.ndarray, values: np.ndarray, speakers: int) -> np.ndarray:
    known = ~np.isnan(values)
    sums = np.bincount(who[known], values[known], speakers)
    return np.stack([sums, np.bincount(who[known], minlength=speakers)])


def _wins(p: np.ndarray, truth: np.ndarray, who: np.ndarray, speakers: int) -> np.ndarray:
    table = np.zeros((p.shape[1], speakers, speakers))
    for c in range(p.shape[1]):
        own = truth == c
        high, first = p[own, c], who[own]
        for second in range(speakers):
            low = np.sort(p[~own & (who == second), c])
            below = low.searchsorted(high, "left") + low.searchsorted(high, "right")
            table[c, :, second] = np.bincount(first, below / 2, speakers)
    return table


@lru_cache(maxsize=4)
def draw(speakers: int, draws: int, seed: int, stream: int = 0) -> np.ndarray:
    """How often each speaker is drawn, (draws, speakers) whole numbers; the same for the same arguments.

    Args:
        stream: another number gives independent draws.
    """
    generator = np.random.default_rng([seed, speakers] + [stream] * (stream > 0))
    weights = generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=draws).astype(float)
    weights.flags.writeable = False
    return weights


def once(counts: Counts) -> np.ndarray:
    """The one draw that takes every speaker once: the plain score."""
    return np.ones((1, len(counts.speakers)))


def without_folds(counts: Counts) -> np.ndarray:
    """For each fold a draw that takes every speaker of the other folds once, (folds, P); (0, P) without."""
    if counts.folds is None or len(np.unique(counts.folds)) < 2:
        return np.zeros((0, len(counts.speakers)))
    return (counts.folds != np.unique(counts.folds)[:, None]).astype(float)


def evaluate(counts: Counts, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every metric but the ECE under speaker weights.

    Args:
        counts: of S seeds and P speakers.
        weights: (B, P).

    Returns:
        Metric → (B, S).
    """
    seeds, speakers, classes, columns = counts.confusion.shape
    flat = counts.confusion.transpose(1, 0, 2, 3).reshape(speakers, -1)
    table = (weights @ flat).reshape(len(weights), seeds, classes, columns)
    support, hits = table.sum(3), np.einsum("bscc->bsc", table[..., :classes])
    guesses, clips = table[..., :classes].sum(2), support.sum(2)
    f1 = ratio(2 * hits, support + guesses)
    values = {
        "uar": mean_known(ratio(hits, support)),
        "war": hits.sum(2) / clips,
        "macro_f1": mean_known(f1),
        "weighted_f1": np.nansum(f1 * support, 2) / clips,
    }
    for name, (sums, numbers) in counts.sums.items():
        values[name] = ratio(weights @ sums.T, weights @ numbers.T)
    if counts.wins is not None:
        won = np.stack([[((weights @ t) * weights).sum(1) for t in each] for each in counts.wins])
        values["auroc"] = mean_known(ratio(won.transpose(2, 0, 1), support * (clips[..., None] - support)))
    return values


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def mean_known(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where all are."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(-1), known.sum(-1).astype(float))


def interval(
    values: np.ndarray,
    drawn: np.ndarray,
    confidence: float,
    clusters: int,
    scale: str = "identity",
    left_out: np.ndarray | None = None,
) -> tuple[float, float]:
    """Student's interval of the mean over seeds, with the error of :func:`standard_error`.

    In simulations of UAR it covered better than percentiles and than Hesterberg's expanded ones (The American
    Statistician 69(4), 2015): 94–96 % against 90–94 % with six speakers, whose bootstrap has short tails; 88
    against 86 % where one speaker in four is of another kind.

    Args:
        values: (S,) the metric of each seed.
        drawn: (draws, S) the metric in each draw; NaN where a draw does not have it.
        clusters: number of speakers.
        scale: of :func:`student`.
        left_out: (folds, S) the metric without each fold.

    Returns:
        Lower and upper end; NaN for fewer than two speakers.
    """
    error, freedom = standard_error(values, drawn, clusters, left_out)
    return student(float(np.mean(values)), error, freedom, confidence, scale)


def student(
    value: float, error: float, freedom: float, confidence: float, scale: str = "identity"
) -> tuple[float, float]:
    """value ± t · error on a scale where the metric has no bounds; the delta method carries the error over.

    This is how survey statistics treat a proportion from few clusters.

    Args:
        value: of the metric.
        error: its standard error; NaN gives no interval.
        freedom: degrees of freedom of the error.
        scale: logit for a metric in 0..1, log for a positive one, identity for a difference.

    Source: Korn and Graubard, Survey Methodology 24(2), 1998.
    """
    if np.isnan(error) or np.isnan(value):
        return float("nan"), float("nan")
    half = stats.t.ppf((1 + confidence) / 2, freedom) * error
    if scale == "logit" and 0 < value < 1:
        centre, half = special.logit(value), half / (value * (1 - value))
        return float(special.expit(centre - half)), float(special.expit(centre + half))
    if scale == "log" and value > 0:
        return float(value * np.exp(-half / value)), float(value * np.exp(half / value))
    return float(value - half), float(value + half)


def covers_training(seeds: int, folds: int) -> bool:
    """Whether :func:`standard_error` can see training noise: several seeds, or four folds, show it."""
    return seeds > 1 or folds >= LEAST_FOLDS


def standard_error(
    values: np.ndarray, drawn: np.ndarray, clusters: int, left_out: np.ndarray | None = None
) -> tuple[float, float]:
    """Standard error of the mean over S seeds of a metric from n speakers in K folds.

    Several seeds: error² = n / (n − 1) · V + T / S. V is the variance of the seeds' mean over the draws; a
    bootstrap of n is too narrow by the factor before it. T is what training adds, the larger of two
    estimates, each less what the speakers' noise alone makes of it and never below zero: the variance of the
    seeds' values, which holds an effect of the seed on all folds; and the sum over folds of the variance
    between runs by the jackknife, which has K − 1 times its degrees of freedom.

    One seed: training noise shows between folds alone, so the folds are the units of a jackknife with K − 1
    degrees of freedom. With fewer than four folds, error² = n / (n − 1) · V is given the trained models.

    Args:
        values: (S,) the metric of each seed.
        drawn: (draws, S) the metric in each draw; NaN where a draw does not have it.
        clusters: number n of speakers.
        left_out: (K, S) the metric without the speakers of each fold; None where folds are unknown.

    Returns:
        The error and its degrees of freedom (Satterthwaite's); NaN for fewer than two speakers.

    Source: the variance of readers in split-plot studies of many readers and cases, Obuchowski, Gallas and
    Hillis, Academic Radiology 19(12), 2012; t of a few clusters, Ibragimov and Müller, J. of Business and
    Economic Statistics 28(4), 2010; Satterthwaite, Biometrics Bulletin 2(6), 1946.
    """
    known = drawn[~np.isnan(drawn).any(axis=1)]
    if clusters < 2 or len(known) < 2:
        return float("nan"), float("nan")
    if left_out is None or np.isnan(left_out).any():
        left_out = np.zeros((0, len(values)))
    folds, number = left_out.shape
    if number == 1 and folds >= LEAST_FOLDS:
        return float(np.sqrt(_jackknife(left_out)[0])), folds - 1.0
    mean, correction = known.mean(1), clusters / (clusters - 1)
    # Draws that differ by rounding alone do not differ.
    speakers = correction * mean.var() if np.ptp(mean) > 1e-12 else 0.0
    training, freedom = 0.0, 1
    if number > 1:
        noise = correction * (known - mean[:, None]).var(0).sum() / (number - 1)
        training, freedom = np.var(values, ddof=1), number - 1
        if folds > 1:
            runs = _jackknife(left_out - left_out.mean(1, keepdims=True)).sum() / (number - 1)
            if runs > training:
                training, freedom = runs, (number - 1) * (folds - 1)
        training = max(0.0, training - noise) / number
    if speakers + training == 0:
        return 0.0, clusters - 1.0
    spread = speakers**2 / (clusters - 1) + training**2 / freedom
    return float(np.sqrt(speakers + training)), float((speakers + training) ** 2 / spread)


def _jackknife(left_out: np.ndarray) -> np.ndarray:
    """Jackknife variance over folds of (K, S) values without each fold, by column; 0 where they are equal."""
    spread = np.ptp(left_out, axis=0) > 1e-12
    folds = len(left_out)
    return np.where(spread, (folds - 1) / folds * np.square(left_out - left_out.mean(0)).sum(0), 0.0)
