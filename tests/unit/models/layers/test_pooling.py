"""Pools read the valid frames alone."""

from __future__ import annotations

import pytest
import torch

from ugcl.models.layers import pooling

X = torch.tensor([[[1.0, -2.0], [3.0, 4.0], [9.0, 9.0]], [[5.0, 6.0], [-7.0, 8.0], [0.0, 1.0]]])
MASK = torch.tensor([[True, True, False], [True, True, True]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("masked_sum", [[4.0, 2.0], [-2.0, 15.0]]),
        ("masked_mean", [[2.0, 1.0], [-2 / 3, 5.0]]),
        ("masked_max", [[3.0, 4.0], [5.0, 8.0]]),
        ("masked_min", [[1.0, -2.0], [-7.0, 1.0]]),
        ("last_valid", [[3.0, 4.0], [0.0, 1.0]]),
    ],
)
def test_by_hand(name: str, expected: list[list[float]]) -> None:
    pool = getattr(pooling, name)
    torch.testing.assert_close(pool(X, MASK), torch.tensor(expected))
    noisy = X.masked_fill(~MASK[..., None], torch.nan)
    torch.testing.assert_close(pool(noisy, MASK), torch.tensor(expected))
