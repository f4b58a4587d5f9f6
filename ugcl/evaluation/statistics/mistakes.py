"""Where a system is wrong: pairs of classes that it confuses, and the mistakes it is most sure of."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from ugcl.config.report import Evaluate
from ugcl.evaluation.schemas.scores import ERRORS, SCORES
from ugcl.evaluation.statistics import bootstrap, metrics

MOST = 50
"""Rows of the table of mistakes."""


def pairs(frame: pd.DataFrame, classes: list[str], settings: Evaluate) -> pd.DataFrame:
    """How often each two classes are taken for each other, either way.

    Returns:
        The columns SCORES["pairs"]: rate is the mean of first_as_second (share of the first's clips that
        are taken for the second) and second_as_first, seeds averaged, with its interval; count sums over
        seeds and ways.
    """
    columns = ["seed", bootstrap.unit_column(frame), "label", "predicted"]
    counts = bootstrap.count(frame[columns], classes)
    units = len(counts.units)
    point = _rates(counts.confusion, bootstrap.once(counts))[0]
    drawn = _rates(counts.confusion, bootstrap.draw(units, settings.bootstrap, settings.seed))
    total = counts.confusion.sum((0, 1))
    rows = []
    for a, b in combinations(range(len(classes)), 2):
        rate = (point[:, a, b] + point[:, b, a]) / 2
        each = (drawn[:, :, a, b] + drawn[:, :, b, a]) / 2
        low, high = bootstrap.interval(rate, each, settings.confidence, units, "logit")
        ways = point[:, a, b].mean(), point[:, b, a].mean()
        rows.append((classes[a], classes[b], rate.mean(), low, high, *ways, int(total[a, b] + total[b, a])))
    return pd.DataFrame(rows, columns=SCORES["pairs"])


def _rates(confusion: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of each label's clips by prediction, (B, S, C, C + 1), under weights (B, P)."""
    seeds, units, *table = confusion.shape
    flat = weights @ confusion.transpose(1, 0, 2, 3).reshape(units, -1)
    counts = flat.reshape(len(weights), seeds, *table)
    support = counts.sum(3, keepdims=True)
    return metrics.ratio(counts, np.broadcast_to(support, counts.shape))


def errors(
    frame: pd.DataFrame,
    manifest: pd.DataFrame,
    classes: list[str],
    channel: str | None,
    shares: np.ndarray | None,
) -> pd.DataFrame:
    """The mistakes of which a system is most sure, the surest first.

    Probabilities are averaged over seeds, and the class with the highest mean is the prediction.

    Args:
        frame: predictions of all seeds and folds, with p_<class>.
        manifest: has clip and the channel's majority.
        channel: whose majority to show; None for no raters.
        shares: (manifest rows, classes) of that channel's votes; None for no raters.

    Returns:
        The columns ERRORS, at most MOST rows: probability of the predicted class and label_probability;
        wrong_seeds (how many seeds are wrong on the clip by themselves); majority of the raters ("" where
        tied or none); shares of their votes for the label and for the predicted class (empty where none).
    """
    p = np.mean([metrics.probabilities(rows, classes) for _, rows in frame.groupby("seed")], axis=0)  # pyright: ignore[reportCallIssue]
    first = frame.iloc[: len(p)]
    truth, _ = metrics.encode(first, classes)
    guess, every = p.argmax(1), np.arange(len(p))
    wrong = (frame["label"] != frame["predicted"]).to_numpy().reshape(-1, len(p)).sum(0)
    found = {"predicted": [classes[i] for i in guess], "probability": p[every, guess]}
    found |= {"label_probability": p[every, truth], "wrong_seeds": wrong, "majority": ""}
    found |= {"votes_label": np.nan, "votes_predicted": np.nan}
    table = first[["clip", "speaker", "fold", "label"]].assign(**found)
    if channel is not None and shares is not None:
        row = pd.Index(manifest["clip"]).get_indexer(table["clip"])
        table["majority"] = manifest[channel].to_numpy()[row]
        table["votes_label"], table["votes_predicted"] = shares[row, truth], shares[row, guess]
    table = table[guess != truth].sort_values(["probability", "clip"], ascending=[False, True])
    return table.head(MOST)[list(ERRORS)].reset_index(drop=True)
