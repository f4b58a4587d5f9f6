"""Calibration bins, confusable pairs and the surest mistakes are what counting by hand gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve

from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import calibration, metrics, mistakes

CLASSES = ["angry", "sad", "fear"]
SETTINGS = Evaluate(bootstrap=500)


def made(seeds: int = 2, clips: int = 90) -> pd.DataFrame:
    """Random predictions of some seeds on the same clips of nine speakers."""
    random = np.random.default_rng(5)
    label = random.choice(CLASSES, clips)
    parts = []
    for seed in range(seeds):
        p = random.dirichlet(np.ones(3), clips)
        frame = pd.DataFrame({"seed": seed, "fold": 1, "clip": [f"c{i:02d}" for i in range(clips)]})
        frame = frame.assign(speaker=[f"s{i % 9}" for i in range(clips)], label=label)
        frame["predicted"] = [CLASSES[i] for i in p.argmax(1)]
        parts.append(frame.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(CLASSES)}))
    return pd.concat(parts, ignore_index=True)


def test_bins_add_up_to_the_calibration_error_of_each_seed() -> None:
    frame = made()
    table = calibration.calibration(frame, CLASSES, SETTINGS)
    assert table.groupby("seed")["bin"].agg(list).tolist() == [list(range(1, 16))] * 2
    for seed, rows in table.groupby("seed"):
        gap = (rows["clips"] / rows["clips"].sum() * (rows["accuracy"] - rows["confidence"]).abs()).sum()
        assert gap == pytest.approx(metrics.scores(frame[frame["seed"] == seed], CLASSES)["ece"])
    assert (table["ci_low"] <= table["accuracy"] + 1e-12).all()
    assert (table["ci_high"] >= table["accuracy"] - 1e-12).all()
    assert table.groupby("seed")["confidence"].apply(lambda c: c.is_monotonic_increasing).all()


def test_bins_are_scikit_learn_s_quantile_bins() -> None:
    frame = made(seeds=1)
    table = calibration.calibration(frame, CLASSES, SETTINGS)
    right = frame["label"] == frame["predicted"]
    confidence = frame[[f"p_{name}" for name in CLASSES]].max(axis=1)
    accuracy, mean = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    assert table["accuracy"].tolist() == pytest.approx(accuracy)
    assert table["confidence"].tolist() == pytest.approx(mean)


def test_pairs_are_symmetric_shares_of_both_classes() -> None:
    frame = made()
    table = mistakes.pairs(frame, CLASSES, SETTINGS).set_index(["first", "second"])
    assert list(table.index) == [("angry", "sad"), ("angry", "fear"), ("sad", "fear")]
    row = table.loc[("sad", "fear")]
    sad, fear = (frame[frame["label"] == name]["predicted"] for name in ("sad", "fear"))
    assert row["first_as_second"] == pytest.approx((sad == "fear").mean())
    assert row["second_as_first"] == pytest.approx((fear == "sad").mean())
    assert row["rate"] == pytest.approx(((sad == "fear").mean() + (fear == "sad").mean()) / 2)
    assert row["count"] == (sad == "fear").sum() + (fear == "sad").sum()
    assert row["ci_low"] < row["rate"] < row["ci_high"]


def test_the_surest_mistakes_come_first_with_what_raters_said() -> None:
    frame = made()
    clips = frame["clip"].unique()
    manifest = pd.DataFrame({"clip": clips[::-1], "voice": ["sad", ""] * 45})
    votes = np.random.default_rng(0).dirichlet(np.ones(3), len(clips))
    table = mistakes.errors(frame, manifest, CLASSES, "voice", votes)
    mean = frame.groupby("clip")[[f"p_{name}" for name in CLASSES]].mean()
    label = frame.drop_duplicates("clip").set_index("clip")["label"]
    guess = mean.idxmax(axis=1).str.removeprefix("p_")
    wrong = mean.max(axis=1)[guess != label].sort_values(ascending=False)
    assert table["clip"].tolist() == wrong.index[: mistakes.MOST].tolist()
    assert table["probability"].tolist() == pytest.approx(wrong.head(mistakes.MOST).tolist())
    row = table.iloc[0]
    place = int(np.flatnonzero(manifest["clip"] == row["clip"])[0])
    assert row["majority"] == manifest["voice"][place]
    assert row["votes_label"] == votes[place, CLASSES.index(row["label"])]
    assert row["votes_predicted"] == votes[place, CLASSES.index(row["predicted"])]
    own = frame[frame["clip"] == row["clip"]]
    assert row["wrong_seeds"] == (own["label"] != own["predicted"]).sum()


def test_without_raters_mistakes_say_nothing_of_votes() -> None:
    table = mistakes.errors(made(), pd.DataFrame({"clip": []}), CLASSES, None, None)
    assert (table["majority"] == "").all() and table["votes_label"].isna().all()
