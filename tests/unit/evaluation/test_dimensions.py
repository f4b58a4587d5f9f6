"""Scores of valence, arousal and dominance agree with their formulae, and reach the score table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import dimensions
from ugcl.evaluation.tables.score import score_table


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40))
def test_scores_follow_their_formulae(seed: int, clips: int) -> None:
    random = np.random.default_rng(seed)
    truth, estimate = random.normal(3, 1, clips), random.normal(2, 2, clips)
    covariance = np.mean((truth - truth.mean()) * (estimate - estimate.mean()))
    ccc = 2 * covariance / (truth.var() + estimate.var() + (truth.mean() - estimate.mean()) ** 2)
    assert dimensions.ccc(truth, estimate) == pytest.approx(ccc)
    assert dimensions.pearson(truth, estimate) == pytest.approx(stats.pearsonr(truth, estimate).statistic)
    assert dimensions.rmse(truth, estimate) == pytest.approx(np.sqrt(np.mean((truth - estimate) ** 2)))


def test_a_constant_estimate_agrees_with_nothing() -> None:
    truth, constant = np.array([1.0, 2.0, 3.0]), np.full(3, 2.0)
    assert dimensions.ccc(truth, constant) == 0
    assert np.isnan(dimensions.pearson(truth, constant))


def test_estimated_dimensions_become_rows_beside_the_classes_and_gaps_are_left_out() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"seed": 0, "fold": 1, "clip": [f"c{i}" for i in range(20)]})
    frame = frame.assign(speaker=[f"s{i % 4}" for i in range(20)], label="happy", predicted="happy")
    frame = frame.assign(valence=random.normal(size=20), valence_estimate=random.normal(size=20))
    frame.loc[3, "valence_estimate"] = np.nan
    rows = score_table(frame, ["happy", "sad"], Evaluate(bootstrap=100))
    rows = rows[rows["scope"] == "pooled"].set_index("metric")["value"]
    whole = frame.dropna()
    expected = stats.pearsonr(whole["valence"], whole["valence_estimate"]).statistic
    assert rows["valence_pearson"] == pytest.approx(expected)
    assert not [name for name in rows.index if name.startswith("arousal")]
