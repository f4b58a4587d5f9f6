"""Scores of one set of predictions, by scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn import metrics as sk

COUNTED = ("uar", "war", "macro_f1", "weighted_f1")
"""Metrics of predicted classes alone."""

PROBABILISTIC = ("top2", "log_loss", "brier", "ece")
"""Metrics that need class probabilities."""

METRICS = (*COUNTED, *PROBABILISTIC)

TITLES = {
    "uar": "UAR",
    "war": "WAR",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted-F1",
    "top2": "top-2",
    "log_loss": "log-loss",
    "brier": "Brier",
    "ece": "ECE",
}
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece"})


def encode(frame: pd.DataFrame, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions as class numbers; a prediction that is no class gets the number len(classes)."""
    number = {name: i for i, name in enumerate(classes)}
    truth = frame["label"].map(number).to_numpy(dtype=int)
    predicted = frame["predicted"].map(number).fillna(len(classes)).to_numpy(dtype=int)
    return truth, predicted


def probabilities(frame: pd.DataFrame, classes: list[str]) -> np.ndarray | None:
    """Class probabilities, (clips, classes); None where the table has none."""
    columns = [f"p_{name}" for name in classes]
    return frame[columns].to_numpy(dtype=float) if set(columns) <= set(frame) else None


def scores(frame: pd.DataFrame, classes: list[str], bins: int = 15) -> dict[str, float]:
    """Every metric of one set of predictions.

    UAR is the mean recall over the classes that have clips (balanced accuracy); WAR is accuracy. Macro-F1
    averages over the classes that occur as label or prediction, weighted-F1 weights by clips of the class.
    Brier is the mean squared distance of the probability vector from the one-hot label, 0..2 (Brier 1950).

    Args:
        frame: columns label and predicted, and p_<class> for the probabilistic metrics.
        classes: class names in order.
        bins: equal-mass bins of the ECE.

    Returns:
        Metric → value; the probabilistic ones only where the table has probabilities.
    """
    truth, predicted = encode(frame, classes)
    present = np.unique(truth)
    occurring = [c for c in np.union1d(truth, predicted) if c < len(classes)]
    values = {
        "uar": sk.recall_score(truth, predicted, labels=present, average="macro", zero_division=0),
        "war": sk.accuracy_score(truth, predicted),
        "macro_f1": sk.f1_score(truth, predicted, labels=occurring, average="macro", zero_division=0),
        "weighted_f1": sk.f1_score(truth, predicted, labels=present, average="weighted", zero_division=0),
    }
    p = probabilities(frame, classes)
    if p is not None:
        every = np.arange(len(classes))
        if len(classes) > 2:
            values["top2"] = sk.top_k_accuracy_score(truth, p, k=2, labels=every)
        else:
            values["top2"] = 1.0
        values["log_loss"] = sk.log_loss(truth, p, labels=every)
        values["brier"] = float(np.mean(squared_distance(truth, p)))
        values["ece"] = ece(truth, predicted, p, bins)
    return {name: float(value) for name, value in values.items()}


def squared_distance(truth: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Squared distance of each probability vector from its one-hot label, (clips,)."""
    return np.square(p - np.eye(p.shape[1])[truth]).sum(1)


def mass_bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    """The equal-mass bin of each clip: ranks of confidence cut into blocks; ties keep the rows' order."""
    number = np.empty(len(confidence), dtype=int)
    blocks = np.array_split(np.argsort(confidence, kind="stable"), min(bins, len(confidence)))
    for i, members in enumerate(blocks):
        number[members] = i
    return number


def ece(truth: np.ndarray, predicted: np.ndarray, p: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error over equal-mass bins: Σ_b n_b/n · |accuracy_b − confidence_b|.

    Source: Naeini et al., AAAI 2015, eq. 3; equal-mass bins as in Nixon et al., CVPR-W 2019, §3.
    """
    confidence = p.max(1)
    gap = (truth == predicted).astype(float) - confidence
    return float(np.abs(np.bincount(mass_bins(confidence, bins), weights=gap)).sum() / len(truth))


def per_class(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Recall, precision, F1 and support of each class: columns class, recall, precision, f1, support."""
    truth, predicted = encode(frame, classes)
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        truth, predicted, labels=np.arange(len(classes)), zero_division=0
    )
    return pd.DataFrame(
        {"class": classes, "recall": recall, "precision": precision, "f1": f1, "support": support}
    )


def confusion(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Counts of label and prediction in long form, all pairs of classes: columns label, predicted, count."""
    truth, predicted = encode(frame, classes)
    counts = sk.confusion_matrix(truth, predicted, labels=np.arange(len(classes)))
    pairs = pd.MultiIndex.from_product([classes, classes], names=["label", "predicted"])
    return pd.Series(counts.ravel(), index=pairs, name="count").reset_index()
