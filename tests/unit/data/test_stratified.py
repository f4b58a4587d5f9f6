"""Blocks of speakers, stratified: never a leak, every class in every part, and sizes within a bound."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from tests.fixtures.folds import make_folds
from ugcl.config.protocols import Protocol, SpeakerBlocks, Stratified
from ugcl.data.splits.stratified import blocks
from ugcl.errors import UgclError

CLASSES = ["angry", "happy", "neutral"]
UNEQUAL = {
    "s1": (12, 2, 2),
    "s2": (2, 9, 9),
    "s3": (6, 5, 4),
    "s4": (3, 4, 3),
    "s5": (1, 1, 2),
    "s6": (1, 1, 1),
}
"""Clips of each class by speaker; 68 in all."""


def manifest(counts: np.ndarray, names: list[str] | None = None) -> pd.DataFrame:
    """Clips of speakers, as many of each class as a table (speakers, classes) says."""
    names = names or [f"s{number:02d}" for number in range(len(counts))]
    rows = [
        (f"{name}_{label}_{i}", name, label)
        for name, row in zip(names, counts, strict=True)
        for label, count in zip(CLASSES, row, strict=False)
        for i in range(count)
    ]
    return pd.DataFrame(rows, columns=["clip", "speaker", "intended"])


def protocol(counts: np.ndarray, folds: int, **options: int) -> Protocol:
    scheme = Stratified(scheme="stratified", folds=folds, **options)
    return Protocol(classes=CLASSES[: counts.shape[1]], folds=scheme)


def sums(counts: np.ndarray, found: np.ndarray, number: int) -> np.ndarray:
    return np.array([counts[found == block].sum(axis=0) for block in range(number)])


def tables(low: int) -> st.SearchStrategy[np.ndarray]:
    """Clips of 3 to 12 speakers in two or three classes, at least `low` of each."""
    return st.integers(2, 3).flatmap(
        lambda classes: st.lists(
            st.lists(st.integers(low, 15), min_size=classes, max_size=classes), min_size=3, max_size=12
        ).map(np.array)
    )


@given(counts=tables(0), folds=st.integers(3, 5))
@settings(deadline=None, max_examples=40)
def test_speakers_are_disjoint_every_clip_is_tested_once_and_scarce_classes_are_refused(
    counts: np.ndarray, folds: int
) -> None:
    counts = counts[counts.sum(axis=1) > 0]
    assume(len(counts) >= folds and (counts.sum(axis=0) > 0).all())
    frame = manifest(counts)
    if ((counts > 0).sum(axis=0) < folds).any():
        with pytest.raises(UgclError, match=rf"has clips of \d speakers and {folds} folds need as many"):
            make_folds(frame, protocol(counts, folds), Path())
        return
    try:
        found = make_folds(frame, protocol(counts, folds), Path())
    except UgclError as error:  # enough speakers of each class, and yet no assignment has all
        assert "has no clip of class" in str(error)
        assume(folds ** len(counts) <= 3000)
        every = itertools.product(range(folds), repeat=len(counts))
        assert not any((sums(counts, np.array(trial), folds) > 0).all() for trial in every)
        return
    tested: list[str] = []
    for fold in found:
        rows = fold.merge(frame, on="clip", validate="one_to_one")
        assert len(rows) == len(frame)
        assert rows.groupby("speaker")["part"].nunique().eq(1).all()
        assert pd.crosstab(rows["part"], rows["intended"]).loc[["train", "dev", "test"]].gt(0).all(axis=None)
        tested += rows.loc[rows["part"] == "test", "clip"].tolist()
    assert sorted(tested) == sorted(frame["clip"])


@given(counts=tables(1), folds=st.integers(3, 5))
@settings(deadline=None, max_examples=40)
def test_no_part_is_further_from_an_equal_share_than_the_largest_speaker(
    counts: np.ndarray, folds: int
) -> None:
    assume(len(counts) >= folds)
    sizes = sums(counts, blocks(counts, folds), folds).sum(axis=1)
    assert np.abs(sizes - counts.sum() / folds).max() <= counts.sum(axis=1).max()


@given(counts=tables(0), folds=st.integers(3, 4), data=st.data())
@settings(deadline=None, max_examples=30)
def test_neither_the_order_of_rows_nor_a_second_run_changes_a_fold(
    counts: np.ndarray, folds: int, data: st.DataObject
) -> None:
    assume(((counts > 0).sum(axis=0) >= folds).all())
    frame = manifest(counts)
    shuffled = frame.sample(frac=1, random_state=data.draw(st.integers(0, 99)))
    try:
        first = make_folds(frame, protocol(counts, folds), Path())
    except UgclError:
        return
    again = make_folds(shuffled, protocol(counts, folds), Path())
    for one, other in zip(first, again, strict=True):
        assert one.set_index("clip")["part"].to_dict() == other.set_index("clip")["part"].to_dict()


def unequal() -> tuple[np.ndarray, pd.DataFrame]:
    counts = np.array(list(UNEQUAL.values()))
    return counts, manifest(counts, list(UNEQUAL))


def test_few_speakers_with_unequal_numbers_of_clips_get_far_better_parts_than_by_blocks() -> None:
    counts, frame = unequal()

    def parts(scheme: Stratified | SpeakerBlocks) -> pd.DataFrame:
        folds = make_folds(frame, Protocol(classes=CLASSES, folds=scheme), Path())
        return pd.DataFrame([fold["part"].value_counts() for fold in folds])[["train", "dev", "test"]]

    blocked = parts(SpeakerBlocks(folds=3))
    assert blocked.iloc[0].tolist() == [7, 25, 36], "s1 and s2 have more clips than all others"
    found = parts(Stratified(scheme="stratified", folds=3))
    every = [np.array(trial) for trial in itertools.product(range(3), repeat=6)]
    least = min(np.ptp(sums(counts, trial, 3).sum(axis=1)) for trial in every)
    spread = found["test"].max() - found["test"].min()
    assert spread <= least + 1, "nearly the best of all 729 assignments"
    assert found.to_numpy().min() >= 20 and found.to_numpy().max() <= 26, "the equal share is 22.7"


def test_at_least_as_balanced_as_scikit_learn_and_with_every_class_where_that_leaves_one_out() -> None:
    def faults(counts: np.ndarray, found: np.ndarray, number: int) -> tuple[int, float]:
        held = sums(counts, found, number)
        share = held / counts.sum(axis=0) * number - 1
        size = held.sum(axis=1) / counts.sum() * number - 1
        return int((held == 0).sum()), float((share**2).sum() + counts.shape[1] * (size**2).sum())

    random, left_out, better, compared = np.random.default_rng(5), 0, 0, 0
    for _ in range(60):
        folds, speakers = int(random.integers(3, 6)), int(random.integers(6, 15))
        counts = random.negative_binomial(1, 0.1, (speakers, 3)) * (random.random((speakers, 3)) < 0.7)
        counts = counts[counts.sum(axis=1) > 0]
        if ((counts > 0).sum(axis=0) < folds).any():
            continue
        y = np.concatenate([np.repeat(np.arange(3), row) for row in counts])
        groups = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
        theirs = np.zeros(len(counts), int)
        for block, (_, test) in enumerate(StratifiedGroupKFold(folds).split(y, y, groups)):
            theirs[np.unique(groups[test])] = block
        mine, other = faults(counts, blocks(counts, folds), folds), faults(counts, theirs, folds)
        assert mine[0] <= other[0]
        left_out += other[0] > mine[0]
        better += mine < other
        compared += 1
    assert compared >= 30 and left_out >= 3 and better >= 0.8 * compared


def test_speakers_of_a_few_clips_may_be_left_out() -> None:
    counts, frame = unequal()
    (first, *_) = make_folds(frame, protocol(counts, 3, fewest_clips=5), Path())
    assert set(frame.set_index("clip").loc[first["clip"], "speaker"]) == set(UNEQUAL) - {"s5", "s6"}
    with pytest.raises(UgclError, match=r"3 blocks need .* have 2 of at least 16 clips; use fewer folds"):
        make_folds(frame, protocol(counts, 3, fewest_clips=16), Path())


def test_a_class_of_too_few_speakers_is_named_with_its_counts_and_the_remedy() -> None:
    counts = np.array([[3, 2], [3, 0], [3, 4], [3, 0]])
    with pytest.raises(
        UgclError,
        match=r"class 'happy' has clips of 2 speakers and 3 folds need as many \(6 clips in all\); use fewer"
        r" folds \(at least 3\), merge the class with another, or drop it from classes$",
    ):
        make_folds(manifest(counts), protocol(counts, 3), Path())
    with pytest.raises(UgclError, match="5 blocks need as many speakers, the protocol's clips have 4; use"):
        make_folds(manifest(counts), protocol(counts, 5), Path())


def test_a_corpus_of_a_thousand_speakers_is_cut_in_seconds() -> None:
    counts = np.random.default_rng(0).poisson(5, (1000, 8))
    sizes = sums(counts, blocks(counts, 5), 5).sum(axis=1)
    assert np.ptp(sizes) <= 10
