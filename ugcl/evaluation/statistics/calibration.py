"""How far confidence can be trusted: the bins behind the expected calibration error, and what it means."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from ugcl.config.report import Evaluate
from ugcl.evaluation.schemas.scores import SCORES
from ugcl.evaluation.statistics import metrics
from ugcl.inference import temperature

BAND_DRAWS = 1000
"""Draws of the band of a calibrated system: its ends are known to a twentieth of its width."""

BATCH = 250


def calibration(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Confidence and accuracy in equal-mass bins, seed by seed, folds pooled.

    The seed's ECE is Σ clips / all clips · |accuracy − confidence| over its rows.

    Args:
        frame: predictions of all seeds and folds, with p_<class>.
        settings: number of bins, and level of the intervals.

    Returns:
        The columns SCORES["calibration"]: bins count from 1, the least confident; confidence is the mean
        highest probability; the interval is Wilson's of the accuracy, with clips as if independent.
    """
    rows = []
    for seed, part in frame.groupby("seed"):
        truth, predicted = metrics.encode(part, classes)
        confidence = metrics.probabilities(part, classes).max(1)  # pyright: ignore[reportOptionalMemberAccess]
        number = metrics.mass_bins(confidence, settings.bins)
        for each in np.unique(number):
            inside = number == each
            right, clips = int((truth == predicted)[inside].sum()), int(inside.sum())
            low, high = proportion_confint(right, clips, 1 - settings.confidence, method="wilson")
            rows.append((seed, each + 1, clips, confidence[inside].mean(), right / clips, low, high))
    return pd.DataFrame(rows, columns=SCORES["calibration"])


def errors(
    frame: pd.DataFrame, classes: list[str], settings: Evaluate, temperatures: dict[tuple[int, int], float]
) -> pd.DataFrame:
    """What the ECE is to be read beside, as rows of a score table.

    Args:
        frame: predictions of all seeds and folds, with p_<class>.
        settings: number of bins, level of the band, and seed.
        temperatures: (seed, fold) → T; runs without one are not scaled, without any the row is left out.

    Returns:
        metric, value, ci_low, ci_high: `ece_calibrated`, mean and band of :func:`calibrated`, and
        `ece_scaled`, the ECE of each run's probabilities at its temperature, averaged over seeds.
    """
    rows = [("ece_calibrated", *calibrated(frame, classes, settings))]
    if temperatures:
        each = [_scaled(part, classes, settings.bins, temperatures) for _, part in frame.groupby("seed")]
        rows.append(("ece_scaled", float(np.mean(each)), np.nan, np.nan))
    return pd.DataFrame(rows, columns=["metric", "value", "ci_low", "ci_high"])


def calibrated(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> tuple[float, float, float]:
    """The ECE that a perfectly calibrated system of the same confidences would show on as many clips.

    Each clip is right with the probability of its confidence, independently of the others; clips of one
    speaker are not independent, so that the true band is wider. A clip is drawn once for all seeds, as their
    systems mostly agree.

    Returns:
        Mean, and the band that holds the share `settings.confidence` of draws.

    Source: consistency resampling, Bröcker and Smith, Weather and Forecasting 22(3), 2007.
    """
    sorted_seeds = []
    for _, part in frame.groupby("seed"):
        confidence = metrics.probabilities(part, classes).max(1)  # pyright: ignore[reportOptionalMemberAccess]
        number = metrics.mass_bins(confidence, settings.bins)
        order = np.argsort(number, kind="stable")
        starts = np.searchsorted(number[order], np.unique(number))
        sorted_seeds.append((order, confidence[order], starts))
    clips, generator = len(sorted_seeds[0][0]), np.random.default_rng(settings.seed)
    drawn = []
    for _ in range(0, BAND_DRAWS, BATCH):
        chance = generator.random((clips, BATCH), dtype=np.float32)
        total = np.zeros(BATCH)
        for order, confidence, starts in sorted_seeds:
            right = np.add.reduceat(chance[order] < confidence[:, None], starts, axis=0, dtype=np.int32)
            total += np.abs(right - np.add.reduceat(confidence, starts)[:, None]).sum(0) / clips
        drawn.append(total / len(sorted_seeds))
    found = np.concatenate(drawn)
    low, high = np.quantile(found, [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2])
    return float(found.mean()), float(low), float(high)


def _scaled(
    part: pd.DataFrame, classes: list[str], bins: int, temperatures: dict[tuple[int, int], float]
) -> float:
    """ECE of one seed after temperature scaling."""
    truth, predicted = metrics.encode(part, classes)
    p = np.array(metrics.probabilities(part, classes))
    seed, folds = part["seed"].iloc[0], part["fold"].to_numpy()
    for fold in np.unique(folds):
        p[folds == fold] = temperature.scale(p[folds == fold], temperatures.get((seed, fold), 1.0))
    return metrics.ece(truth, predicted, p, bins)
