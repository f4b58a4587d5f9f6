"""Blocks of speakers with nearly equal numbers of clips, in all and of each class.

The aim is that of StratifiedGroupKFold (scikit-learn), which assigns groups one by one and may leave a class
out of a block. Here such a first assignment is improved by moves and swaps of speakers until none helps.
All sums are integers: every machine finds the same blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from ugcl.config.protocols import Stratified
from ugcl.errors import UgclError

LEFT_OUT = ""
UNIT = 1 << 40
STARTS = 24
"""Assignments that are improved: one in order of size, and others in random orders of a fixed seed."""


def stratified(clips: pd.DataFrame, scheme: Stratified, fold: int) -> pd.Series:
    """Parts by blocks of speakers: fold k tests block k, and dev is the next block, cyclically.

    Args:
        clips: the protocol's clips: speaker, label.

    Returns:
        train, dev, test or "" (clips of speakers with fewer than `fewest_clips`), one per clip.

    Raises:
        UgclError: there are fewer speakers, or speakers of a class, than blocks.
    """
    counts = pd.crosstab(clips["speaker"], clips["label"]).sort_index()
    counts = counts[counts.sum(axis=1) >= scheme.fewest_clips]
    _check(counts, scheme)
    found = _blocks(counts.to_numpy(np.int64).tobytes(), counts.shape[1], scheme.folds)
    names = np.full(scheme.folds, "train", dtype=object)
    names[fold - 1], names[fold % scheme.folds] = "test", "dev"
    return clips["speaker"].map(dict(zip(counts.index, names[found], strict=True))).fillna(LEFT_OUT)


def _check(counts: pd.DataFrame, scheme: Stratified) -> None:
    """Refuse what no assignment can do: a block without a speaker of some class."""
    least = f"of at least {scheme.fewest_clips} clips " if scheme.fewest_clips > 1 else ""
    if len(counts) < scheme.folds:
        raise UgclError(
            f"folds: {scheme.folds} blocks need as many speakers, the protocol's clips have {len(counts)}"
            f" {least}".rstrip()
            + "; use fewer folds (at least 3) or add speakers"
        )
    speakers = (counts > 0).sum()
    name = speakers.idxmin()
    if speakers[name] < scheme.folds:
        raise UgclError(
            f"folds: class {name!r} has clips of {speakers[name]} speakers {least}and {scheme.folds} folds"
            f" need as many ({counts[name].sum()} clips in all); use fewer folds (at least 3), merge the"
            " class with another, or drop it from classes"
        )


@lru_cache(maxsize=4)
def _blocks(counts: bytes, classes: int, number: int) -> np.ndarray:
    """The blocks that all folds of a protocol share, worked out once in a process."""
    return blocks(np.frombuffer(counts, np.int64).reshape(-1, classes), number)


def blocks(counts: np.ndarray, number: int) -> np.ndarray:
    """Assign speakers to blocks.

    Of two assignments the better one has fewer blocks without some class; then fewer clips by which sizes of
    blocks differ from the equal share by more than the largest speaker has; then less imbalance (see
    :func:`_faults`). Where every speaker has clips of every class, no size differs by more: else moving one
    speaker would help.

    Args:
        counts: clips per speaker and class (S, C).
        number: of blocks, K.

    Returns:
        Block of each speaker (S,), numbered from 0 in the order of their first speakers.
    """
    sizes = counts.sum(axis=1)
    random = np.random.default_rng(0)
    best, least = None, None
    orders = [np.lexsort((np.arange(len(counts)), -sizes)), *_shuffled(random, len(counts))]
    for order in orders:
        found = _improved(_greedy(counts, number, order), counts, number)
        faults = tuple(_faults(_sums(found, counts, number), counts, number).sum(axis=0))
        if least is None or faults < least:
            best, least = found, faults
    _, first = np.unique(best, return_index=True)  # pyright: ignore[reportCallIssue]
    rank = np.argsort(np.argsort(first))
    return rank[best]


def _shuffled(random: np.random.Generator, speakers: int) -> Iterator[np.ndarray]:
    starts = STARTS if speakers <= 200 else 1  # many speakers leave little to improve
    return (random.permutation(speakers) for _ in range(starts - 1))


def _sums(found: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    sums = np.zeros((number, counts.shape[1]), np.int64)
    np.add.at(sums, found, counts)
    return sums


def _faults(sums: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    """What is wrong with each block.

    Args:
        sums: clips per class of blocks (…, C).
        counts: clips per speaker and class (S, C).

    Returns:
        (…, 3): absent classes; the square of the size beyond the bound, in clips × K; and the imbalance: the
        sum over classes of the squared relative deviations of class and size from their equal share, times a
        constant.
    """
    totals, size = counts.sum(axis=0), counts.sum()
    largest = counts.sum(axis=1).max()
    absent = (sums == 0).sum(axis=-1)
    deviation = number * sums.sum(axis=-1) - size
    beyond = np.maximum(np.abs(deviation) - number * largest, 0) ** 2
    classes = ((number * sums - totals) ** 2 * _weights(totals)).sum(axis=-1)
    imbalance = len(totals) * deviation**2 * _weights(size) + classes
    return np.stack([absent, beyond, imbalance], axis=-1)


def _weights(totals: np.ndarray) -> np.ndarray:
    return np.maximum(UNIT // np.maximum(np.asarray(totals, np.int64), 1) ** 2, 1)


def _greedy(counts: np.ndarray, number: int, order: Sequence[int]) -> np.ndarray:
    """Each speaker in turn to the block where the faults of all blocks then are least."""
    found = np.zeros(len(counts), np.int64)
    sums = np.zeros((number, counts.shape[1]), np.int64)
    for speaker in order:
        change = _faults(sums + counts[speaker], counts, number) - _faults(sums, counts, number)
        found[speaker] = _least(change)
        sums[found[speaker]] += counts[speaker]
    return found


def _improved(found: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    """Move a speaker, or swap two, as long as that lowers the faults."""
    found, sums = found.copy(), _sums(found, counts, number)
    better = True
    while better:
        better = False
        for speaker, own in enumerate(counts):
            here = found[speaker]
            faults = _faults(sums, counts, number)
            moved = _faults(sums + own, counts, number) - faults
            moved += _faults(sums[here] - own, counts, number) - faults[here]
            moved[here] = 0
            there = sums[found]  # (S, C): the block of every other speaker
            swapped = _faults(there - counts + own, counts, number) - faults[found]
            swapped += _faults(sums[here] - own + counts, counts, number) - faults[here]
            swapped[found == here] = 0
            choice = _least(np.concatenate([moved, swapped]))
            if tuple(np.concatenate([moved, swapped])[choice]) >= (0, 0, 0):
                continue
            better = True
            found[speaker] = choice if choice < number else found[choice - number]
            if choice >= number:
                found[choice - number] = here
            sums = _sums(found, counts, number)
    return found


def _least(faults: np.ndarray) -> int:
    """The first row (N, 3) that is least, compared from the left."""
    return int(np.lexsort((np.arange(len(faults)), faults[:, 2], faults[:, 1], faults[:, 0]))[0])
