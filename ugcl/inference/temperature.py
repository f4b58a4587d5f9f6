"""Temperature scaling: one number per run that calibrates its confidence, fitted on dev clips.

A system's table of temperatures lies beside its predictions and says what both are of: of each run the
lineage, the SHA-256 of the weights, and that of its predictions, whose own columns are a public interface.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl.data import sources, tables
from ugcl.errors import UgclError
from ugcl.identity import compare
from ugcl.plan import paths
from ugcl.plan.evaluation import temperature as temperature_path
from ugcl.training.state.records import CARD, WEIGHTS, Card, read_card

LOW, HIGH = 0.25, 10.0
"""Bounds of the temperature: a few dev clips without an error would give an unbounded confidence."""
LEAST = 1e-12
COLUMNS = ("seed", "fold", "clips", "temperature", "log_loss", "log_loss_scaled")
OWNER = ("benchmark", "system")
SEAL = ("lineage", "weights", "predictions")
AGAIN = "predict again (`ugcl evaluate predict`)"


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


def sealed(row: dict[str, float], card: Card, predictions: Path) -> dict[str, Any]:
    """A row of :func:`fitted` with what it and the predictions of the same run are of."""
    seal = (card.lineage, card.files.get(WEIGHTS, ""), sources.sha256(predictions))
    return {"benchmark": card.benchmark, "system": card.system, **row, **dict(zip(SEAL, seal, strict=True))}


def write(benchmark: str, system: str, rows: Iterable[dict[str, Any]]) -> Path:
    """Write a system's table of temperatures from rows of :func:`sealed`."""
    path = temperature_path(benchmark, system)
    frame = pd.DataFrame(rows, columns=[*OWNER, *COLUMNS, *SEAL])
    tables.write(frame.sort_values(["seed", "fold"]), path)
    return path


def read_table(benchmark: str, system: str) -> pd.DataFrame:
    """A system's table of temperatures, a row per (seed, fold).

    Raises:
        UgclError: it is missing, damaged, of another system, or of other weights than the runs now have.
    """
    path = temperature_path(benchmark, system)
    frame = tables.read(path)
    try:
        frame[list(COLUMNS)] = frame[list(COLUMNS)].apply(pd.to_numeric)
        frame = frame[[*OWNER, *COLUMNS, *SEAL]].astype({"seed": int, "fold": int})
    except (KeyError, ValueError) as error:
        raise UgclError(f"{path}: not a table of temperatures ({error}); {AGAIN}") from None
    for row in frame.to_dict("records"):
        run = row["seed"], row["fold"]
        compare(path, row, {"benchmark": benchmark, "system": system}, AGAIN)
        folder = paths.MODELS / paths.run(benchmark, system, *run)
        if (folder / CARD).is_file():
            card = read_card(folder)
            own = {"lineage": card.lineage, "weights": card.files.get(WEIGHTS, "")}
            compare(f"{path}: seed {run[0]}, fold {run[1]}", row, own, AGAIN)
    return frame.set_index(["seed", "fold"], drop=False)


def read(benchmark: str, system: str) -> dict[tuple[int, int], float]:
    """The temperatures of a system's runs, (seed, fold) → T; empty where none were fitted.

    Raises:
        UgclError: the table is damaged, or not of these runs.
    """
    if not temperature_path(benchmark, system).is_file():
        return {}
    return read_table(benchmark, system)["temperature"].to_dict()
