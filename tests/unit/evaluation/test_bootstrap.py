"""The speaker bootstrap counts as scikit-learn does, and intervals hold the truth as they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ugcl.evaluation import bootstrap, metrics

CLASSES = ["angry", "sad", "fear"]


def made(seed: int, seeds: int = 2, speakers: int = 5, clips: int = 30) -> pd.DataFrame:
    """Random predictions of some seeds on the same clips."""
    random = np.random.default_rng(seed)
    who = random.integers(0, speakers, clips)
    truth = random.integers(0, len(CLASSES), clips)
    parts = []
    for number in range(seeds):
        p = random.dirichlet(np.ones(len(CLASSES)), clips)
        frame = pd.DataFrame({"seed": number, "speaker": [f"s{i}" for i in who]})
        frame["label"] = [CLASSES[i] for i in truth]
        frame["predicted"] = [CLASSES[i] for i in p.argmax(1)]
        parts.append(frame.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(CLASSES)}))
    return pd.concat(parts, ignore_index=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 3), min_size=5, max_size=5).filter(any))
def test_a_draw_scores_as_if_the_drawn_speakers_were_copied(seed: int, times: list[int]) -> None:
    frame = made(seed)
    counts = bootstrap.count(frame, CLASSES)
    weights = np.array([times[: len(counts.speakers)]], dtype=float)
    if not weights.any():
        return
    found = bootstrap.evaluate(counts, weights)
    copies = []
    for name, n in zip(counts.speakers, weights[0].astype(int), strict=True):
        copies += [frame[frame["speaker"] == name]] * n
    copied = pd.concat(copies)
    each = pd.DataFrame([metrics.scores(rows, CLASSES) for _, rows in copied.groupby("seed")]).mean()
    for name, values in found.items():
        assert values[0] == pytest.approx(each[name]), name
    assert set(found) == set(metrics.METRICS) - {"ece"}


def test_draws_are_the_same_each_time_and_keep_the_number_of_speakers() -> None:
    first, second = bootstrap.draw(7, 50, 3), bootstrap.draw(7, 50, 3)
    assert np.array_equal(first, second)
    assert (first.sum(1) == 7).all()
    assert not np.array_equal(first, bootstrap.draw(7, 50, 4))


def test_the_interval_nears_the_percentiles_as_speakers_grow() -> None:
    values = np.random.default_rng(0).normal(size=20000)
    low, high = bootstrap.interval(values, 0.95, clusters=10**6)
    assert (low, high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-3)
    narrow = bootstrap.interval(values, 0.95, clusters=10)
    assert narrow[0] < low and narrow[1] > high


def test_one_speaker_gives_no_interval() -> None:
    assert np.isnan(bootstrap.interval(np.ones(5), 0.95, clusters=1)).all()


def test_a_mean_gets_an_interval_near_student_s() -> None:
    # One clip a speaker: WAR is a mean of n values, for which Student's interval is the textbook answer.
    correct = np.array([1] * 60 + [0] * 40)
    frame = pd.DataFrame({"seed": 0, "speaker": [f"{i:03d}" for i in range(100)], "label": "angry"})
    frame["predicted"] = np.where(correct, "angry", "sad")
    drawn = bootstrap.evaluate(bootstrap.count(frame, CLASSES), bootstrap.draw(100, 5000, 0))["war"]
    found = bootstrap.interval(drawn, 0.95, 100)
    expected = stats.t.interval(0.95, 99, loc=0.6, scale=stats.sem(correct))
    assert found == pytest.approx(expected, abs=0.012)


def test_intervals_cover_the_true_recall_with_few_correlated_speakers() -> None:
    random = np.random.default_rng(11)
    speakers, clips, trials, held = 12, 4, 200, 0
    truth = np.array([0.45, 0.55, 0.65])
    for trial in range(trials):
        skill = np.clip(truth + random.normal(0, 0.12, (speakers, 1)), 0, 1)
        hits = random.binomial(clips, skill)
        confusion = np.zeros((1, speakers, 3, 4))
        for c in range(3):
            confusion[0, :, c, c] = hits[:, c]
            confusion[0, :, c, (c + 1) % 3] = clips - hits[:, c]
        counts = bootstrap.Counts([str(i) for i in range(speakers)], confusion, {})
        uar = bootstrap.evaluate(counts, bootstrap.draw(speakers, 400, trial))["uar"]
        low, high = bootstrap.interval(uar, 0.95, speakers)
        held += low <= truth.mean() <= high
    # Resampling clips instead of speakers holds it far less often; 0.90 is three standard errors below 0.95.
    assert 0.90 <= held / trials <= 0.995
