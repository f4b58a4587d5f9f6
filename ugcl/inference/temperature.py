"""Temperature scaling: one number per run that calibrates its confidence, fitted on dev clips."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.plan.evaluation import temperature as temperature_path

LOW, HIGH = 0.25, 10.0
"""Bounds of the temperature: a few dev clips without an error would give an unbounded confidence."""
LEAST = 1e-12
COLUMNS = ("seed", "fold", "clips", "temperature", "log_loss", "log_loss_scaled")


def scale(p: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log p / T): the probabilities that the same logits divided by T give.

    Args:
        p: (N, C) probabilities.
        temperature: T; above 1 it lowers the confidence.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017, §4.2.
    """
    logits = np.log(np.maximum(p, LEAST)) / temperature
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def log_loss(p: np.ndarray, truth: np.ndarray) -> float:
    """Mean negative log-probability of the labels; p (N, C), truth (N,) class numbers."""
    return float(-np.log(np.maximum(p[np.arange(len(p)), truth], LEAST)).mean())


def fit(p: np.ndarray, truth: np.ndarray) -> float:
    """The temperature with the least log-loss.

    Args:
        p: (N, C) probabilities of dev clips.
        truth: (N,) their class numbers.

    Returns:
        T in [LOW, HIGH].
    """
    from scipy.optimize import minimize_scalar

    # The log-loss is convex in 1 / T, so the minimum over log T is the only one.
    found = minimize_scalar(
        lambda t: log_loss(scale(p, np.exp(t)), truth),
        bounds=(np.log(LOW), np.log(HIGH)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def fitted(seed: int, fold: int, p: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """One row of a system's table of temperatures: the columns COLUMNS."""
    t = fit(p, truth)
    before, after = log_loss(p, truth), log_loss(scale(p, t), truth)
    return dict(zip(COLUMNS, (seed, fold, len(p), t, before, after), strict=True))


def read(benchmark: str, system: str) -> dict[tuple[int, int], float]:
    """The temperatures of a system's runs, (seed, fold) → T; empty where none were fitted.

    Raises:
        UgclError: the table is damaged.
    """
    path = temperature_path(benchmark, system)
    if not path.is_file():
        return {}
    frame = tables.read(path)
    try:
        numbers = frame[list(COLUMNS)].apply(pd.to_numeric)
    except (KeyError, ValueError) as error:
        raise UgclError(f"{path}: not a table of temperatures ({error}); predict again") from None
    return {(int(row.seed), int(row.fold)): float(row.temperature) for row in numbers.itertuples()}
