"""Contrasts across modalities against sums over clips, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ugcl.losses.negatives import cross_supervised, hard_negative_info_nce, nt_xent

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 0])
LOSSES = {
    "hardest": hard_negative_info_nce,
    "nt_xent": lambda u, v, labels: nt_xent(u, v),
    "supervised": cross_supervised,
    "without its own pair": lambda u, v, labels: cross_supervised(u, v, labels, own_pair=False),
}
each = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


def views(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, 4, generator=generator, dtype=torch.double) for _ in range(2)]


def cosine(x, y):
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


@pytest.mark.parametrize("hardest", [1, 2, 3, 50])
def test_the_hardest_negatives_are_the_most_similar_clips_of_other_classes(hardest):
    u, v = views(len(LABELS))
    expected = []
    for x, y in ((u.numpy(), v.numpy()), (v.numpy(), u.numpy())):
        for i, label in enumerate(LABELS):
            own = math.exp(cosine(x[i], y[i]) / 0.2)
            others = sorted((cosine(x[i], y[j]) for j, other in enumerate(LABELS) if other != label))
            chosen = sum(math.exp(s / 0.2) for s in others[-hardest:])
            expected.append(-math.log(own / (own + chosen)))
    found = hard_negative_info_nce(u, v, LABELS, 0.2, hardest)
    assert float(found) == pytest.approx(np.mean(expected))


def test_normalised_temperature_cross_entropy_of_all_views():
    u, v = views(5)
    z, expected = np.concatenate([u, v]), []
    for i in range(10):
        scores = {k: math.exp(cosine(z[i], z[k]) / 0.5) for k in range(10) if k != i}
        expected.append(-math.log(scores[(i + 5) % 10] / sum(scores.values())))
    assert float(nt_xent(u, v)) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("own_pair", [True, False])
def test_positives_of_the_supervised_contrast_do_not_compete(own_pair):
    u, v = views(len(LABELS))
    total, count = 0.0, len(LABELS)
    for i in range(count):
        scores = [math.exp(cosine(u[i].numpy(), v[j].numpy()) / 0.3) for j in range(count)]
        negative = sum(s for s, label in zip(scores, LABELS, strict=True) if label != LABELS[i])
        for j in range(count):
            if LABELS[j] == LABELS[i] and (own_pair or i != j):
                total -= math.log(scores[j] / (scores[j] + negative))
    divisor = count * (count if own_pair else count - 1)
    assert float(cross_supervised(u, v, LABELS, 0.3, own_pair)) == pytest.approx(total / divisor)


@each
@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_few_clips_and_one_class_have_finite_losses_and_gradients(loss, count):
    for labels in (torch.zeros(count, dtype=torch.long), torch.arange(count)):
        u, v = (x.requires_grad_() for x in views(count))
        value = loss(u, v, labels)
        value.backward()
        assert value.isfinite() and u.grad.isfinite().all() and v.grad.isfinite().all()


@each
def test_a_batch_of_one_clip_has_nothing_to_contrast(loss):
    assert float(loss(*views(1), torch.zeros(1))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["hardest", "supervised", "without its own pair"])
def test_without_another_class_there_is_no_negative(name):
    assert float(LOSSES[name](*views(5), torch.zeros(5))) == 0
