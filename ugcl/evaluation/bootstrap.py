"""Confidence intervals by drawing speakers, not clips: clips of one speaker are not independent.

A draw takes as many speakers as there are, with replacement. All metrics are computed from per-speaker
counts, so a draw is a vector of whole weights and all draws are a few matrix products. Within a draw a class
that no drawn speaker has is left out of the mean over classes, as it is in
:func:`ugcl.evaluation.metrics.scores`. The ECE has no interval: resampling biases it upwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ugcl.evaluation import metrics


@dataclass(frozen=True)
class Counts:
    """Sufficient counts of a system's predictions, by seed (S) and speaker (P).

    Attributes:
        speakers: speaker names, sorted; length P.
        confusion: (S, P, C, C + 1) label × prediction; the last column is "no class".
        sums: metric → (S, P) sums over clips of top2, log_loss and brier; empty without probabilities.
    """

    speakers: list[str]
    confusion: np.ndarray
    sums: dict[str, np.ndarray]


def count(frame: pd.DataFrame, classes: list[str]) -> Counts:
    """Count predictions by seed and speaker.

    Args:
        frame: columns seed, speaker, label, predicted and optionally p_<class>.
        classes: class names in order.
    """
    speakers = sorted(frame["speaker"].unique())
    number = {name: i for i, name in enumerate(speakers)}
    confusion, sums = [], []
    for _, rows in frame.groupby("seed"):
        who = rows["speaker"].map(number).to_numpy()
        truth, predicted = metrics.encode(rows, classes)
        table = np.zeros((len(speakers), len(classes), len(classes) + 1))
        np.add.at(table, (who, truth, predicted), 1)
        confusion.append(table)
        p = metrics.probabilities(rows, classes)
        if p is None:
            continue
        own = p[np.arange(len(p)), truth]
        # As in scikit-learn, equal probabilities rank by class number, the higher class first.
        above = (p > own[:, None]).sum(1) + (
            (p == own[:, None]) & (np.arange(p.shape[1]) > truth[:, None])
        ).sum(1)
        clip_values = {
            "top2": (above < 2).astype(float),
            "log_loss": -np.log(own),
            "brier": metrics.squared_distance(truth, p),
        }
        sums.append({name: np.bincount(who, v, len(speakers)) for name, v in clip_values.items()})
    return Counts(
        speakers=speakers,
        confusion=np.stack(confusion),
        sums={name: np.stack([s[name] for s in sums]) for name in sums[0]} if sums else {},
    )


def draw(speakers: int, draws: int, seed: int) -> np.ndarray:
    """How often each speaker is drawn, (draws, speakers) whole numbers; the same for the same arguments."""
    generator = np.random.default_rng([seed, speakers])
    return generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=draws).astype(float)


def evaluate(counts: Counts, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every metric but the ECE under speaker weights, averaged over seeds.

    Args:
        counts: of S seeds and P speakers.
        weights: (B, P).

    Returns:
        Metric → (B,).
    """
    seeds, speakers, classes, columns = counts.confusion.shape
    flat = counts.confusion.transpose(1, 0, 2, 3).reshape(speakers, -1)
    table = (weights @ flat).reshape(len(weights), seeds, classes, columns)
    support, hits = table.sum(3), np.einsum("bscc->bsc", table[..., :classes])
    guesses, clips = table[..., :classes].sum(2), support.sum(2)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(support > 0, hits / support, np.nan)
        f1 = np.where(support + guesses > 0, 2 * hits / (support + guesses), np.nan)
        values = {
            "uar": np.nanmean(recall, 2),
            "war": hits.sum(2) / clips,
            "macro_f1": np.nanmean(f1, 2),
            "weighted_f1": np.nansum(f1 * support, 2) / clips,
        }
        for name, sums in counts.sums.items():
            values[name] = weights @ sums.T / clips
    return {name: value.mean(1) for name, value in values.items()}


def interval(values: np.ndarray, confidence: float, clusters: int) -> tuple[float, float]:
    """The expanded percentile interval of bootstrap draws.

    The plain percentile interval of n clusters is too narrow by about sqrt(n / (n − 1)) and uses a normal
    where a Student quantile is due; the expanded one moves the percentiles outwards accordingly.

    Args:
        values: (draws,) of one metric.
        confidence: level, such as 0.95.
        clusters: number n of speakers.

    Returns:
        Lower and upper end; NaN for fewer than two speakers.

    Source: Hesterberg, The American Statistician 69(4), 2015, "expanded percentile".
    """
    if clusters < 2:
        return float("nan"), float("nan")
    quantile = stats.t.ppf((1 + confidence) / 2, clusters - 1) * np.sqrt(clusters / (clusters - 1))
    tail = stats.norm.cdf(-quantile)
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
