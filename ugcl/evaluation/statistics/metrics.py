"""Scores of one set of predictions, by scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special
from sklearn import metrics as sk

from ugcl.evaluation.statistics import dimensions
from ugcl.plan.names import POSITIVE


def scale(metric: str) -> str:
    """The scale of :func:`ugcl.evaluation.statistics.bootstrap.interval` on which a metric has no bounds."""
    return "log" if metric in POSITIVE else "logit"


def encode(frame: pd.DataFrame, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions as class numbers; a prediction that is not a class gets len(classes)."""
    number = {name: i for i, name in enumerate(classes)}
    truth = frame["label"].map(number).to_numpy(dtype=int)
    predicted = frame["predicted"].map(number).fillna(len(classes)).to_numpy(dtype=int)
    return truth, predicted


def probabilities(frame: pd.DataFrame, classes: list[str]) -> np.ndarray | None:
    """Class probabilities, (clips, classes); None where the table has none."""
    return _columns(frame, "p_", classes)


def rater_shares(frame: pd.DataFrame, classes: list[str]) -> np.ndarray | None:
    """Shares of the raters' votes, (clips, classes), NaN where nobody voted; None without such columns."""
    return _columns(frame, "q_", classes)


def _columns(frame: pd.DataFrame, prefix: str, classes: list[str]) -> np.ndarray | None:
    columns = [prefix + name for name in classes]
    return frame[columns].to_numpy(dtype=float) if set(columns) <= set(frame) else None


def scores(frame: pd.DataFrame, classes: list[str], bins: int = 15) -> dict[str, float]:
    """Every metric of one set of predictions.

    UAR is the mean recall over the classes that have clips (balanced accuracy); WAR is accuracy. Macro-F1
    averages over the classes that occur as label or prediction, weighted-F1 weights by clips of the class.
    Brier is the mean squared distance of the probability vector from the one-hot label, 0..2 (Brier 1950).
    AUROC is the mean over the classes that have clips of the area of the class against the rest.

    Args:
        frame: columns label and predicted, p_<class> for the probabilistic metrics, q_<class> with the
            raters' shares for the soft ones; valence and valence_estimate, say, for those of a dimension.
        bins: equal-mass bins of the ECE.

    Returns:
        Metric → value; those of probabilities, raters and dimensions only where the table has them. AUROC is
        left out where all clips are of one class.
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
        top2 = sk.top_k_accuracy_score(truth, p, k=2, labels=every) if len(classes) > 2 else 1.0
        values["top2"] = top2
        if len(present) > 1:
            values["auroc"] = np.mean([sk.roc_auc_score(truth == c, p[:, c]) for c in present])
        values["log_loss"] = sk.log_loss(truth, p, labels=every)
        values["brier"] = np.mean(squared_distance(truth, p))
        values["ece"] = ece(truth, predicted, p, bins)
        q = rater_shares(frame, classes)
        if q is not None and not np.isnan(q).all():
            values["kl"] = np.nanmean(divergence(q, p))
            values["cosine"] = np.nanmean(cosine(q, p))
    values |= dimensions.scores(frame)
    return {name: float(value) for name, value in values.items()}


def clip_values(frame: pd.DataFrame, classes: list[str]) -> dict[str, np.ndarray]:
    """The metrics that are means over clips: metric → (clips,), NaN where a clip does not have it.

    Args:
        frame: columns label, p_<class> and optionally q_<class>.
    """
    truth, _ = encode(frame, classes)
    p = probabilities(frame, classes)
    own = p[np.arange(len(p)), truth]  # pyright: ignore[reportOptionalSubscript]
    # As in scikit-learn, equal probabilities rank by class number, the higher class first.
    tied_above = (p == own[:, None]) & (np.arange(p.shape[1]) > truth[:, None])  # pyright: ignore[reportOptionalMemberAccess]
    above = ((p > own[:, None]) | tied_above).sum(1)
    values = {"top2": (above < 2).astype(float), "log_loss": -np.log(own)}
    values["brier"] = squared_distance(truth, p)
    q = rater_shares(frame, classes)
    if q is not None:
        values |= {"kl": divergence(q, p), "cosine": cosine(q, p)}
    return values


def divergence(shares: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence of each row of p from the raters' shares, Σ_c q_c · log(q_c / p_c)."""
    return special.rel_entr(shares, p).sum(1)


def cosine(shares: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Cosine of each row of p with the raters' shares, (clips,)."""
    return (shares * p).sum(1) / (np.linalg.norm(shares, axis=1) * np.linalg.norm(p, axis=1))


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
    columns = {"class": classes, "recall": recall, "precision": precision, "f1": f1, "support": support}
    return pd.DataFrame(columns)


def confusion(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Counts of label and prediction in long form, all pairs of classes: columns label, predicted, count."""
    truth, predicted = encode(frame, classes)
    counts = sk.confusion_matrix(truth, predicted, labels=np.arange(len(classes)))
    pairs = pd.MultiIndex.from_product([classes, classes], names=["label", "predicted"])
    return pd.Series(counts.ravel(), index=pairs, name="count").reset_index()
