"""The sign-flip test against enumeration in fractions: equal sums are equal, few speakers exact."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ugcl.evaluation.statistics import signflip


def enumerated(differences: np.ndarray, support: np.ndarray) -> Fraction:
    """Share of all sign patterns at least as extreme as the observed one, in fractions."""
    own = [sum(Fraction(int(d), int(n)) for d, n in zip(row, support, strict=True)) for row in differences]
    observed = abs(sum(own))
    signs = list(product((1, -1), repeat=len(own)))
    return Fraction(
        sum(abs(sum(s * d for s, d in zip(each, own, strict=True))) >= observed for each in signs), len(signs)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=n, max_size=n)
    ),
    st.lists(st.integers(1, 97), min_size=3, max_size=3),
)
def test_few_speakers_give_the_p_of_all_patterns(differences, support) -> None:
    d, n = np.array(differences), np.array(support)
    found = signflip.sign_flip(d, n, 100, 0)
    assert found.p == pytest.approx(float(enumerated(d, n)), rel=1e-12)
    assert found.error == 0 and found.smallest == 2.0 ** (1 - len(d))


def test_a_difference_of_exactly_zero_has_p_one() -> None:
    # In floating point three thirds less seven sevenths are not zero.
    d, n = np.array([[1, 0]] * 3 + [[0, -1]] * 7), np.array([3, 7])
    assert sum(row @ (1 / n) for row in d) != 0
    assert signflip.sign_flip(d, n, 100, 0).p == 1.0
    assert signflip.sign_flip(np.zeros((9, 2), int), n, 100, 0).p == 1.0


def test_scipy_s_exact_permutation_test_agrees() -> None:
    random = np.random.default_rng(4)
    d, n = random.integers(-4, 6, (12, 4)), np.array([31, 17, 23, 29])
    expected = stats.permutation_test(
        (d @ (1 / n),), np.sum, permutation_type="samples", vectorized=True, n_resamples=5000
    )
    assert signflip.sign_flip(d, n, 100, 0).p == pytest.approx(expected.pvalue)


def test_five_speakers_cannot_be_below_one_in_sixteen() -> None:
    best = signflip.sign_flip(np.ones((5, 2), int), np.array([8, 8]), 1000, 0)
    assert best.p == best.smallest == 1 / 16


@pytest.mark.parametrize("shape", [24, 40])
def test_halves_and_convolution_agree_with_each_other_and_the_normal_limit(shape: int) -> None:
    random = np.random.default_rng(shape)
    units = [int(v) for v in random.integers(-30, 40, shape) if v]
    observed, total = abs(sum(units)), sum(map(abs, units))
    halves = signflip._counted(units, observed, np.int64)
    assert signflip._convolved(units, observed, total) == pytest.approx(halves, rel=1e-9)
    limit = 2 * stats.norm.sf(observed / np.sqrt(np.square(units).sum()))
    assert halves == pytest.approx(limit, abs=0.02)


def test_many_speakers_of_a_balanced_corpus_are_exact() -> None:
    d = np.random.default_rng(1).integers(-3, 4, (91, 6))
    found = signflip.sign_flip(d, np.full(6, 100), 100, 0)
    spread = np.sqrt(np.square(d.sum(1)).sum())
    # The sums are of one parity, two apart: half a step is the correction for continuity.
    assert found.error == 0 and found.p == pytest.approx(
        2 * stats.norm.sf((abs(d.sum()) - 1) / spread), abs=0.003
    )


def test_drawn_patterns_come_near_the_exact_p_and_say_how_near() -> None:
    random = np.random.default_rng(7)
    d, n = random.integers(-2, 4, (24, 3)), np.array([7, 11, 13])
    exact = signflip.sign_flip(d, n, 100, 0).p
    p = signflip._drawn(d, n, 200_000, 0)
    assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 200_000))


def test_ties_are_counted_among_drawn_patterns_too() -> None:
    # All 2 ** 45 patterns of a single differing speaker are ties with the observed sum.
    d = np.zeros((45, 6), int)
    d[3] = [1, 0, 0, 0, 0, 0]
    assert signflip._drawn(d, np.array([1271, 1269, 1270, 1268, 1087, 997]), 2000, 0) == 1.0


def test_a_large_corpus_of_uneven_classes_is_drawn_with_its_error() -> None:
    d = np.random.default_rng(2).integers(-3, 5, (91, 6))
    n = np.array([1271, 1269, 1270, 1267, 1087, 1277])
    found = signflip.sign_flip(d, n, 100_000, 0)
    assert found.error == pytest.approx(np.sqrt(found.p * (1 - found.p) / 100_000))
    assert found.smallest == 1 / 100_001
