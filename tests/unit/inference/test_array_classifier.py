"""A method on arrays: it learns, it is a scikit-learn estimator, and wrong input is one line."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score

import ugcl
from ugcl.errors import UgclError
from ugcl.inference.api.arrays import Scale, clips_of

N = 60
GROUPS = np.arange(N) % 6
Y = np.tile(np.repeat(["angry", "calm"], 6), N // 12)
QUICK = {"train": {"epochs": 8, "lr": 1e-2}, "encoder": {"width": 16, "heads": 2}}


def features(scale: float = 1.0, offset: float = 0.0) -> dict[str, object]:
    """Sound sequences whose mean says the class, and pictures of one vector that say nothing."""
    rng = np.random.default_rng(0)
    sound = [rng.normal(2.0 * (label == "calm"), 1, (int(rng.integers(4, 9)), 5)) for label in Y]
    return {"audio": [offset + scale * x for x in sound], "video": rng.normal(size=(N, 3))}


def small(method: str = "concat", **changes: object) -> ugcl.Classifier:
    return ugcl.Classifier(method, **{**QUICK, **changes})


@pytest.fixture(scope="module")
def fitted() -> ugcl.Classifier:
    return small().fit(features(), Y, groups=GROUPS)


def test_it_learns_what_is_there(fitted: ugcl.Classifier) -> None:
    X = features()
    p = fitted.predict_proba(X)
    assert p.shape == (N, 2) and p.sum(axis=1) == pytest.approx(np.ones(N))
    assert fitted.classes_.tolist() == ["angry", "calm"]
    assert (fitted.predict(X) == fitted.classes_[p.argmax(axis=1)]).all() and fitted.score(X, Y) > 0.9
    assert fitted.best_["dev_uar"] == fitted.history_["dev_uar"].max()


def test_dev_has_speakers_of_its_own(fitted: ugcl.Classifier) -> None:
    dev = set(GROUPS[fitted.dev_])
    assert dev and set(fitted.dev_) == {i for i in range(N) if GROUPS[i] in dev} and len(dev) < 6


def test_without_groups_a_warning_says_what_dev_is() -> None:
    with pytest.warns(UserWarning, match="no groups: the dev part is drawn by class"):
        model = small(dev=0.25).fit(features(), Y)
    assert len(model.dev_) == N // 4 and (Y[model.dev_] == "calm").mean() == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_gives_the_same_network_and_another_gives_another(fitted: ugcl.Classifier) -> None:
    X = features()
    again = small().fit(X, Y, groups=GROUPS).predict_proba(X)
    np.testing.assert_array_equal(again, fitted.predict_proba(X))
    other = small(seed=1).fit(X, Y, groups=GROUPS).predict_proba(X)
    assert np.abs(other - again).max() > 1e-4


@pytest.mark.parametrize(("scale", "offset"), [(1e6, 0.0), (1e-6, 0.0), (1.0, 3000.0)])
def test_the_unit_of_the_features_does_not_matter(scale: float, offset: float) -> None:
    """Half precision holds neither a million nor small differences of large numbers."""
    X = features(scale, offset)
    assert small().fit(X, Y, groups=GROUPS).score(X, Y) > 0.9


def test_scale_is_that_of_the_training_frames() -> None:
    rng = np.random.default_rng(1)
    x = [rng.normal(5, 3, (7, 2)).astype(np.float32) for _ in range(4)]
    whole = np.concatenate(x)
    z = (x[0] - whole.mean(axis=0)) / whole.std(axis=0)
    np.testing.assert_allclose(Scale.of(x)(x[0]).numpy(), z, atol=2e-3)


def test_a_missing_modality_is_allowed_in_training_and_in_prediction(fitted: ugcl.Classifier) -> None:
    X = features()
    half = fitted.predict_proba({"audio": X["audio"]})
    assert np.isfinite(half).all() and np.abs(half - fitted.predict_proba(X)).max() > 1e-6
    X["video"] = [None if i % 3 == 0 else x for i, x in enumerate(X["video"])]
    assert small().fit(X, Y, groups=GROUPS).score(X, Y) > 0.9


def test_scikit_learn_clones_searches_and_cross_validates_it() -> None:
    X = features()
    frame = pd.DataFrame({"audio": X["audio"], "video": list(X["video"])})
    model = small(weights={})
    assert clone(model).get_params() == model.get_params() | {"weights": {}}
    assert clone(model).set_params(train__epochs=2, seed=3).get_params()["train"] == {"epochs": 2, "lr": 1e-2}
    scores = cross_val_score(
        model, frame, Y, groups=GROUPS, cv=GroupKFold(2), params={"groups": GROUPS}, error_score="raise"
    )
    assert scores.mean() > 0.8
    means = np.stack([x.mean(axis=0) for x in X["audio"]])  # one modality as one array
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = GridSearchCV(model, {"train__epochs": [1, 8]}, cv=2, error_score="raise").fit(means, Y)
    assert search.best_estimator_.score(means, Y) > 0.9


def test_refit_learns_from_dev_clips_too() -> None:
    X = features()
    train = {**QUICK["train"], "refit": True}
    plain, again = small().fit(X, Y, groups=GROUPS), small(train=train).fit(X, Y, groups=GROUPS)
    assert again.best_ == plain.best_ and again.score(X, Y) > 0.9
    assert np.abs(again.predict_proba(X) - plain.predict_proba(X)).max() > 1e-6


def test_numbers_are_labels_too() -> None:
    codes = (Y == "calm").astype(int) * 3
    model = small().fit(features(), codes, groups=GROUPS)
    assert model.predict(features()).dtype == codes.dtype and set(model.predict(features())) <= {0, 3}


def test_a_published_system_in_five_lines() -> None:
    model = ugcl.Classifier("gban", **QUICK)
    X = {**features(), "text": features()["audio"]}
    assert model.fit({m: X[m] for m in ("audio", "text")}, Y, groups=GROUPS).score(X, Y) > 0.9


@pytest.mark.parametrize(
    ("model", "X", "y", "groups", "message"),
    [
        ({"method": "nothing"}, None, Y, GROUPS, "method: 'nothing' does not exist; choose from"),
        ({"tokens": 3}, None, Y, GROUPS, "method.tokens: unknown key"),
        ({"train": {"epochs": 0}}, None, Y, GROUPS, "train.epochs: .* greater than or equal to 1"),
        ({"dev": 0}, None, Y, GROUPS, "dev: 0 is not a share"),
        (
            {},
            {"smell": np.zeros((N, 2))},
            Y,
            GROUPS,
            "'smell' is not a modality; choose from audio, video, text",
        ),
        ({}, {"audio": np.zeros((N, 2)), "video": np.zeros((3, 2))}, Y, GROUPS, "differ in their number"),
        (
            {},
            {"audio": [np.zeros((2, i % 2 + 1)) for i in range(N)]},
            Y,
            GROUPS,
            r"audio has \[1, 2\] columns",
        ),
        ({}, {"audio": np.full((N, 2), np.inf)}, Y, GROUPS, "clip 0, audio: a value is not finite"),
        ({}, {"audio": [None] * N}, Y, GROUPS, "clip 0 has no modality"),
        ({}, {"audio": [["a"]] * N}, Y, GROUPS, "is not an array of numbers"),
        ({}, None, Y[:5], GROUPS, "y: has the shape"),
        ({}, None, Y, GROUPS[:5], "groups: 5 for 60 clips"),
        ({}, None, Y, np.zeros(N), "groups: there is one alone"),
        ({}, None, Y, (Y == "calm").astype(int), "a class is with one group alone"),
        ({}, None, np.full(N, "calm"), GROUPS, "y: classes: .* at least 2 items"),
    ],
)
def test_wrong_input_is_one_line(model: dict, X: object, y: object, groups: object, message: str) -> None:
    with pytest.raises(UgclError, match=message) as error:
        small(**model).fit(features() if X is None else X, y, groups=groups)
    assert "\n" not in str(error.value)


def test_other_features_than_those_trained_on_are_refused(fitted: ugcl.Classifier) -> None:
    with pytest.raises(UgclError, match="audio has 2 columns, 5 were trained on"):
        fitted.predict({"audio": np.zeros((1, 2))})


def test_arrays_lists_and_tables_are_the_same_clips() -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    for form in (x, list(x), {"video": x}, pd.DataFrame({"video": list(x)})):
        found = clips_of(form, "video")
        assert all((clip["video"] == a).all() for clip, a in zip(found, x, strict=True))
    assert clips_of(pd.DataFrame(x[0], columns=["f0", "f1"]))[1]["audio"].tolist() == [[2.0, 3.0]]
