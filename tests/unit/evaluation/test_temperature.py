"""Temperature scaling finds the temperature that spoilt the logits, and keeps the ranking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ugcl.inference import temperature


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@settings(max_examples=15, deadline=None)
@given(spoilt=st.floats(0.4, 4.0), seed=st.integers(0, 1000))
def test_the_fit_undoes_a_known_temperature(spoilt: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (4000, 5))
    truth = np.array([random.choice(5, p=p) for p in softmax(logits)])  # calibrated by construction
    found = temperature.fit(softmax(logits * spoilt), truth)
    assert found == pytest.approx(spoilt, rel=0.12)


@given(t=st.floats(0.25, 10), seed=st.integers(0, 1000))
def test_scaling_is_softmax_of_divided_logits_and_keeps_the_order(t: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 1, (6, 4))
    scaled = temperature.scale(softmax(logits), t)
    assert scaled == pytest.approx(softmax(logits / t), abs=1e-9)
    assert (scaled.argmax(1) == logits.argmax(1)).all()


def test_dev_clips_without_an_error_end_at_the_bound_and_the_loss_never_rises() -> None:
    p = np.full((8, 3), 0.1) + 0.7 * np.eye(3)[np.arange(8) % 3]
    row = temperature.fitted(0, 1, p, np.arange(8) % 3)
    assert row["temperature"] == pytest.approx(temperature.LOW, rel=1e-3)
    assert row["log_loss_scaled"] <= row["log_loss"]
