"""How many frames are hidden, which, and that one always remains."""

from __future__ import annotations

import pytest
import torch

from ugcl.models.layers.masking import MaskToken, random_mask, span_mask

LENGTHS = torch.tensor([10, 5, 2, 1])
MASK = torch.arange(12) < LENGTHS[:, None]


@pytest.mark.parametrize("hide", [random_mask, span_mask])
@pytest.mark.parametrize(
    ("share", "counts"), [(0.0, [0, 0, 0, 0]), (0.4, [4, 2, 1, 0]), (0.8, [8, 4, 1, 0]), (1.0, [9, 4, 1, 0])]
)
def test_the_share_of_valid_frames_is_hidden_and_one_remains(hide, share, counts) -> None:
    torch.manual_seed(0)
    for _ in range(20):
        hidden = hide(MASK, share)
        assert hidden.sum(dim=1).tolist() == counts
        assert not (hidden & ~MASK).any()


def test_every_frame_is_hidden_as_often() -> None:
    torch.manual_seed(0)
    mask = torch.ones(4000, 10, dtype=torch.bool)
    often = random_mask(mask, 0.3).float().mean(dim=0)
    torch.testing.assert_close(often, torch.full((10,), 0.3), atol=0.04, rtol=0)


def test_a_span_is_one_run_that_may_start_anywhere() -> None:
    torch.manual_seed(0)
    hidden = span_mask(torch.ones(4000, 10, dtype=torch.bool), 0.4).float()
    edges = torch.nn.functional.pad(hidden, (1, 1)).diff(dim=1)
    assert (edges.clamp_min(0).sum(dim=1) == 1).all()
    starts = edges[:, :7].clamp_min(0).mean(dim=0)
    torch.testing.assert_close(starts, torch.full((7,), 1 / 7), atol=0.03, rtol=0)


def test_hidden_frames_are_the_token() -> None:
    token, x = MaskToken(3), torch.randn(1, 2, 3)
    found = token(x, torch.tensor([[False, True]]))
    assert torch.equal(found[0, 0], x[0, 0])
    assert torch.equal(found[0, 1], token.token)
