"""How far confidence can be trusted: the bins behind the expected calibration error."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import metrics
from ugcl.evaluation.statistics.schemas import SCORES


def calibration(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """Confidence and accuracy in equal-mass bins, seed by seed, folds pooled.

    The seed's ECE is Σ clips / all clips · |accuracy − confidence| over its rows.

    Args:
        frame: predictions of all seeds and folds, with p_<class>.
        classes: class names in order.
        settings: number of bins, and level of the intervals.

    Returns:
        The columns SCORES["calibration"]: bins count from 1, the least confident; confidence is the mean
        highest probability; the interval is Wilson's of the accuracy, with clips as if independent.
    """
    rows = []
    for seed, part in frame.groupby("seed"):
        truth, predicted = metrics.encode(part, classes)
        confidence = metrics.probabilities(part, classes).max(1)
        number = metrics.mass_bins(confidence, settings.bins)
        for each in np.unique(number):
            inside = number == each
            right, clips = int((truth == predicted)[inside].sum()), int(inside.sum())
            low, high = proportion_confint(right, clips, 1 - settings.confidence, method="wilson")
            rows.append((seed, each + 1, clips, confidence[inside].mean(), right / clips, low, high))
    return pd.DataFrame(rows, columns=SCORES["calibration"])
