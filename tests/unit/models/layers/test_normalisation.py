"""Batch normalisation of valid frames equals that of the frames gathered."""

from __future__ import annotations

import torch
from torch import nn

from ugcl.models.layers.normalisation import MaskedBatchNorm


def frames(fill=0.0):
    x = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(5) < torch.tensor([5, 2, 1])[:, None]
    return x.masked_fill(~mask[..., None], fill), mask


def pair():
    own, torchs = MaskedBatchNorm(4), nn.BatchNorm1d(4)
    with torch.no_grad():
        for p in own.parameters():
            p.copy_(torch.randn(4, generator=torch.Generator().manual_seed(1)))
    torchs.load_state_dict(own.state_dict(), strict=False)
    return own, torchs


def test_training_and_evaluation_equal_batch_normalisation_of_the_gathered_frames():
    own, torchs = pair()
    for _ in range(3):
        x, mask = frames(fill=9.0)
        torch.testing.assert_close(own(x, mask)[mask], torchs(x[mask]))
    torch.testing.assert_close(own.running_mean, torchs.running_mean)
    torch.testing.assert_close(own.running_var, torchs.running_var)
    torch.testing.assert_close(own.eval()(x, mask)[mask], torchs.eval()(x[mask]))


def test_padding_changes_neither_output_nor_statistics():
    (x, mask), (y, _) = frames(), frames(fill=100.0)
    first, second = pair()[0], pair()[0]
    torch.testing.assert_close(first(x, mask)[mask], second(y, mask)[mask])
    torch.testing.assert_close(first.running_var, second.running_var)


def test_vectors_need_no_mask_and_one_of_them_stays_finite():
    own, torchs = pair()
    x = frames()[0][:, 0]
    torch.testing.assert_close(own(x), torchs(x))
    assert own(x[:1]).isfinite().all() and own.running_var.isfinite().all()


def test_half_precision_keeps_statistics_in_full_precision():
    own, torchs = pair()
    x, mask = frames()
    large = (300 * x + 1000).to(torch.bfloat16)  # squares above what 16 bits of a mean can hold exactly
    own(large, mask)
    torchs(large[mask].float())
    torch.testing.assert_close(own.running_mean, torchs.running_mean)
    torch.testing.assert_close(own.running_var, torchs.running_var)
