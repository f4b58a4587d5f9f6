"""Intervals hold the truth and tests keep their level on made-up speakers, as often as they promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ugcl.evaluation.statistics import bootstrap, paired, signflip

CLASSES = 4
CLIPS = 8
DRAWS = 400
Skill = Callable[[np.random.Generator, int, int], np.ndarray]


def usual(random: np.random.Generator, trials: int, speakers: int) -> np.ndarray:
    """Recalls, (trials, 1, speakers, classes): classes differ, and speakers (sd 0.12)."""
    return np.array([0.45, 0.5, 0.55, 0.6]) + random.normal(0, 0.12, (trials, 1, speakers, 1))


def high(random: np.random.Generator, trials: int, speakers: int) -> np.ndarray:
    """Most speakers are easy and a few are hard: mean 0.9, skewed."""
    return np.repeat(random.beta(9, 1, (trials, 1, speakers, 1)), CLASSES, axis=3)


def seeded(random: np.random.Generator, trials: int, speakers: int) -> np.ndarray:
    """Three seeds, (trials, 3, speakers, classes), that differ (sd 0.03), also by speaker."""
    noise = random.normal(0, 0.03, (trials, 3, 1, 1)) + random.normal(0, 0.03, (trials, 3, speakers, 1))
    return usual(random, trials, speakers) + noise


def outcomes(skill: np.ndarray, random: np.random.Generator) -> bootstrap.Counts:
    """Counts of clips that are right with the probability `skill`; trials and seeds stand side by side."""
    hits = random.binomial(CLIPS, np.clip(skill, 0, 1)).reshape(-1, *skill.shape[2:])
    confusion = np.zeros((*hits.shape, CLASSES + 1))
    for c in range(CLASSES):
        confusion[..., c, c] = hits[..., c]
        confusion[..., c, (c + 1) % CLASSES] = CLIPS - hits[..., c]
    return bootstrap.Counts([str(i) for i in range(hits.shape[1])], confusion, {})


def uar(counts: bootstrap.Counts, trials: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """UAR of each trial, (trials, seeds), and in its bootstrap draws, (trials, draws, seeds)."""
    point = bootstrap.evaluate(counts, bootstrap.once(counts))["uar"]
    drawn = bootstrap.evaluate(counts, bootstrap.draw(len(counts.units), DRAWS, seed))["uar"]
    return point.reshape(trials, -1), drawn.reshape(DRAWS, trials, -1).swapaxes(0, 1)


@pytest.mark.parametrize("speakers", [6, 12, 24])
@pytest.mark.parametrize(("skill", "truth"), [(usual, 0.525), (high, 0.9), (seeded, 0.525)])
def test_intervals_hold_the_true_recall_as_often_as_they_say(
    skill: Skill, truth: float, speakers: int
) -> None:
    random, held, trials = np.random.default_rng(speakers), 0, 100
    for batch in range(15):
        points, draws = uar(outcomes(skill(random, trials, speakers), random), trials, batch)
        for point, drawn in zip(points, draws, strict=True):
            low, top = bootstrap.interval(point, drawn, 0.95, speakers, "logit")
            held += low <= truth <= top
    assert 0.93 <= held / 1500 <= 0.97


def differences(
    random: np.random.Generator, trials: int, seeds: int, run_noise: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two equal systems on 24 speakers in six folds: points (trials, seeds), draws and folds left out."""
    fold = np.repeat(np.arange(6), 4)
    base = usual(random, trials, 24)
    values = []
    for _ in range(2):
        training = random.normal(0, run_noise, (trials, seeds, 6, 1))[:, :, fold]
        own = random.normal(0, 0.05, (trials, 1, 24, 1))
        counts = replace(outcomes(base + own + training, random), folds=fold)
        weights = bootstrap.once(counts), bootstrap.draw(24, DRAWS, 0), bootstrap.without_folds(counts)
        found = [
            bootstrap.evaluate(counts, each)["uar"].reshape(len(each), trials, seeds) for each in weights
        ]
        values.append([found[0][0], found[1].swapaxes(0, 1), found[2].swapaxes(0, 1)])
    return tuple(one - other for one, other in zip(*values, strict=True))


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("run_noise", [0.0, 0.05])
def test_the_test_keeps_its_level_when_a_fold_s_speakers_share_the_noise_of_training(
    seeds: int, run_noise: float
) -> None:
    random, trials = np.random.default_rng(11), 2000
    found = zip(*differences(random, trials, seeds, run_noise), strict=True)
    ours, given_models = np.zeros(trials, dtype=bool), np.zeros(trials, dtype=bool)
    for i, (point, drawn, left_out) in enumerate(found):
        error, freedom = bootstrap.standard_error(point, drawn, 24, left_out)
        ours[i] = paired.student_p(point.mean(), error, freedom) < 0.05
        known = bootstrap.standard_error(point.mean(keepdims=True), drawn.mean(1, keepdims=True), 24)
        given_models[i] = paired.student_p(point.mean(), *known) < 0.05
    assert 0.02 <= ours.mean() <= 0.063
    if run_noise:
        assert given_models.mean() > 0.08


@pytest.mark.parametrize("speakers", [6, 12, 24])
def test_equal_systems_differ_in_no_more_than_their_level(speakers: int) -> None:
    random, trials = np.random.default_rng(speakers), 800
    # Both do well on the same speakers, and each has speakers of its own that suit it.
    base = usual(random, trials, speakers)
    pair = [outcomes(base + random.normal(0, 0.06, base.shape), random) for _ in range(2)]
    (point, drawn), (other, other_drawn) = (uar(each, trials, 0) for each in pair)
    hits = [np.einsum("tpcc->tpc", each.confusion[..., :-1]).astype(int) for each in pair]
    support = np.full(CLASSES, CLIPS * speakers)
    found = np.zeros(2)
    for trial in range(trials):
        difference = hits[0][trial] - hits[1][trial]
        assert (difference / support).sum() / CLASSES == pytest.approx(point[trial, 0] - other[trial, 0])
        low, top = bootstrap.interval(
            point[trial] - other[trial], drawn[trial] - other_drawn[trial], 0.95, speakers
        )
        p = signflip.sign_flip(difference, support, 500, trial).p
        found += [p <= 0.05, low > 0 or top < 0]
    permutation, outside = found / trials
    assert permutation <= 0.06
    assert 0.03 <= outside <= 0.07


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    random, trials, speakers, found = np.random.default_rng(2), 500, 12, 0
    spread = 0.02
    shift = paired.detectable(spread / np.sqrt(speakers), speakers - 1, 0.95)
    for _ in range(trials):
        values = random.normal(shift, spread, speakers)
        error = values.std(ddof=1) / np.sqrt(speakers)
        found += paired.student_p(values.mean(), error, speakers - 1) <= 0.05
    assert 0.75 <= found / trials <= 0.85
