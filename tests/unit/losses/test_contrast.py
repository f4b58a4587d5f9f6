"""The contrast of clips against loops, at every granularity."""

from __future__ import annotations

import math

import pytest
import torch

from tests.unit.losses.made_parts import parts_of, unit
from ugcl.losses.contrast import contrast, similarities


def info_nce(u, v, scale):
    """Each clip's own other modality against those of all clips, in both directions."""
    scores = scale * u @ v.T
    return contrast(scores, scores.T)


def sup_con(u, v, labels, scale):
    """The same with all clips of the emotion as positives."""
    scores = scale * u @ v.T
    return contrast(scores, scores.T, labels)


def test_info_nce_against_loops():
    u, v, s = unit(5, 3), unit(5, 3, seed=1), 7.0
    total = 0.0
    for a, b in ((u, v), (v, u)):
        for i in range(5):
            scores = [math.exp(s * float(a[i] @ b[j])) for j in range(5)]
            total -= math.log(scores[i] / sum(scores)) / 10
    assert info_nce(u, v, s).item() == pytest.approx(total)


def test_supervised_contrast_against_loops_and_with_all_emotions_different():
    u, v, s = unit(6, 4), unit(6, 4, seed=1), 3.0
    labels = torch.tensor([0, 1, 0, 2, 1, 0])
    total = 0.0
    for a, b in ((u, v), (v, u)):
        for i in range(6):
            scores = [math.exp(s * float(a[i] @ b[j])) for j in range(6)]
            alike = [j for j in range(6) if labels[j] == labels[i]]
            total -= sum(math.log(scores[j] / sum(scores)) for j in alike) / len(alike) / 12
    assert sup_con(u, v, labels, s).item() == pytest.approx(total)
    torch.testing.assert_close(sup_con(u, v, torch.arange(6), s), info_nce(u, v, s))


def test_contrast_of_a_single_clip_is_nothing():
    u = unit(1, 4).requires_grad_()
    assert info_nce(u, u, 5.0) == 0 and sup_con(u, u, torch.tensor([1]), 5.0) == 0


@pytest.mark.parametrize("supervised", [False, True])
def test_contrast_with_other_candidates_in_each_direction_against_loops(supervised):
    """Three clips with two past ones of one modality and one of the other."""
    generator = torch.Generator().manual_seed(4)
    there, back = (torch.randn(3, m, generator=generator, dtype=torch.double) for m in (5, 4))
    labels, labels_back = torch.tensor([0, 1, 0, 1, 0]), torch.tensor([0, 1, 0, 2])
    total = 0.0
    for scores, classes in ((there, labels), (back, labels_back)):
        for i, row in enumerate(scores.tolist()):
            alike = [j for j in range(len(row)) if classes[j] == classes[i]] if supervised else [i]
            whole = sum(math.exp(x) for x in row)
            total -= sum(math.log(math.exp(row[j]) / whole) for j in alike) / len(alike) / 6
    found = contrast(there, back, *((labels, labels_back) if supervised else ()))
    assert found.item() == pytest.approx(total)


def test_similarity_of_parts_against_loops():
    (u, u_here), (v, v_here) = parts_of([5, 2, 1], 0), parts_of([3, 5, 4], 1)
    there, back = similarities(u, v, u_here, v_here, 4.0)
    for i in range(3):
        for j in range(3):
            products = 4.0 * (u[i, u_here[i]] @ v[j, v_here[j]].T)
            assert there[i, j].item() == pytest.approx(products.max(dim=1).values.mean().item())
            assert back[j, i].item() == pytest.approx(products.max(dim=0).values.mean().item())


def test_similarity_of_single_parts_is_the_product():
    u, v, here = unit(4, 1, 3), unit(4, 1, 3, seed=1), torch.ones(4, 1, dtype=torch.bool)
    there, back = similarities(u, v, here, here, 7.0)
    torch.testing.assert_close(there, 7.0 * u[:, 0] @ v[:, 0].T)
    assert torch.equal(back, there.T)
    # The same by the general way: a part that is not there.
    wide = torch.cat([u, unit(4, 1, 3, seed=2)], dim=1)
    general, _ = similarities(wide, v, torch.cat([here, ~here], dim=1), here, 7.0)
    torch.testing.assert_close(general, there)
