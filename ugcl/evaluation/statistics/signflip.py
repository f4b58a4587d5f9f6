"""The sign-flip test of two systems on the same speakers, on whole numbers and exact where it can be.

If two trained systems are exchangeable, swapping their outputs on a speaker only turns the sign of that
speaker's difference. The statistic is the difference in UAR, Σ_p Σ_c d_pc / (C · n_c), where d_pc is by how
many more clips of class c of speaker p, over all seeds, the first system is right, and n_c is the number of
clips of the class. With a common denominator of the n_c it is a sum of one whole number per speaker, so that
equal sums are found equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, lcm

import numpy as np

CONVOLVED = 500_000
"""Largest sum of the speakers' whole numbers for which the distribution is made by convolution."""

HALVES = {np.int64: 40, object: 30}
"""Most speakers whose sign patterns are counted in two halves, by type of the sums."""

BATCH = 50_000


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
