"""Intervals hold the truth and tests keep their level on made-up speakers, as often as they promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ugcl.evaluation.statistics import bootstrap, paired

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
    drawn = bootstrap.evaluate(counts, bootstrap.draw(len(counts.speakers), DRAWS, seed))["uar"]
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


@pytest.mark.parametrize("speakers", [6, 12, 24])
def test_equal_systems_differ_in_no_more_than_their_level(speakers: int) -> None:
    random, trials = np.random.default_rng(speakers), 800
    # Both do well on the same speakers, and each has speakers of its own that suit it.
    base = usual(random, trials, speakers)
    pair = [outcomes(base + random.normal(0, 0.06, base.shape), random) for _ in range(2)]
    (point, drawn), (other, other_drawn) = (uar(each, trials, 0) for each in pair)
    found = np.zeros(2)
    for trial in range(trials):
        own = [bootstrap.Counts(each.speakers, each.confusion[trial, None], {}) for each in pair]
        difference = np.subtract(*map(paired.speaker_contributions, own))
        assert difference.sum() == pytest.approx(point[trial, 0] - other[trial, 0])
        low, top = bootstrap.interval(
            point[trial] - other[trial], drawn[trial] - other_drawn[trial], 0.95, speakers
        )
        found += [paired.sign_flip(difference, 500, trial) <= 0.05, low > 0 or top < 0]
    permutation, outside = found / trials
    assert permutation <= 0.06
    assert 0.03 <= outside <= 0.07


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    random, trials, speakers, found = np.random.default_rng(2), 500, 12, 0
    spread = 0.02
    shift = paired.detectable(spread * np.sqrt(speakers), speakers - 1, 0.95)
    for trial in range(trials):
        differences = random.normal(shift / speakers, spread, speakers)
        found += paired.sign_flip(differences, 500, trial) <= 0.05
    assert 0.75 <= found / trials <= 0.85
