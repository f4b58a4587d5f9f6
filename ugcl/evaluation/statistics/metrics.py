"""Scores of one set of predictions, from its counts.

Tests compare them with those of scikit-learn, whose functions check their arguments longer than they compute.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ugcl.evaluation.statistics import dimensions
from ugcl.plan.names import METRICS, POSITIVE


def scale(metric: str) -> str:
    """The scale of :func:`ugcl.evaluation.statistics.bootstrap.interval` on which a metric has no bounds."""
    return "log" if metric in POSITIVE else "logit"


SMALLEST = np.finfo(float).eps
"""The least probability of a label in the log-loss, as in scikit-learn."""


def encode(frame: pd.DataFrame, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions as class numbers; a prediction that is not a class gets len(classes).

    Raises:
        ValueError: a label is not a class.
    """
    names = pd.Index(classes, dtype=object)
    truth, predicted = (
        names.get_indexer(frame[column].to_numpy(object)) for column in ("label", "predicted")
    )
    if (truth < 0).any():
        raise ValueError(f"label {frame['label'].iloc[truth.argmin()]!r} is not a class")
    return truth, np.where(predicted < 0, len(classes), predicted)


def probabilities(frame: pd.DataFrame, classes: list[str]) -> np.ndarray | None:
    """Class probabilities, (clips, classes); None where the table has none."""
    return _columns(frame, "p_", classes)


def rater_shares(frame: pd.DataFrame, classes: list[str]) -> np.ndarray | None:
    """Shares of the raters' votes, (clips, classes), NaN where nobody voted; None without such columns."""
    return _columns(frame, "q_", classes)


def _columns(frame: pd.DataFrame, prefix: str, classes: list[str]) -> np.ndarray | None:
    columns = [prefix + name for name in classes]
    return frame[columns].to_numpy(dtype=float) if set(columns) <= set(frame) else None


@dataclass(frozen=True)
class Encoded:
    """Predictions as arrays.

    Attributes:
        truth, predicted: (clips,) of :func:`encode`.
        p: (clips, classes) probabilities; None without.
        means: metric → (clips,) of :func:`clip_values`; empty without probabilities.
        dimensions: the columns of :func:`ugcl.evaluation.statistics.dimensions.columns`.
        classes: how many there are.
    """

    truth: np.ndarray
    predicted: np.ndarray
    p: np.ndarray | None
    means: dict[str, np.ndarray]
    dimensions: pd.DataFrame
    classes: int

    @classmethod
    def of(cls, frame: pd.DataFrame, classes: list[str]) -> Encoded:
        """Those of a table with the columns of :func:`scores`."""
        truth, predicted = encode(frame, classes)
        p = probabilities(frame, classes)
        means = {} if p is None else clip_values(truth, p, rater_shares(frame, classes))
        return cls(truth, predicted, p, means, frame[dimensions.columns(frame)], len(classes))

    def part(self, rows: np.ndarray) -> Encoded:
        """Some clips by number."""
        p = None if self.p is None else self.p[rows]
        means = {name: values[rows] for name, values in self.means.items()}
        other = self.dimensions.iloc[rows] if len(self.dimensions.columns) else self.dimensions
        return Encoded(self.truth[rows], self.predicted[rows], p, means, other, self.classes)


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
    return scores_of(Encoded.of(frame, classes), bins)


def scores_of(data: Encoded, bins: int = 15) -> dict[str, float]:
    """What :func:`scores` gives, of arrays."""
    values = dict(counted(*_by_class(table_of(data.truth, data.predicted, data.classes))))
    if data.p is not None:
        known = {name: each[~np.isnan(each)] for name, each in data.means.items()}
        values |= {name: each.mean() for name, each in known.items() if len(each)}
        present = np.unique(data.truth)
        if len(present) > 1:
            values["auroc"] = np.mean([auroc(data.p[:, c], data.truth == c) for c in present])
        values["ece"] = ece(data.truth, data.predicted, data.p, bins)
    values = {name: values[name] for name in METRICS if name in values}
    return {name: float(value) for name, value in (values | dimensions.scores(data.dimensions)).items()}


def table_of(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Clips by label and prediction, (C, C + 1) whole numbers; the last column is "no class"."""
    cells = truth * (classes + 1) + predicted
    return np.bincount(cells, minlength=classes * (classes + 1)).reshape(classes, classes + 1)


def _by_class(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits, support and guesses of each class, (C,), of :func:`table_of`."""
    square = table[:, :-1].astype(float)
    return square.diagonal(), table.sum(1).astype(float), square.sum(0)


def counted(hits: np.ndarray, support: np.ndarray, guesses: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics of predicted classes alone, from counts by class in the last axis.

    Args:
        hits: (…, C) right clips of each class.
        support: (…, C) clips of it.
        guesses: (…, C) clips that it was predicted of.

    Returns:
        Each metric of :data:`ugcl.plan.names.COUNTED` → (…).
    """
    clips, f1 = support.sum(-1), ratio(2 * hits, support + guesses)
    return {
        "uar": mean_known(ratio(hits, support)),
        "war": hits.sum(-1) / clips,
        "macro_f1": mean_known(f1),
        "weighted_f1": np.nansum(f1 * support, -1) / clips,
    }


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def mean_known(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where all are."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(-1), known.sum(-1).astype(float))


def auroc(values: np.ndarray, own: np.ndarray) -> float:
    """Share of pairs of a clip of a class and one of another in which the first has the higher value.

    Ties count half: this is the area under the receiver operating characteristic (Hanley and McNeil 1982).

    Args:
        values: (clips,).
        own: (clips,) whether a clip is of the class; some are, and some are not.
    """
    low = np.sort(values[~own])
    below = low.searchsorted(values[own], "left") + low.searchsorted(values[own], "right")
    return below.sum() / (2 * len(low) * own.sum())


def clip_values(truth: np.ndarray, p: np.ndarray, q: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The metrics that are means over clips: metric → (clips,), NaN where a clip does not have it.

    Args:
        truth: (clips,) class numbers.
        p: (clips, classes) probabilities.
        q: (clips, classes) raters' shares; None for no raters.
    """
    own = p[np.arange(len(p)), truth]
    # As in scikit-learn, equal probabilities rank by class number, the higher class first.
    tied_above = (p == own[:, None]) & (np.arange(p.shape[1]) > truth[:, None])
    above = ((p > own[:, None]) | tied_above).sum(1)
    values = {"top2": (above < 2).astype(float), "log_loss": -np.log(np.maximum(own, SMALLEST))}
    values["brier"] = squared_distance(truth, p)
    return values if q is None else values | {"kl": divergence(q, p), "cosine": cosine(q, p)}


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
    """Recall, precision, F1 and support of each class: columns class, recall, precision, f1, support.

    A class without clips has recall 0, one that was never predicted precision 0.
    """
    hits, support, guesses = _by_class(table_of(*encode(frame, classes), len(classes)))
    shares = (hits, support), (hits, guesses), (2 * hits, support + guesses)
    recall, precision, f1 = (np.nan_to_num(ratio(*share)) for share in shares)
    columns = {"class": classes, "recall": recall, "precision": precision, "f1": f1}
    return pd.DataFrame(columns | {"support": support.astype(int)})


def confusion(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Counts of label and prediction in long form, all pairs of classes: columns label, predicted, count."""
    counts = table_of(*encode(frame, classes), len(classes))[:, :-1]
    pairs = pd.MultiIndex.from_product([classes, classes], names=["label", "predicted"])
    return pd.Series(counts.ravel(), index=pairs, name="count").reset_index()
