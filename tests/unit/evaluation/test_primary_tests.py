"""The tests of a primary metric that is no mean over clips, and intervals over dialogues, by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import bootstrap, metrics, paired, ranks, signflip
from ugcl.plan.names import COUNTED

CLASSES = ["angry", "sad", "fear"]
SETTINGS = Evaluate(bootstrap=400, permutations=2000)


def made(seed: int, skill: float, units: int = 6, seeds: int = 2) -> pd.DataFrame:
    """Predictions of some seeds; clips, speakers and dialogues are the same for all arguments but units."""
    clips = 7 * units
    same, own = np.random.default_rng(9), np.random.default_rng([seed, clips])
    truth = same.choice(CLASSES, clips, p=[0.6, 0.3, 0.1])
    parts = []
    for number in range(seeds):
        guess = np.where(own.random(clips) < skill, truth, own.choice(CLASSES, clips))
        frame = pd.DataFrame({"seed": number, "fold": 1, "clip": [f"c{i:03d}" for i in range(clips)]})
        frame["speaker"] = [f"s{i % 3}" for i in range(clips)]
        frame["unit"] = [f"d{i // 7:02d}" for i in range(clips)]
        parts.append(frame.assign(label=truth, predicted=guess))
    return pd.concat(parts, ignore_index=True)


def f1(frame: pd.DataFrame, average: str) -> float:
    each = [
        sk.f1_score(rows["label"], rows["predicted"], average=average, zero_division=0)
        for _, rows in frame.groupby("seed")
    ]
    return float(np.mean(each))


@pytest.mark.parametrize("metric", ["weighted_f1", "macro_f1"])
def test_few_units_give_the_p_of_all_swaps_of_predictions(metric: str) -> None:
    first, second = made(1, 0.7, units=5), made(2, 0.45, units=5)
    average, names = metric.removesuffix("_f1"), sorted(first["unit"].unique())
    found = []
    for pattern in product((False, True), repeat=5):
        swapped = first["unit"].isin([name for name, turn in zip(names, pattern, strict=True) if turn])
        one = first.assign(predicted=first["predicted"].where(~swapped, second["predicted"]))
        other = second.assign(predicted=second["predicted"].where(~swapped, first["predicted"]))
        found.append(f1(one, average) - f1(other, average))
    expected = np.mean(np.abs(found) >= abs(found[0]) - 1e-12)
    sides = (bootstrap.count(frame, CLASSES).confusion for frame in (first, second))
    test = signflip.swap(*sides, metric, 100, 0)
    assert test.p == pytest.approx(expected) and (test.error, test.smallest) == (0.0, 1 / 16)


def test_of_a_mean_over_clips_it_is_the_exact_sign_flip_test() -> None:
    first, second = made(1, 0.7, units=12), made(2, 0.5, units=12)
    counts = [bootstrap.count(frame, CLASSES).confusion for frame in (first, second)]
    hits = [np.einsum("spcc->p", each[..., :-1]).astype(int)[:, None] for each in counts]
    expected = signflip.sign_flip(hits[0] - hits[1], np.array([7 * 12]), 100, 0)
    assert signflip.swap(*counts, "war", 100, 0).p == pytest.approx(expected.p, abs=1e-12)


def test_many_units_are_drawn_near_the_exact_p(monkeypatch) -> None:
    sides = [bootstrap.count(made(k, 0.52 + 0.1 * k, units=14), CLASSES).confusion for k in (0, 1)]
    exact = signflip.swap(*sides, "weighted_f1", 100, 0)
    monkeypatch.setattr(signflip, "EXACT", 3)
    drawn = signflip.swap(*sides, "weighted_f1", 20_000, 0)
    assert 0.01 < exact.p < 0.9 and drawn.p == pytest.approx(exact.p, abs=4 * drawn.error + 1e-3)
    assert drawn.error > 0 and drawn.smallest == pytest.approx(max(2.0**-13, 1 / 20_001))


def test_equal_systems_have_p_one() -> None:
    counts = bootstrap.count(made(1, 0.6, units=20), CLASSES).confusion
    assert signflip.swap(counts, counts, "macro_f1", 50, 0).p == 1.0


@pytest.mark.parametrize("primary", COUNTED)
def test_only_the_primary_metric_is_tested_given_the_models(primary: str) -> None:
    pair = [paired.scored(made(k, 0.4 + 0.3 * k), CLASSES, SETTINGS) for k in (1, 0)]
    table = paired.compare(*pair, SETTINGS, primary=primary, unit="dialogue").set_index("metric")
    assert set(table.index[table["p_permutation"].notna()]) == {primary}
    assert set(table.index[table["effect"].notna()]) == {primary}
    assert set(table["covers"]) == {"dialogues+training"}
    assert table.loc["weighted_f1", "value"] == pytest.approx(f1(made(1, 0.7), "weighted"))


def test_the_effect_of_an_f1_is_that_of_the_jackknife_s_pseudo_values() -> None:
    frames, values = [made(1, 0.7), made(2, 0.4)], []
    for frame in frames:
        whole, names = f1(frame, "weighted"), sorted(frame["unit"].unique())
        values.append([6 * whole - 5 * f1(frame[frame["unit"] != name], "weighted") for name in names])
    pair = [paired.scored(frame, CLASSES, SETTINGS) for frame in frames]
    for own, expected in zip(pair, values, strict=True):
        assert own.shares("weighted_f1") == pytest.approx(np.array(expected))
    apart = np.subtract(*values)
    row = paired.compare(*pair, SETTINGS, primary="weighted_f1").set_index("metric").loc["weighted_f1"]
    correction = 1 - 3 / (4 * 5 - 1)
    assert row["effect"] == pytest.approx(correction * apart.mean() / apart.std(ddof=1))


def test_dialogues_are_drawn_whole_and_speakers_are_not() -> None:
    frame = made(3, 0.6)
    counts = bootstrap.count(frame, CLASSES)
    assert counts.units == [f"d{i:02d}" for i in range(6)]
    weights = bootstrap.draw(6, 50, 0)
    drawn = bootstrap.evaluate(counts, weights)["weighted_f1"]
    for times, found in zip(weights[:10].astype(int), drawn, strict=False):
        copied = pd.concat([frame[frame["unit"] == f"d{i:02d}"] for i in range(6) for _ in range(times[i])])
        for number, rows in copied.groupby("seed"):
            assert found[number] == pytest.approx(metrics.scores(rows, CLASSES)["weighted_f1"])
    renamed = frame.assign(speaker=frame["unit"]).drop(columns="unit")
    assert np.array_equal(bootstrap.count(renamed, CLASSES).confusion, counts.confusion)
    assert bootstrap.count(frame.drop(columns="unit"), CLASSES).units == ["s0", "s1", "s2"]


def test_two_systems_of_other_dialogues_are_not_paired() -> None:
    first, second = made(1, 0.7), made(2, 0.4)
    paired.check_paired(first, second, "a and b")
    with pytest.raises(Exception, match="not on the same clips"):
        paired.check_paired(first, second.assign(unit="d00"), "a and b")


def test_ranks_are_those_of_the_primary_metric() -> None:
    values = {"a": (0.9, 0.1), "b": (0.6, 0.5), "c": (0.3, 0.8)}  # UAR and weighted-F1
    rows = [
        (system, 0, fold, metric, value + 0.01 * fold)
        for system, both in values.items()
        for fold in (1, 2, 3)
        for metric, value in zip(("uar", "weighted_f1"), both, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["system", "seed", "fold", "metric", "value"])
    for primary, best in (("uar", 1.0), ("weighted_f1", 3.0)):
        _, pairs = ranks.ranks(table, 0.95, primary)
        assert pairs.set_index("system").loc["a", "rank"].iloc[0] == best
