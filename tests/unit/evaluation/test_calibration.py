"""The ECE's band is that of a calibrated system, and scaling is that of `predict`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import calibration, metrics

CLASSES = ["angry", "sad", "fear", "happy"]
SETTINGS = Evaluate(bins=10)


def predictions(clips: int, seeds: int, sharpness: float, random: np.random.Generator) -> pd.DataFrame:
    """Predictions whose labels are drawn from softmax(z); the table says softmax(sharpness · z)."""
    parts = []
    for seed in range(seeds):
        z = random.normal(0, 1.5, (clips, len(CLASSES)))
        true, said = (np.exp(k * z) / np.exp(k * z).sum(1, keepdims=True) for k in (1.0, sharpness))
        label = [CLASSES[c] for c in (true.cumsum(1) < random.random((clips, 1))).sum(1).clip(max=3)]
        frame = pd.DataFrame(said, columns=[f"p_{name}" for name in CLASSES])
        frame["label"], frame["predicted"] = label, [CLASSES[c] for c in said.argmax(1)]
        parts.append(frame.assign(seed=seed, fold=np.arange(clips) % 2, speaker="a"))
    return pd.concat(parts, ignore_index=True)


def test_the_band_is_what_calibrated_labels_give() -> None:
    random = np.random.default_rng(0)
    frame = predictions(300, 1, 1.0, random)
    p = metrics.probabilities(frame, CLASSES)
    drawn = []
    for _ in range(1500):
        right = random.random(len(p)) < p.max(1)
        truth = np.where(right, p.argmax(1), (p.argmax(1) + 1) % len(CLASSES))
        drawn.append(metrics.ece(truth, p.argmax(1), p, SETTINGS.bins))
    found = calibration.calibrated(frame, CLASSES, SETTINGS)
    assert found == pytest.approx((np.mean(drawn), *np.quantile(drawn, [0.025, 0.975])), rel=0.06)


def test_a_calibrated_system_lies_in_its_band_and_an_overconfident_one_above() -> None:
    random, inside = np.random.default_rng(1), 0
    for _ in range(200):
        frame = predictions(200, 1, 1.0, random)
        _, low, high = calibration.calibrated(frame, CLASSES, SETTINGS)
        inside += low <= metrics.scores(frame, CLASSES, SETTINGS.bins)["ece"] <= high
    assert 0.90 <= inside / 200 <= 0.99
    frame = predictions(200, 1, 3.0, random)
    assert (
        metrics.scores(frame, CLASSES, SETTINGS.bins)["ece"]
        > calibration.calibrated(frame, CLASSES, SETTINGS)[2]
    )


def test_the_scaled_ece_is_that_of_each_run_at_its_temperature() -> None:
    frame = predictions(240, 2, 2.0, np.random.default_rng(2))
    temperatures = {(0, 0): 2.0, (0, 1): 1.5, (1, 0): 0.5}
    rows = calibration.errors(frame, CLASSES, SETTINGS, temperatures).set_index("metric")
    names = [f"p_{name}" for name in CLASSES]
    expected = []
    for seed, part in frame.groupby("seed"):
        t = np.array([temperatures.get((seed, fold), 1.0) for fold in part["fold"]])
        p = part[names].to_numpy() ** (1 / t[:, None])
        scaled = part.assign(**dict(zip(names, (p / p.sum(1, keepdims=True)).T, strict=True)))
        expected.append(metrics.scores(scaled, CLASSES, SETTINGS.bins)["ece"])
    assert rows.loc["ece_scaled", "value"] == pytest.approx(np.mean(expected))
    assert rows.loc["ece_calibrated", "ci_low"] < rows.loc["ece_calibrated", "value"]
    assert list(calibration.errors(frame, CLASSES, SETTINGS, {})["metric"]) == ["ece_calibrated"]
