"""Margin losses against sums over triplets, one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ugcl.losses.triplet import adaptive_triplet, cosine_triplet

LABELS = [0, 1, 0, 2, 1, 0]


def views():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, len(LABELS), 3))


def triples(own_pair):
    for a, p, n in itertools.product(range(len(LABELS)), repeat=3):
        if LABELS[a] == LABELS[p] and LABELS[a] != LABELS[n] and (own_pair or a != p):
            yield a, p, n


def test_cosine_triplets_take_positives_of_the_other_and_negatives_of_the_own_modality():
    expected = []
    for x, y in (views(), views()[::-1]):
        across, within = 1 - cdist(x, y, "cosine"), 1 - cdist(x, x, "cosine")
        expected += [max(0, 0.4 - across[a, p] + within[a, n]) for a, p, n in triples(own_pair=True)]
    u, v = (torch.tensor(x) for x in views())
    assert float(cosine_triplet(u, v, torch.tensor(LABELS), 0.4)) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("epsilon", [1.0, 0.3])
def test_adaptive_triplets(epsilon):
    x = views()[0]
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    d, expected = cdist(unit, unit), []
    for a, p, n in triples(own_pair=False):
        margin = 1 + 2 / (np.exp(4 * d[a, p]) + epsilon) + 1 + 2 / (np.exp(4 - 4 * d[a, n]) + epsilon)
        expected.append(max(0, d[a, p] - (d[a, n] + d[p, n]) / 2 + margin))
    found = adaptive_triplet(torch.tensor(x), torch.tensor(LABELS), epsilon)
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-5)


def test_adaptive_triplets_attract_the_class_and_repel_the_others():
    x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]], requires_grad=True)
    adaptive_triplet(x, torch.tensor([0, 0, 1])).backward()
    with torch.no_grad():
        moved = x - 0.01 * x.grad
    before, after = ((v / v.norm(dim=1, keepdim=True)) for v in (x.detach(), moved))
    near, far = (torch.linalg.norm(after[i] - after[j]) for i, j in ((0, 1), (0, 2)))
    assert near < torch.linalg.norm(before[0] - before[1])
    assert far > torch.linalg.norm(before[0] - before[2])


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2]])
def test_without_a_triplet_losses_are_finite_and_so_are_gradients(labels):
    labels = torch.tensor(labels, dtype=torch.long)
    u = torch.ones(len(labels), 3, requires_grad=True)
    loss = cosine_triplet(u, u, labels) + adaptive_triplet(u, labels)
    loss.backward()
    assert loss.isfinite() and u.grad.isfinite().all()
    if len(set(labels.tolist())) < 2:
        assert loss.item() == 0
