"""Recurrent layers read each clip by its own length."""

from __future__ import annotations

import pytest
import torch

from ugcl.models.layers.recurrent import GRU, BiLSTM

LENGTHS = torch.tensor([4, 1, 6, 3])


def clips():
    torch.manual_seed(0)
    return torch.randn(4, 6, 5), torch.arange(6) < LENGTHS[:, None]


@pytest.mark.parametrize("layer", [BiLSTM, GRU])
def test_a_clip_in_a_padded_batch_is_as_alone(layer):
    x, mask = clips()
    network = layer(5, 3)
    found = network(x.masked_fill(~mask[..., None], 9.0), mask)
    assert found.shape == (4, 6, 6 if layer is BiLSTM else 3)
    for i, length in enumerate(LENGTHS.tolist()):
        alone = network(x[i : i + 1, :length], mask[i : i + 1, :length])
        torch.testing.assert_close(found[i, :length], alone[0])
        assert (found[i, length:] == 0).all()


def test_the_backward_half_starts_at_the_last_valid_frame():
    x, mask = clips()
    network = BiLSTM(5, 3)
    forward, backward = torch.nn.LSTM(5, 3, batch_first=True), torch.nn.LSTM(5, 3, batch_first=True)
    state = network.state_dict()
    forward.load_state_dict({k: v for k, v in state.items() if not k.endswith("_reverse")})
    backward.load_state_dict(
        {k.removesuffix("_reverse"): v for k, v in state.items() if k.endswith("_reverse")}
    )
    found = network(x, mask)
    for i, length in enumerate(LENGTHS.tolist()):
        clip = x[i : i + 1, :length]
        expected = torch.cat([forward(clip)[0], backward(clip.flip(1))[0].flip(1)], dim=-1)
        torch.testing.assert_close(found[i, :length], expected[0])


def test_a_gated_recurrent_unit_by_hand():
    x, mask = clips()
    network = GRU(5, 3)
    cell = torch.nn.GRUCell(5, 3)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in network.state_dict().items()})
    found, state = network(x, mask), torch.zeros(4, 3)
    for t in range(6):
        state = cell(x[:, t], state)
        torch.testing.assert_close(found[mask[:, t], t], state[mask[:, t]])
