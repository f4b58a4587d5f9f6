"""The speaker bootstrap counts as scikit-learn does, and intervals hold the truth as they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ugcl.evaluation.statistics import bootstrap, metrics
from ugcl.plan import names

CLASSES = ["angry", "sad", "fear"]


def made(seed: int, seeds: int = 2, speakers: int = 5, clips: int = 30) -> pd.DataFrame:
    """Random predictions of some seeds on the same clips."""
    random = np.random.default_rng(seed)
    who = random.integers(0, speakers, clips)
    truth = random.integers(0, len(CLASSES), clips)
    votes = random.dirichlet(np.ones(len(CLASSES)), clips)
    votes[::7] = np.nan
    parts = []
    for number in range(seeds):
        # Two digits: probabilities tie, as those of a file may.
        p = random.dirichlet(np.ones(len(CLASSES)), clips).round(2) + 0.01
        p /= p.sum(1, keepdims=True)
        frame = pd.DataFrame({"seed": number, "speaker": [f"s{i}" for i in who]})
        frame["label"] = [CLASSES[i] for i in truth]
        frame["predicted"] = [CLASSES[i] for i in p.argmax(1)]
        frame = frame.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(CLASSES)})
        parts.append(frame.assign(**{f"q_{name}": votes[:, i] for i, name in enumerate(CLASSES)}))
    return pd.concat(parts, ignore_index=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 3), min_size=5, max_size=5).filter(any))
def test_a_draw_scores_as_if_the_drawn_speakers_were_copied(seed: int, times: list[int]) -> None:
    frame = made(seed)
    counts = bootstrap.count(frame, CLASSES)
    weights = np.array([times[: len(counts.units)]], dtype=float)
    if not weights.any():
        return
    found = bootstrap.evaluate(counts, weights)
    copies = []
    for name, n in zip(counts.units, weights[0].astype(int), strict=True):
        copies += [frame[frame["speaker"] == name]] * n
    copied = pd.concat(copies)
    for number, rows in copied.groupby("seed"):
        expected = metrics.scores(rows, CLASSES)
        for name, values in found.items():
            assert values[0, number] == pytest.approx(expected.get(name, np.nan), nan_ok=True), name
    assert set(found) == set(names.METRICS) - {"ece"}


def test_draws_are_the_same_each_time_and_keep_the_number_of_speakers() -> None:
    first = bootstrap.draw(7, 50, 3)
    bootstrap._drawn.cache_clear()
    assert np.array_equal(first, bootstrap.draw(7, 50, 3))
    assert (first.sum(1) == 7).all()
    assert not np.array_equal(first, bootstrap.draw(7, 50, 4))
    assert not np.array_equal(first, bootstrap.draw(7, 50, 3, stream=1))


def runs(seeds: int, folds: int, each: int, random: np.random.Generator) -> pd.DataFrame:
    """Speakers of equally many clips in folds; every run has a skill of its own."""
    rows = []
    for seed in range(seeds):
        for fold in range(folds):
            right = random.random((each, 3, 10)) < random.uniform(0.3, 0.8)
            for speaker, c, clip in np.ndindex(right.shape):
                guess = CLASSES[c] if right[speaker, c, clip] else CLASSES[(c + 1) % 3]
                rows.append((seed, fold, f"f{fold}s{speaker}", CLASSES[c], guess))
    return pd.DataFrame(rows, columns=["seed", "fold", "speaker", "label", "predicted"])


def error_of(frame: pd.DataFrame, metric: str = "uar") -> tuple[float, float]:
    counts = bootstrap.count(frame, CLASSES)
    weights = bootstrap.draw(len(counts.units), 20_000, 0)
    parts = bootstrap.once(counts), weights, bootstrap.without_folds(counts)
    point, drawn, left_out = (bootstrap.evaluate(counts, part)[metric] for part in parts)
    return bootstrap.standard_error(point[0], drawn, len(counts.units), left_out)


def test_one_seed_is_judged_by_the_variance_between_folds() -> None:
    frame = runs(1, 5, 4, np.random.default_rng(0))
    right = (frame["label"] == frame["predicted"]).groupby(frame["fold"]).mean()
    # Folds of one size and balanced classes: UAR is the mean of the folds' accuracies.
    assert error_of(frame) == pytest.approx((right.std() / np.sqrt(5), 4))


def test_several_seeds_are_judged_by_speakers_and_by_runs() -> None:
    frame = runs(3, 5, 4, np.random.default_rng(3))
    right = (frame["label"] == frame["predicted"]).groupby([frame["seed"], frame["fold"], frame["speaker"]])
    table = right.mean().unstack("seed")
    speakers = table.mean(1).var() / 20
    apart = table.sub(table.mean(1), axis=0)
    noise = apart.var().sum() / 2 / 20
    per_fold = table.groupby("fold").mean()
    between = per_fold.sub(per_fold.mean(1), axis=0)
    # Runs of a fold about their mean, each seed's own mean over folds taken out: 2 · 4 degrees of freedom.
    residual = between.sub(between.mean(), axis=1)
    by_run = np.square(residual).to_numpy().sum() / (2 * 4) / 5
    by_seed = table.mean().var()
    assert by_run > by_seed
    training = max(0, by_run - noise) / 3
    freedom = (speakers + training) ** 2 / (speakers**2 / 19 + training**2 / 8)
    assert error_of(frame) == pytest.approx((np.sqrt(speakers + training), freedom), rel=0.02)


def test_folds_are_unknown_where_a_speaker_is_in_several_or_the_table_has_none() -> None:
    frame = runs(1, 4, 2, np.random.default_rng(0))
    assert bootstrap.without_folds(bootstrap.count(frame, CLASSES)).shape == (4, 8)
    assert bootstrap.count(frame.drop(columns="fold"), CLASSES).folds is None
    assert (
        bootstrap.count(frame.assign(fold=frame["speaker"].ne("f0s0") | frame.index % 2), CLASSES).folds
        is None
    )


def test_the_interval_of_a_normal_estimate_is_student_s() -> None:
    n, error = 8, 0.05
    # A bootstrap of n clusters has the variance (n − 1) / n of the one wanted.
    drawn = np.random.default_rng(0).normal(0.6, error * np.sqrt((n - 1) / n), (200_000, 1))
    low, high = bootstrap.interval(np.array([0.6]), drawn, 0.95, n)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, n - 1, 0.6, error), abs=1e-3)
    inside = bootstrap.interval(np.array([0.6]), drawn, 0.95, n, "logit")
    half = stats.t.ppf(0.975, n - 1) * error / 0.24
    expected = 1 / (1 + np.exp(-(np.log(1.5) + np.array([-half, half]))))
    assert inside == pytest.approx(tuple(expected), abs=1e-3)


def test_seeds_widen_the_interval_by_what_their_speakers_noise_does_not_explain() -> None:
    random = np.random.default_rng(1)
    apart = np.array([0.5, 0.6, 0.7])
    shared = random.normal(0, 0.01, (50_000, 1))
    error, freedom = bootstrap.standard_error(apart, apart + shared, clusters=10)
    # The draws move the three seeds alike, so all of their variance, 0.01, is the seeds' own.
    assert error**2 == pytest.approx(10 / 9 * 0.01**2 + 0.01 / 3, rel=0.01)
    assert 2 < freedom < 3
    each = random.normal(0, 0.1, (50_000, 3))
    error, freedom = bootstrap.standard_error(apart, apart + each, clusters=10)
    # The draws move each seed by as much as they are apart: no variance is left for the seeds.
    assert error**2 == pytest.approx(10 / 9 * 0.1**2 / 3, rel=0.02)
    assert freedom == pytest.approx(9)


@pytest.mark.parametrize(("value", "scale"), [(0.97, "logit"), (0.02, "logit"), (0.03, "log")])
def test_the_interval_stays_where_the_metric_lives(value: float, scale: str) -> None:
    drawn = np.random.default_rng(0).normal(value, 0.05, (1000, 1))
    low, high = bootstrap.interval(np.array([value]), drawn, 0.95, 6, scale)
    assert 0 < low < value < high and (scale == "log" or high < 1)


def test_one_speaker_gives_no_interval_and_no_spread_an_interval_of_one_point() -> None:
    assert np.isnan(bootstrap.interval(np.ones(1), np.ones((5, 1)), 0.95, clusters=1)).all()
    same = np.full((50, 1), 1 / 6) + 1e-17
    assert bootstrap.interval(np.full(1, 1 / 6), same, 0.95, 9, "logit") == pytest.approx((1 / 6, 1 / 6))


def test_a_mean_gets_student_s_interval() -> None:
    # One clip a speaker: WAR is a mean of n values, for which Student's interval is the textbook answer.
    correct = np.array([1] * 60 + [0] * 40)
    frame = pd.DataFrame({"seed": 0, "speaker": [f"{i:03d}" for i in range(100)], "label": "angry"})
    frame["predicted"] = np.where(correct, "angry", "sad")
    drawn = bootstrap.evaluate(bootstrap.count(frame, CLASSES), bootstrap.draw(100, 20000, 0))["war"]
    found = bootstrap.interval(np.array([0.6]), drawn, 0.95, 100)
    expected = stats.t.interval(0.95, 99, loc=0.6, scale=stats.sem(correct))
    assert found == pytest.approx(expected, abs=0.002)
