"""Convolutions over frames: exact values by hand or by other operations, causality, padding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ugcl.models.layers.convolution import CausalTCN, ConformerConvolution, PyramidConvolution


def made(module, seed=0):
    """The module with random parameters, no zeros left, in evaluation."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn_like(p) * 0.5)
    return module.eval()


def frames(width=8, fill=0.0):
    x = torch.randn(2, 9, width, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(9) < torch.tensor([9, 5])[:, None]
    return x.masked_fill(~mask[..., None], fill), mask


def test_a_causal_block_by_hand():
    net = made(CausalTCN(1, [1], kernel=2, slope=0.1))
    block = net.network[0]
    with torch.no_grad():
        for conv, v, g in ((block.conv1, [3.0, 4.0], 10.0), (block.conv2, [0.0, -2.0], 1.0)):
            conv.parametrizations.weight.original1.copy_(torch.tensor([[v]]))
            conv.parametrizations.weight.original0.fill_(g)
            conv.bias.zero_()
    x = torch.tensor([[[1.0], [2.0], [-1.0]]])
    # conv1 = 6 x[t−1] + 8 x[t] (10 · [3, 4] / 5): 8, 22, 4. conv2 = −1 · h[t]: −8, −22, −4, times the slope.
    # Plus x: 0.2, −0.2 (times the slope), −1.4 (times the slope).
    torch.testing.assert_close(net(x).flatten(), torch.tensor([0.2, -0.02, -0.14]))


@pytest.mark.parametrize("frame", [0, 3, 8])
def test_a_frame_of_the_causal_network_sees_its_past_alone(frame):
    net, (x, _) = made(CausalTCN(8, [6, 6, 5], kernel=3)), frames()
    changed = x.clone()
    changed[:, frame] += 1
    moved = (net(changed) - net(x)).abs().amax(dim=(0, 2)) > 0
    assert not moved[:frame].any() and moved[frame:].any()


def test_each_block_doubles_the_reach_of_the_causal_network():
    net = made(CausalTCN(1, [1, 1], kernel=2, slope=1.0))  # linear; reach: 2 · 1 + 2 · 2 frames of the past
    impulse = torch.zeros(1, 12, 1)
    impulse[0, 2] = 1
    moved = (net(impulse) - net(torch.zeros(1, 12, 1))).abs().flatten() > 1e-7
    assert moved.nonzero().flatten().tolist() == list(range(2, 9))


def test_the_conformer_convolution_against_plain_operations():
    module, (x, mask) = made(ConformerConvolution(8, kernel=5)), frames()
    module.batch_norm.running_mean.normal_()
    module.batch_norm.running_var.uniform_(0.5, 1.5)
    h = module.norm(x[:1]) @ module.expand.weight.T + module.expand.bias
    h = h[..., :8] * torch.sigmoid(h[..., 8:])
    padded = F.pad(h, (0, 0, 2, 2))
    weight = module.depthwise.weight[:, 0]  # (W, 5)
    h = sum(padded[:, k : k + 9] * weight[:, k] for k in range(5))
    norm = module.batch_norm
    h = F.batch_norm(h.transpose(1, 2), norm.running_mean, norm.running_var, norm.weight, norm.bias)
    h = h.transpose(1, 2)
    torch.testing.assert_close(module(x, mask)[:1], module.contract(h * torch.sigmoid(h)))


def test_the_pyramid_by_hand():
    module, (x, mask) = made(PyramidConvolution(8, kernels=(1, 3))), frames()
    conv1, conv3 = module.convolutions
    first = x[:1, :, :4] @ conv1.weight[:, :, 0].T + conv1.bias
    padded = F.pad(x[:1, :, 4:], (0, 0, 1, 1))
    second = sum(padded[:, k : k + 9] @ conv3.weight[:, :, k].T for k in range(3)) + conv3.bias
    gates = torch.stack([module.squeeze(h.mean(dim=1)) for h in (first, second)]).exp()
    gates = gates / gates.sum(dim=0)
    expected = torch.cat([gates[0][:, None] * first, gates[1][:, None] * second], dim=-1)
    torch.testing.assert_close(module(x, mask)[:1], expected)


@pytest.mark.parametrize("module", [ConformerConvolution(8, kernel=5), PyramidConvolution(8)])
def test_what_stands_in_the_padding_does_not_matter(module):
    (x, mask), (y, _) = frames(), frames(fill=7.0)
    module = made(module)
    torch.testing.assert_close(module(x, mask)[mask], module(y, mask)[mask])
    short = module(x[1:, :5], mask[1:, :5])
    torch.testing.assert_close(module(x, mask)[1:, :5], short)
