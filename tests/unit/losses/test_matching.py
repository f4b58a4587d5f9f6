"""Similar negatives: always of another emotion, and what the matching head learns from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ugcl.losses.matching import choose, discriminate, similar_negatives


def matching(matches, similarity, labels):
    """Loss and share of pairs judged correctly, with the hardest negatives of the batch."""
    sides = [(matches, similarity), (matches.T, similarity.T)]
    return discriminate(*(choose("hardest", m, s, labels, labels[:0]) for m, s in sides), labels)


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 4), st.sampled_from([None, 0.1]))
@settings(max_examples=60, deadline=None)
def test_negatives_always_have_another_emotion_and_the_hardest_is_the_most_similar(seed, n, classes, tau):
    rng = np.random.default_rng(seed)
    similarity = torch.tensor(rng.normal(size=(n, n)))
    labels = torch.tensor(rng.integers(0, classes, n))
    anchors, negatives = similar_negatives(similarity, labels, tau)
    having = [i for i in range(n) if any(labels[j] != labels[i] for j in range(n))]
    assert anchors.tolist() == having and len(negatives) == len(having)
    assert (labels[anchors] != labels[negatives]).all()
    if tau is None:
        for i, j in zip(anchors.tolist(), negatives.tolist(), strict=True):
            assert similarity[i, j] == max(similarity[i, k] for k in range(n) if labels[k] != labels[i])


def test_drawn_negatives_follow_similarity():
    torch.manual_seed(0)
    similarity = torch.tensor([[9.0, 0.0, math.log(3) * 0.5, 7.0]]).repeat(4, 1)
    labels = torch.tensor([0, 1, 2, 0])
    draws = [similar_negatives(similarity, labels, 0.5)[1][0].item() for _ in range(2000)]
    assert set(draws) == {1, 2}
    assert draws.count(2) / 2000 == pytest.approx(0.75, abs=0.04)


def test_draws_are_among_the_most_similar_alone():
    torch.manual_seed(0)
    similarity, labels = torch.tensor([[9.0, 0.5, 0.4, 0.3, 0.2]]), torch.tensor([0])
    others = torch.tensor([0, 1, 1, 2, 2])
    for top, allowed in ((1, {1}), (2, {1, 2}), (9, {1, 2, 3, 4}), (0, {1, 2, 3, 4})):
        draws = [similar_negatives(similarity, labels, 1.0, others, top)[1].item() for _ in range(200)]
        assert set(draws) == allowed
    # More candidates asked for than there are of another emotion: its own stay out.
    few = similar_negatives(similarity[:, :3], labels, 1.0, torch.tensor([0, 0, 1]), 2)
    assert [part.tolist() for part in few] == [[0], [2]]


def test_a_way_of_choosing_changes_what_a_negative_is():
    """Candidates 0 and 1 are the anchors' partners, 2 is a past clip."""
    matches, similarity = torch.randn(2, 3), torch.tensor([[0.9, 0.8, 0.1], [0.7, 0.6, 0.5]])
    labels, others = torch.tensor([0, 0]), torch.tensor([1])
    kinds = ("hardest", "nearest", "random")
    chosen = {kind: choose(kind, matches, similarity, labels, others) for kind in kinds}
    assert all(logits is matches for logits, _, _ in chosen.values())
    found = {
        kind: similar_negatives(scores, classes[:2], None, classes)[1].tolist()
        for kind, (_, scores, classes) in chosen.items()
    }
    assert found["hardest"] == [2, 2], "the only one of another emotion"
    assert found["nearest"] == [1, 0], "whatever its emotion, but not the partner"
    assert chosen["random"][1].unique().numel() == 1, "all are as similar"
    assert chosen["random"][2].tolist() == [0, 0, 1]


def test_matching_by_hand():
    labels = torch.tensor([0, 0, 1])
    similarity = torch.tensor([[0.9, 0.8, 0.1], [0.2, 0.7, 0.3], [0.5, 0.6, 0.4]])
    matches = torch.tensor([[1.0, 9.0, -1.0], [9.0, 2.0, 0.5], [-2.0, 0.3, 3.0]])
    # rows: 0→2, 1→2, 2→1; columns: 0→2, 1→2, 2→1 (row 1 is more similar than row 0)
    positive = np.mean([math.log1p(math.exp(-x)) for x in (1.0, 2.0, 3.0)])
    negative = np.mean([math.log1p(math.exp(x)) for x in (-1.0, 0.5, 0.3, -2.0, 0.3, 0.5)])
    loss, right = matching(matches, similarity, labels)
    assert loss.item() == pytest.approx((positive + negative) / 2, rel=1e-6)
    assert right.item() == pytest.approx((1 + 2 / 6) / 2)


def test_matching_skips_a_batch_of_one_emotion():
    matches = torch.randn(4, 4, requires_grad=True)
    loss, right = matching(matches, torch.randn(4, 4), torch.zeros(4, dtype=torch.long))
    loss.backward()
    assert loss == 0 and right.isnan() and matches.grad.abs().sum() == 0
