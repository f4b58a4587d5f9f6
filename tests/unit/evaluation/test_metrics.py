"""Scores of predictions agree with the field's libraries and with counting by hand."""

from __future__ import annotations

import warnings

import audmetric
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance
from sklearn import metrics as sk

from ugcl.evaluation.statistics import metrics

CLASSES = ["angry", "sad", "fear", "happy"]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Random predictions with probabilities; some classes may be absent."""
    clips = draw(st.integers(2, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    p = random.dirichlet(np.ones(len(CLASSES)), clips)
    truth = random.integers(0, draw(st.integers(1, len(CLASSES))), clips)
    frame = pd.DataFrame(
        {"label": [CLASSES[i] for i in truth], "predicted": [CLASSES[i] for i in p.argmax(1)]}
    )
    return frame.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(CLASSES)})


@settings(max_examples=60, deadline=None)
@given(tables())
def test_counted_metrics_agree_with_libraries(frame: pd.DataFrame) -> None:
    found = metrics.scores(frame, CLASSES)
    label, predicted = frame["label"], frame["predicted"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found["uar"] == pytest.approx(sk.balanced_accuracy_score(label, predicted))
    if set(label) == set(CLASSES):
        assert found["uar"] == pytest.approx(
            audmetric.unweighted_average_recall(label, predicted, labels=CLASSES)
        )
    assert found["war"] == pytest.approx(audmetric.accuracy(label, predicted))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(label, predicted, average="macro"))
    assert found["weighted_f1"] == pytest.approx(sk.f1_score(label, predicted, average="weighted"))


@settings(max_examples=40, deadline=None)
@given(tables())
def test_probabilistic_metrics_follow_their_definitions(frame: pd.DataFrame) -> None:
    found = metrics.scores(frame, CLASSES, bins=5)
    p = frame[[f"p_{name}" for name in CLASSES]].to_numpy()
    own = np.array([row[f"p_{row['label']}"] for _, row in frame.iterrows()])
    assert found["log_loss"] == pytest.approx(-np.log(own).mean())
    brier = [sum((row[f"p_{c}"] - (row["label"] == c)) ** 2 for c in CLASSES) for _, row in frame.iterrows()]
    assert found["brier"] == pytest.approx(np.mean(brier))
    assert found["top2"] == pytest.approx(
        np.mean([(row > o).sum() < 2 for row, o in zip(p, own, strict=True)])
    )


@settings(max_examples=40, deadline=None)
@given(tables())
def test_auroc_is_that_of_each_class_against_the_rest(frame: pd.DataFrame) -> None:
    found = metrics.scores(frame, CLASSES).get("auroc")
    present = [name for name in CLASSES if (frame["label"] == name).any()]
    if len(present) == 1:
        assert found is None
        return
    each = []
    for name in present:
        own = frame.loc[frame["label"] == name, f"p_{name}"].to_numpy()
        others = frame.loc[frame["label"] != name, f"p_{name}"].to_numpy()
        wins = (own[:, None] > others).sum() + (own[:, None] == others).sum() / 2
        each.append(wins / (len(own) * len(others)))
    assert found == pytest.approx(np.mean(each))
    if present == CLASSES:
        p = frame[[f"p_{name}" for name in CLASSES]].to_numpy()
        truth = frame["label"].map(CLASSES.index)
        assert found == pytest.approx(sk.roc_auc_score(truth, p, multi_class="ovr", average="macro"))


def test_distance_to_the_raters_leaves_out_clips_without_votes() -> None:
    p = np.array([[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4]])
    votes = np.array([[0.5, 0.5, 0.0, 0.0], [np.nan] * 4, [0.1, 0.2, 0.3, 0.4]])
    frame = pd.DataFrame({"label": ["angry", "sad", "happy"], "predicted": ["angry", "angry", "happy"]})
    assert not {"kl", "cosine"} & set(metrics.scores(frame, CLASSES))
    for prefix, values in (("p_", p), ("q_", votes)):
        frame = frame.assign(**{prefix + name: values[:, i] for i, name in enumerate(CLASSES)})
    found = metrics.scores(frame, CLASSES)
    assert found["kl"] == pytest.approx((stats.entropy(votes[0], p[0]) + 0) / 2)
    assert found["cosine"] == pytest.approx((1 - distance.cosine(votes[0], p[0]) + 1) / 2)


def test_calibration_error_is_the_mean_gap_of_equally_filled_bins() -> None:
    # Confidences .5 .6 | .7 .9 in two bins of two; correct: 0 1 | 1 1.
    p = np.array([[0.5, 0.5], [0.6, 0.4], [0.3, 0.7], [0.1, 0.9]])
    truth, predicted = np.array([1, 0, 1, 1]), np.array([0, 0, 1, 1])
    expected = 0.5 * abs(0.5 - 0.55) + 0.5 * abs(1.0 - 0.8)
    assert metrics.ece(truth, predicted, p, bins=2) == pytest.approx(expected)


def test_calibration_error_of_a_perfect_forecast_is_zero() -> None:
    p = np.array([[0.75, 0.25]] * 400)
    truth = np.array([0, 0, 0, 1] * 100)
    assert metrics.ece(truth, np.zeros(400, int), p, bins=1) == pytest.approx(0)


def test_a_prediction_that_is_no_class_is_wrong_but_adds_no_class() -> None:
    frame = pd.DataFrame(
        {"label": ["angry", "angry", "sad", "sad"], "predicted": ["angry", "", "sad", "sad"]}
    )
    found = metrics.scores(frame, ["angry", "sad"])
    assert found["uar"] == pytest.approx((0.5 + 1) / 2)
    assert found["war"] == pytest.approx(0.75)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_confusion_counts_every_pair_and_classes_keep_their_order() -> None:
    frame = pd.DataFrame({"label": ["sad", "sad", "angry"], "predicted": ["angry", "sad", "angry"]})
    table = metrics.confusion(frame, ["sad", "angry"])
    assert table.to_dict("list") == {
        "label": ["sad", "sad", "angry", "angry"],
        "predicted": ["sad", "angry", "sad", "angry"],
        "count": [1, 1, 0, 1],
    }
    classes = metrics.per_class(frame, ["sad", "angry"])
    assert classes["recall"].tolist() == [0.5, 1.0]
    assert classes["precision"].tolist() == [1.0, 0.5]
    assert classes["support"].tolist() == [2, 1]
