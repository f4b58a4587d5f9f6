"""Wrong labels: how many, which, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from ugcl.data.dataset import ClipDataset
from ugcl.data.label_noise import flip

CLASSES = ["angry", "happy", "neutral", "sad"]


def clips(count: int, soft: bool = False) -> ClipDataset:
    rows = pd.DataFrame({"clip": [f"c{i}" for i in range(count)], "speaker": "s"})
    rows["label"] = [CLASSES[i % 4] for i in range(count)]
    if soft:
        shares = np.random.default_rng(0).dirichlet(np.ones(4), count)
        rows = rows.assign(**{f"q_{name}": shares[:, i] for i, name in enumerate(CLASSES)})
    return ClipDataset(rows, {}, CLASSES)


@given(count=st.integers(1, 60), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_so_many_clips_get_another_class_and_the_rest_keep_theirs(count, share, seed) -> None:
    before, after, again = clips(count), clips(count), clips(count)
    flip(after, share, (seed, 1))
    flip(again, share, (seed, 1))
    assert (after.labels != before.labels).sum() == round(share * count)
    assert after.labels.min() >= 0 and after.labels.max() < 4
    assert torch.equal(after.labels, again.labels)


def test_every_other_class_is_as_likely() -> None:
    before, after = clips(4000), clips(4000)
    flip(after, 0.9, 0)
    for label in range(4):
        wrong = after.labels[(before.labels == label) & (after.labels != label)]
        counts = np.bincount(wrong.numpy(), minlength=4)
        assert counts[label] == 0
        assert chisquare(np.delete(counts, label)).pvalue > 0.001


def test_seeds_and_folds_differ_and_a_higher_share_adds_to_a_lower() -> None:
    before = clips(200).labels
    flipped = {}
    for key in ((0, 1, 0.1), (0, 1, 0.3), (1, 1, 0.1), (0, 2, 0.1)):
        part = clips(200)
        flip(part, key[2], key[:2])
        flipped[key] = part.labels
    low, high = flipped[0, 1, 0.1], flipped[0, 1, 0.3]
    assert torch.equal(high[low != before], low[low != before])
    assert not torch.equal(low, flipped[1, 1, 0.1]) and not torch.equal(low, flipped[0, 2, 0.1])


def test_votes_of_the_two_classes_change_places() -> None:
    before, after = clips(40, soft=True), clips(40, soft=True)
    flip(after, 0.5, 3)
    for i in range(40):
        old, new = int(before.labels[i]), int(after.labels[i])
        expected = before.targets[i].tolist()
        expected[old], expected[new] = expected[new], expected[old]
        assert after.targets[i].tolist() == expected
