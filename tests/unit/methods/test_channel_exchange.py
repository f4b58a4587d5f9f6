"""CEN's exchange and penalty on numbers by hand."""

from __future__ import annotations

import torch

from ugcl.methods.audiovisual.cen import ExchangeBlock, exchange


def test_channels_with_a_small_scale_come_from_the_others():
    streams = [torch.full((1, 1, 3), value) for value in (1.0, 2.0, 6.0)]
    scales = torch.tensor([[0.1, -0.01, 0.5], [0.0, 0.02, 0.3], [0.2, 0.2, -0.019]])
    found = torch.cat(exchange(streams, list(scales), threshold=0.02))[:, 0]
    # Channel by channel: 1 keeps, 2 ← (1 + 6)/2, 1 ← (2 + 6)/2, |γ| = θ keeps, 6 ← (1 + 2)/2.
    torch.testing.assert_close(found, torch.tensor([[1.0, 4.0, 1.0], [3.5, 2.0, 2.0], [6.0, 6.0, 1.5]]))


def test_the_penalty_is_of_the_first_half_of_one_stream_and_the_rest_of_the_other():
    block = ExchangeBlock(width=6, channels=5, streams=2, threshold=0.02)
    for norm, scales in zip(
        block.bn2, ([1.0, -2.0, 4.0, 8.0, 16.0], [32.0, 64.0, 1.0, 2.0, -4.0]), strict=True
    ):
        norm.weight.data = torch.tensor(scales)
    assert block.penalty().item() == (1 + 2) + (
        1 + 2 + 4
    )  # the released code cuts five channels into 2 and 3
