"""Scores of estimated valence, arousal and dominance, by audmetric and scikit-learn.

Predictions that have a column such as `valence` with the raters' mean, and one `valence_estimate` beside it,
are scored; classification systems have none.
"""

from __future__ import annotations

import audmetric
import numpy as np
import pandas as pd
from sklearn import metrics as sk

from ugcl.plan.names import DIMENSIONS


def columns(frame: pd.DataFrame) -> list[str]:
    """The columns of the dimensions that have both a target and an estimate."""
    pairs = [(name, f"{name}_estimate") for name in DIMENSIONS]
    return [column for pair in pairs if set(pair) <= set(frame) for column in pair]


def scores(frame: pd.DataFrame) -> dict[str, float]:
    """CCC, Pearson's r and RMSE of each dimension: `valence_ccc` and so on; empty without such columns.

    Clips without a target or an estimate are left out.
    """
    values: dict[str, float] = {}
    for dimension in columns(frame)[::2]:
        pair = frame[[dimension, f"{dimension}_estimate"]].astype(float).dropna()
        if len(pair) > 1:
            truth, estimate = (column.to_numpy() for _, column in pair.items())
            values[f"{dimension}_ccc"] = ccc(truth, estimate)
            values[f"{dimension}_pearson"] = pearson(truth, estimate)
            values[f"{dimension}_rmse"] = rmse(truth, estimate)
    return values


def ccc(truth: np.ndarray, estimate: np.ndarray) -> float:
    """Concordance correlation: 2·cov / (var + var + (mean − mean)²); 0 where one of them is constant.

    Source: Lin, Biometrics 45(1), 1989, eq. 2.
    """
    if np.ptp(truth) == 0 or np.ptp(estimate) == 0:
        return 0.0
    return float(audmetric.concordance_cc(truth, estimate))


def pearson(truth: np.ndarray, estimate: np.ndarray) -> float:
    """Pearson's correlation; NaN where one of them is constant."""
    if np.ptp(truth) == 0 or np.ptp(estimate) == 0:
        return float("nan")
    return float(audmetric.pearson_cc(truth, estimate))


def rmse(truth: np.ndarray, estimate: np.ndarray) -> float:
    """Root of the mean squared error, in units of the target."""
    return float(sk.root_mean_squared_error(truth, estimate))
