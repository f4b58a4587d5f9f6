"""Batch normalisation over valid frames is that of torch over those frames alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ugcl.models.layers.normalisation import MaskedBatchNorm


@pytest.fixture
def both() -> tuple[MaskedBatchNorm, nn.BatchNorm1d]:
    torch.manual_seed(0)
    plain = nn.BatchNorm1d(5)
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    masked = MaskedBatchNorm(5)
    masked.load_state_dict(plain.state_dict())
    return masked, plain


def test_training_and_running_statistics(both: tuple[MaskedBatchNorm, nn.BatchNorm1d]) -> None:
    masked, plain = both
    for step in range(3):
        x = 3 * torch.randn(4, 7, 5) + step
        mask = torch.arange(7) < torch.tensor([[7], [3], [1], [5]])
        found = masked(x.masked_fill(~mask[..., None], 99.0), mask)[mask]
        torch.testing.assert_close(found, plain(x[mask]), rtol=1e-4, atol=1e-5)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(masked.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    masked.eval(), plain.eval()
    torch.testing.assert_close(masked(x, mask)[mask], plain(x[mask]), rtol=1e-4, atol=1e-5)


def test_one_valid_frame_is_finite(both: tuple[MaskedBatchNorm, nn.BatchNorm1d]) -> None:
    masked, _ = both
    found = masked(torch.randn(1, 3, 5), torch.tensor([[True, False, False]]))
    torch.testing.assert_close(found[0, 0], masked.bias)
    assert all(value.isfinite().all() for value in masked.state_dict().values())
