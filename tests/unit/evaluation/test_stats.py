"""Paired tests agree with enumeration and with the libraries."""

from __future__ import annotations

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.power import TTestPower

from ugcl.config.report import Evaluate
from ugcl.errors import UgclError
from ugcl.evaluation.statistics import metrics, paired, ranks

CLASSES = ["angry", "sad", "fear"]
QUICK = Evaluate(bootstrap=200, permutations=2000)


def made(seed: int, skill: float = 0.5, clips: int = 60) -> pd.DataFrame:
    """Predictions on fixed clips whose accuracy is about `skill`."""
    clip = np.arange(clips)
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"seed": 0, "fold": clip % 3, "clip": [f"c{i:03d}" for i in clip]})
    frame["speaker"] = [f"s{i % 6}" for i in clip]
    frame["label"] = [CLASSES[(i // 6) % 3] for i in clip]
    guess = random.choice(CLASSES, clips)
    frame["predicted"] = np.where(random.random(clips) < skill, frame["label"], guess)
    return frame.sort_values(["seed", "fold", "clip"], ignore_index=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_speakers_contributions_add_up_to_uar(seed: int) -> None:
    frame = made(seed)
    found = paired.scored(frame, CLASSES, QUICK).contributions.sum()
    assert found == pytest.approx(metrics.scores(frame, CLASSES)["uar"])


@pytest.mark.parametrize(("b", "c"), [(1, 6), (10, 3), (0, 5), (2, 3)])
def test_mcnemar_mid_p_is_the_binomial_tail_with_half_the_point(b: int, c: int) -> None:
    first = np.array([True] * b + [False] * c + [True] * 4)
    second = np.array([False] * b + [True] * c + [True] * 4)
    n, k = b + c, min(b, c)
    expected = 2 * (sum(comb(n, i) for i in range(k)) + comb(n, k) / 2) / 2**n
    assert paired.mcnemar_mid_p(first, second) == pytest.approx(expected)


def test_mcnemar_mid_p_of_a_tie_and_of_agreement() -> None:
    first, second = np.array([True, True, False, False]), np.array([False, False, True, True])
    assert paired.mcnemar_mid_p(first, second) == pytest.approx(1 - comb(4, 2) / 2**4 / 2)
    assert paired.mcnemar_mid_p(first, first) == 1.0


def test_holm_by_hand_and_with_gaps() -> None:
    assert paired.holm(np.array([0.01, 0.04, np.nan, 0.03])) == pytest.approx(
        [0.03, 0.06, np.nan, 0.06], nan_ok=True
    )
    assert np.isnan(paired.holm(np.array([np.nan]))).all()


def compared(system: pd.DataFrame, reference: pd.DataFrame, names: str = "") -> pd.DataFrame:
    pair = [paired.scored(frame, CLASSES, QUICK) for frame in (system, reference)]
    return paired.compare(*pair, QUICK, names)


def test_a_better_system_differs_and_the_reference_does_not_from_itself() -> None:
    good, bad = made(1, 0.9), made(2, 0.2)
    table = compared(good, bad).set_index("metric")
    expected = metrics.scores(good, CLASSES)["uar"] - metrics.scores(bad, CLASSES)["uar"]
    assert table.loc["uar", "difference"] == pytest.approx(expected)
    assert table.loc["uar", "ci_low"] > 0
    # Six speakers have 64 sign patterns: two of them at least are as extreme.
    assert table.loc["uar", ["p_permutation", "p_smallest", "p_error"]].tolist() == [2 / 64, 2 / 64, 0]
    assert table.loc["war", "p_mcnemar"] < 0.001
    same = compared(good, good).set_index("metric")
    assert (same["difference"] == 0).all() and same.loc["uar", "p_permutation"] == 1.0


def test_p_is_small_where_and_only_where_the_interval_leaves_out_zero() -> None:
    rows = []
    for seed in range(40):
        pair = [seeds_of(made, seed + 100 * i, 0.5 + 0.04 * i * (seed % 5)) for i in range(2)]
        rows.append(compared(*pair))
    table = pd.concat(rows)
    outside = (table["ci_low"] > 0) | (table["ci_high"] < 0)
    assert 5 < outside.sum() < len(table) - 5
    assert (outside == (table["p"] < 0.05)).all()


def seeds_of(make, first: int, skill: float) -> pd.DataFrame:
    return pd.concat([make(first + 1000 * s, skill).assign(seed=s) for s in range(2)], ignore_index=True)


def test_a_difference_without_any_spread_has_no_p_and_no_interval() -> None:
    assert np.isnan(paired.student_p(0.25, 0.0, 3)) and paired.student_p(0.0, 0.0, 3) == 1
    right, wrong = made(1, 1.0), made(1, 1.0)
    wrong["predicted"] = np.roll(CLASSES, 1)[[CLASSES.index(name) for name in wrong["label"]]]
    row = compared(right, wrong).set_index("metric").loc["uar"]
    assert row["difference"] == 1 and row[["ci_low", "ci_high", "p"]].isna().all()


def test_what_an_inference_covers_is_named() -> None:
    alone = [made(seed).assign(fold=lambda f: f["speaker"]) for seed in (1, 2)]
    assert set(compared(*alone)["covers"]) == {"speakers+training"}
    three_folds = compared(made(1), made(2))
    mixed = compared(*(made(seed).assign(fold=lambda f: f.index % 5) for seed in (1, 2)))
    assert set(three_folds["covers"]) == set(mixed["covers"]) == {"speakers"}
    seeds = compared(*(seeds_of(made, seed, 0.5).assign(fold=0) for seed in (1, 2)))
    assert set(seeds["covers"]) == {"speakers+training"}


def test_systems_on_other_clips_are_refused() -> None:
    other = made(2)
    other.loc[0, "clip"] = "elsewhere"
    with pytest.raises(UgclError, match="same clips"):
        compared(made(1), other, "demo: a and b")


def test_friedman_needs_three_systems_and_orders_ranks() -> None:
    folds = pd.DataFrame({"a": [0.9, 0.8, 0.7, 0.9], "b": [0.5, 0.6, 0.5, 0.6], "c": [0.1, 0.2, 0.1, 0.3]})
    statistic, p = ranks.friedman(folds)
    assert statistic == pytest.approx(8.0) and p == pytest.approx(np.exp(-4))
    assert ranks.friedman(folds[["a", "b"]]) is None
    table = ranks.nemenyi(folds)
    assert table.loc["a", "c"] < table.loc["a", "b"] < 1


@pytest.mark.parametrize(("systems", "folds", "q"), [(2, 10, 1.960), (4, 14, 2.569), (10, 30, 3.164)])
def test_the_critical_difference_follows_the_published_table(systems: int, folds: int, q: float) -> None:
    # q of Demšar 2006, table 5(a), alpha 0.05.
    expected = q * np.sqrt(systems * (systems + 1) / (6 * folds))
    assert ranks.critical_difference(systems, folds) == pytest.approx(expected, rel=1e-3)


def test_pairs_beyond_the_critical_difference_are_nemenyi_s() -> None:
    random = np.random.default_rng(3)
    rows = [
        (system, 0, fold, "uar", 0.5 + 0.1 * i + random.normal(0, 0.05))
        for fold in range(8)
        for i, system in enumerate("abcd")
    ]
    frame = pd.DataFrame(rows, columns=["system", "seed", "fold", "metric", "value"])
    overall, pairs = ranks.ranks(frame)
    assert overall["p"].item() < 0.05 and len(pairs) == 6
    beyond = (pairs["rank"] - pairs["other_rank"]).abs() > overall["critical_difference"].item()
    assert beyond.any() and (beyond == (pairs["p"] < 0.05)).all()
    assert pairs.set_index(["system", "other"]).loc[("a", "d"), "rank"] > 3


def test_effect_size_and_its_interval_agree_with_the_t_test() -> None:
    differences = np.array([0.03, -0.01, 0.02, 0.05, 0.011, 0.04, 0.0])
    test = scipy_stats.ttest_1samp(differences, 0)
    g, low, high = paired.effect_size(differences, 0.95)
    assert g == pytest.approx((1 - 3 / 23) * test.statistic / np.sqrt(7))
    assert low < g < high
    # At the level 1 − p the interval just touches zero.
    assert paired.effect_size(differences, 1 - test.pvalue)[1] == pytest.approx(0, abs=1e-6)
    assert paired.effect_size(-differences, 0.95) == pytest.approx((-g, -high, -low))
    assert np.isnan(paired.effect_size(np.zeros(7), 0.95)).all()


@pytest.mark.parametrize("speakers", [3, 6, 24, 91])
def test_the_detectable_difference_is_that_of_the_power_calculation(speakers: int) -> None:
    d = TTestPower().solve_power(nobs=speakers, alpha=0.05, power=0.8)
    assert paired.detectable(0.01, speakers - 1, 0.95) == pytest.approx(
        0.01 * np.squeeze(d) * np.sqrt(speakers), rel=1e-4
    )


def test_the_detectable_difference_needs_three_speakers() -> None:
    assert np.isnan(paired.detectable(0.01, 1, 0.95))
