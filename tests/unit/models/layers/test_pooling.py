"""Pooling equals the plain operation on each clip's own frames."""

from __future__ import annotations

import pytest
import torch

from ugcl.models.layers.pooling import last_valid, masked_max, masked_mean, masked_min, masked_sum

PLAIN = {
    masked_sum: lambda x: x.sum(dim=0),
    masked_mean: lambda x: x.mean(dim=0),
    masked_max: lambda x: x.max(dim=0).values,
    masked_min: lambda x: x.min(dim=0).values,
    last_valid: lambda x: x[-1],
}


@pytest.mark.parametrize("pool", PLAIN)
@pytest.mark.parametrize("padding", [0.0, 50.0, -50.0])
def test_pools_are_of_the_valid_frames(pool, padding):
    lengths = [1, 3, 6]
    mask = torch.arange(6) < torch.tensor(lengths)[:, None]
    x = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))
    x = x.masked_fill(~mask[..., None], padding).requires_grad_()
    expected = torch.stack([PLAIN[pool](clip[:n]) for clip, n in zip(x, lengths, strict=True)])
    torch.testing.assert_close(pool(x, mask), expected)
    pool(x, mask).square().sum().backward()
    assert x.grad.isfinite().all() and (x.grad[~mask] == 0).all()


def test_the_last_frame_of_a_mask_with_gaps():
    mask = torch.tensor([[True, False, True, False]])
    x = torch.arange(4.0)[None, :, None]
    assert last_valid(x, mask).item() == 2
