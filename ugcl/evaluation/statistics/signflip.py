"""The sign-flip test of two systems on the same speakers, on whole numbers and exact where it can be.

If two trained systems are exchangeable, swapping their outputs on a speaker only turns the sign of that
speaker's difference. The statistic is the difference in UAR, Σ_p Σ_c d_pc / (C · n_c), where d_pc is by how
many more clips of class c of speaker p, over all seeds, the first system is right, and n_c is the number of
clips of the class. With a common denominator of the n_c it is a sum of one whole number per speaker, so that
equal sums are found equal.

Where dialogues are the unit (`intervals: dialogue`), they stand in the speakers' place. An F1 is not a sum
over clips: two systems are then compared in it by :func:`swap`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, lcm

import numpy as np

from ugcl.evaluation.statistics import metrics

CONVOLVED = 500_000
"""Largest sum of the speakers' whole numbers for which the distribution is made by convolution."""

HALVES = {np.int64: 40, object: 30}
"""Most speakers whose sign patterns are counted in two halves, by type of the sums."""

BATCH = 50_000
SWAPS = 100_000
"""Most patterns that :func:`swap` draws: each needs both scores anew. p is then known to .0007 at .05."""
EXACT = 16
"""Most units of which :func:`swap` counts every pattern."""
NEAR = 1e-12
"""Scores that differ by less are equal: rounding of sums of ratios."""


@dataclass(frozen=True)
class SignFlip:
    """A test's result.

    Attributes:
        p: two-sided; given the trained models, whose training it does not vary.
        error: standard error of p where patterns were drawn, 0 where it is exact.
        smallest: the least p that this number of speakers, or of draws, can give.
    """

    p: float
    error: float
    smallest: float


def sign_flip(differences: np.ndarray, support: np.ndarray, draws: int, seed: int) -> SignFlip:
    """Two-sided test of a difference in UAR under random signs of the speakers' differences.

    Few speakers: all sign patterns are counted, in two halves (Horowitz and Sahni, Journal of the ACM 21(2),
    1974). Small whole numbers: the distribution is a convolution (Pagano and Tritchler, Journal of the
    American Statistical Association 78, 1983). Otherwise patterns are drawn, and p is
    (as extreme + 1) / (draws + 1) (Phipson and Smyth, Statistical Applications in Genetics and Molecular
    Biology 9(1), 2010).

    Args:
        differences: (speakers, classes) whole numbers d_pc.
        support: (classes,) clips of each class; a class without clips does not count.
        draws: sign patterns that are drawn where the test cannot be exact.
    """
    speakers = len(differences)
    smallest = 2.0 ** (1 - speakers) if speakers else 1.0
    units = whole_numbers(differences, support)
    observed, total = abs(sum(units)), sum(map(abs, units))
    if observed == 0:
        return SignFlip(1.0, 0.0, smallest)
    kind = np.int64 if total < 2**62 else object
    if len(units) > HALVES[kind] // 2 and total <= CONVOLVED:
        return SignFlip(_convolved(units, observed, total), 0.0, smallest)
    if len(units) <= HALVES[kind]:
        return SignFlip(_counted(units, observed, kind), 0.0, smallest)
    p = _drawn(differences, support, draws, seed)
    return SignFlip(p, float(np.sqrt(p * (1 - p) / draws)), max(smallest, 1 / (draws + 1)))


def swap(first: np.ndarray, second: np.ndarray, metric: str, draws: int, seed: int) -> SignFlip:
    """Two-sided test of a difference in any metric of confusion counts, by swapping outputs unit by unit.

    The null: given the trained models, the outputs of the two systems on a unit (a speaker or a dialogue) are
    exchangeable, so that swapping them gives an equally probable outcome. The statistic is the difference in
    the metric, seeds averaged, of the counts that are pooled after the swaps. All patterns are counted of up
    to EXACT units; of more, patterns are drawn (at most SWAPS), and p is (as extreme + 1) / (draws + 1).

    Args:
        first: (S, P, C, C + 1) counts of label × prediction by seed and unit; the last column is "no class".
        second: the same of the other system, on the same clips.
        metric: of :data:`ugcl.plan.names.COUNTED`.
        draws: patterns to draw.

    Source: approximate randomisation, Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989,
    chapter 2; for F1, Yeh, COLING 2000.
    """
    units, classes = first.shape[1], first.shape[2]
    smallest = 2.0 ** (1 - units) if units else 1.0
    support = first.sum((1, 3))  # (S, C)
    sides = [np.concatenate([_diagonal(x), x[..., :classes].sum(2)], axis=2) for x in (first, second)]
    whole, apart = sides[0].sum(1) + sides[1].sum(1), sides[1] - sides[0]  # (S, 2C), (S, P, 2C)

    def differences(swapped: np.ndarray) -> np.ndarray:
        """The statistic under patterns (B, P): 1 where a unit's outputs are swapped."""
        moved = (swapped @ apart.transpose(1, 0, 2).reshape(units, -1)).reshape(len(swapped), *whole.shape)
        one = sides[0].sum(1) + moved
        clips = np.broadcast_to(support, one[..., :classes].shape)
        scores = [
            metrics.counted(each[..., :classes], clips, each[..., classes:])[metric].mean(-1)
            for each in (one, whole - one)
        ]
        return scores[0] - scores[1]

    observed = abs(float(differences(np.zeros((1, units)))[0]))
    if observed < NEAR:
        return SignFlip(1.0, 0.0, smallest)
    if units <= EXACT:  # swapping all but the chosen units turns the sign alone: half of the patterns
        patterns = (np.arange(2 ** (units - 1))[:, None] >> np.arange(units) & 1).astype(float)
        p = float((np.abs(differences(patterns)) >= observed - NEAR).mean())
        return SignFlip(p, 0.0, smallest)
    generator, extreme, draws = np.random.default_rng(seed), 0, min(draws, SWAPS)
    for start in range(0, draws, BATCH // 10):
        size = (min(BATCH // 10, draws - start), units)
        drawn = differences(generator.integers(0, 2, size, dtype=np.int8).astype(float))
        extreme += int((np.abs(drawn) >= observed - NEAR).sum())
    p = (extreme + 1) / (draws + 1)
    return SignFlip(p, float(np.sqrt(p * (1 - p) / draws)), max(smallest, 1 / (draws + 1)))


def _diagonal(counts: np.ndarray) -> np.ndarray:
    """Right clips by class, (S, P, C)."""
    return np.einsum("spcc->spc", counts[..., :-1])


def whole_numbers(differences: np.ndarray, support: np.ndarray) -> list[int]:
    """Each speaker's difference in UAR on a common scale, as whole numbers; zeros are left out."""
    known = [c for c, clips in enumerate(support) if clips > 0]
    common = lcm(*(int(support[c]) for c in known))
    scale = [common // int(support[c]) for c in known]
    rows = (sum(int(row[c]) * k for c, k in zip(known, scale, strict=True)) for row in differences)
    units = [unit for unit in rows if unit]
    shared = gcd(*units) or 1
    return [unit // shared for unit in units]


def _counted(units: list[int], observed: int, kind: type) -> float:
    """Share of all sign patterns whose sum is as far from zero as the observed one."""
    half = len(units) // 2
    first, second = (_sums(part, kind) for part in (units[:half], units[half:]))
    second = np.sort(second)
    # The sums are symmetric about zero: as many patterns are at or below −observed as at or above it.
    above = len(first) * len(second) - int(np.searchsorted(second, observed - first, "left").sum())
    return 2 * above / 2 ** len(units)


def _sums(units: list[int], kind: type) -> np.ndarray:
    sums = np.zeros(1, dtype=kind)
    for unit in units:
        sums = np.concatenate([sums + unit, sums - unit])
    return sums


def _convolved(units: list[int], observed: int, total: int) -> float:
    """The same from the distribution of the sum of the positive terms, which is (sum + total) / 2."""
    share = np.zeros(total + 1)
    share[0] = 1.0
    for unit in map(abs, units):
        share[unit:] = (share[unit:] + share[:-unit]) / 2
        share[:unit] /= 2
    return min(1.0, float(2 * share[(observed + total) // 2 :].sum()))


def _drawn(differences: np.ndarray, support: np.ndarray, draws: int, seed: int) -> float:
    known = np.asarray(support) > 0
    hits = np.asarray(differences, dtype=float)[:, known]
    common = lcm(*(int(n) for n in support[known]))
    scale = [common // int(n) for n in support[known]]
    weight = np.array([float(k) for k in scale])
    exact = abs(_exact(hits.sum(0), scale))
    near = 1e-9 * float((np.abs(hits) @ weight).sum())
    generator, extreme = np.random.default_rng(seed), 0
    for start in range(0, draws, BATCH):
        size = (min(BATCH, draws - start), len(hits))
        signs = 2.0 * generator.integers(0, 2, size, dtype=np.int8) - 1
        sums = signs @ hits
        beyond = np.abs(sums @ weight) - float(exact)
        extreme += int((beyond > near).sum())
        tied = np.abs(beyond) <= near
        extreme += sum(abs(_exact(row, scale)) >= exact for row in sums[tied])
    return (extreme + 1) / (draws + 1)


def _exact(sums: np.ndarray, scale: list[int]) -> int:
    return sum(int(value) * k for value, k in zip(sums, scale, strict=True))
