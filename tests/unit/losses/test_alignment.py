"""The contrast of clips against loops, at every granularity."""

from __future__ import annotations

import math

import pytest
import torch
from made_outputs import outputs, parts_of, unit

from ugcl.config.model import Loss
from ugcl.losses.alignment import info_nce, similarities, sup_con
from ugcl.losses.total import TotalLoss


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


@pytest.mark.parametrize("kind", ["info_nce", "supervised", "attraction"])
def test_the_kinds_of_alignment(kind):
    out, labels = outputs(), torch.tensor([0, 1, 0, 1])
    u, v = out["tokens"]["audio"], out["tokens"]["video"]
    expected = {
        "info_nce": info_nce(u, v, out["scale"]),
        "supervised": sup_con(u, v, labels, out["scale"]),
        "attraction": (1 - (u * v).sum(dim=1).mean()) / 2,
    }
    torch.testing.assert_close(TotalLoss(Loss(ugcl={"kind": kind}))(out, labels)["ugcl"], expected[kind])


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


@pytest.mark.parametrize("kind", ["info_nce", "supervised", "attraction"])
def test_granularities_are_averaged(kind):
    out, labels = outputs(), torch.tensor([0, 1, 0, 1])
    (u, u_here), (v, v_here) = parts_of([5, 2, 1, 4], 0), parts_of([3, 5, 4, 1], 1)
    clip = out["levels"]["clip"]
    frame = {"audio": (u.float(), u_here), "video": (v.float(), v_here)}
    loss = TotalLoss(Loss(ugcl={"kind": kind}))
    values = [loss(out | {"levels": {"x": level}}, labels)["ugcl"] for level in (clip, frame)]
    both = loss(out | {"levels": {"clip": clip, "frame": frame}}, labels)["ugcl"]
    torch.testing.assert_close(both, sum(values) / 2)
    assert values[0] != values[1]
