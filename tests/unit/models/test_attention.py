"""Rotary positions and gated perceptrons against their formulae."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.unit.models.made_systems import FRAMES, VECTOR, make_batch, with_changes
from ugcl.methods.build import build
from ugcl.models.attention import Attention, FeedForward, rotate


def test_rotary_scores_depend_on_time_differences_alone() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(1, 2, 1, 8), torch.randn(1, 2, 1, 8)

    def score(there: float, here: float) -> torch.Tensor:
        return (rotate(q, torch.tensor([there])) * rotate(k, torch.tensor([here]))).sum(dim=-1)

    torch.testing.assert_close(score(1.3, 0.4), score(2.9, 2.0), rtol=1e-4, atol=1e-4)
    assert (score(1.3, 0.4) - score(1.3, 0.5)).abs().max() > 1e-2
    torch.testing.assert_close(rotate(q, torch.zeros(1)), q)
    torch.testing.assert_close(rotate(q, torch.tensor([5.1])).norm(dim=-1), q.norm(dim=-1))


def test_a_rotation_by_hand() -> None:
    """The first pair of columns has a period of 0.16 s: a quarter of it turns (1, 0) to (0, 1)."""
    x = torch.zeros(1, 1, 1, 4)
    x[..., 0] = 1.0
    expected = torch.tensor([0.0, 0.0, 1.0, 0.0]).reshape(1, 1, 1, 4)
    torch.testing.assert_close(rotate(x, torch.tensor([0.04])), expected, atol=1e-6, rtol=0)


def test_attention_without_clocks_has_no_order_and_with_them_it_has() -> None:
    torch.manual_seed(0)
    attention, x, clock = Attention(8, 2), torch.randn(1, 5, 8), torch.arange(5) / 10
    mask, order = torch.ones(1, 5, dtype=torch.bool), torch.tensor([3, 1, 4, 0, 2])
    plain, shuffled = attention(x, x, mask), attention(x, x[:, order], mask)
    torch.testing.assert_close(plain, shuffled)
    timed = attention(x, x, mask, (clock, clock))
    assert (timed - attention(x, x[:, order], mask, (clock, clock))).abs().max() > 1e-3
    torch.testing.assert_close(attention(x, x[:, order], mask, (clock, clock[order])), timed)


def test_gated_perceptron_by_hand_with_about_as_many_weights() -> None:
    torch.manual_seed(0)
    gated, plain = FeedForward(48, 0.0, gated=True), FeedForward(48, 0.0)
    norm, first, _, second, _ = gated
    x = torch.randn(3, 48)
    h = first(norm(x))
    torch.testing.assert_close(gated(x), second(F.gelu(h[:, :64]) * h[:, 64:]))
    sizes = [sum(p.numel() for p in module.parameters()) for module in (gated, plain)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02)


@pytest.mark.parametrize("infos", [FRAMES, VECTOR], ids=["frames", "vector"])
def test_positions_are_read_by_every_attention_or_by_none(infos: dict) -> None:
    """Without a convolution, frames that change places change the logits only where positions are told."""
    for positions in ("sinusoid", "rotary", "none"):
        run = with_changes("demo", encoder={"positions": positions, "kernel": 1})
        torch.manual_seed(0)
        model, batch = build(run, infos).eval(), make_batch(run, infos)
        with torch.no_grad():
            before = model(batch)["logits"]
            batch.features["audio"][:, :5] = batch.features["audio"][:, [3, 0, 4, 2, 1]]
            change = (model(batch)["logits"] - before).abs().amax(dim=1)
        assert ((change > 1e-5) == (positions != "none")).all(), positions


def test_heads_of_odd_width_cannot_turn() -> None:
    with pytest.raises(ValueError, match="rotary positions turn pairs of columns, a head has 9"):
        with_changes("demo", encoder={"positions": "rotary", "width": 36, "heads": 4})
