"""How the use of the codebook is counted."""

from __future__ import annotations

import pytest
import torch

from ugcl.models.codebook import CodebookUse, clip_perplexity, perplexity


def test_perplexity_counts_tokens_in_use():
    assert perplexity(torch.full((3, 8), 1 / 8)).item() == pytest.approx(8)
    assert perplexity(torch.eye(8)[[2, 2]]).item() == pytest.approx(1)
    assert perplexity(torch.eye(8)[[2, 5]]).item() == pytest.approx(2)


def test_clip_perplexity_is_each_clips_own():
    rows = torch.eye(8)[[2, 5]]
    assert clip_perplexity(rows).item() == pytest.approx(1)
    mixed = torch.stack([torch.full((8,), 1 / 8), rows[0]])
    assert clip_perplexity(mixed).item() == pytest.approx((8 + 1) / 2)


def test_dead_tokens_are_those_that_a_whole_epoch_left_out():
    use = CodebookUse()
    assert use.take() == {}
    use.add({"audio": torch.eye(8)[[0, 1]], "video": torch.eye(8)[[1, 2]]})
    use.add({"audio": torch.eye(8)[[3, 3]], "video": torch.eye(8)[[3, 3]]})
    assert use.take() == {"dead_tokens": 4 / 8}
    # A little over and a little under a tenth of an even share of 2 tokens.
    for share, dead in ((0.06, 0.0), (0.04, 0.5)):
        use.add({"audio": torch.tensor([[1 - share, share]])})
        assert use.take() == {"dead_tokens": dead}
