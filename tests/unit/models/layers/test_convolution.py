"""Convolutions over frames, against loops written out and formulae."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ugcl.models.layers.convolution import CausalTCN, ConformerConvolution, PyramidConvolution

MASK = torch.arange(9) < torch.tensor([[9], [4], [1]])


def padded(x: torch.Tensor, value: float) -> torch.Tensor:
    return x.masked_fill(~MASK[..., None], value)


def test_the_causal_stack_by_hand() -> None:
    """Each output is a sum over earlier frames, 2^i apart in block i."""
    torch.manual_seed(0)
    network, x = CausalTCN(3, [4, 4], kernel=2, slope=0.1), torch.randn(1, 9, 3)
    h = x[0].T
    for i, block in enumerate(network.network):
        before = h
        for convolution in (block.conv1, block.conv2):
            out = torch.empty(len(convolution.weight), 9)
            for t in range(9):
                earlier = h[:, t - 2**i] if t >= 2**i else torch.zeros(len(h))
                out[:, t] = convolution.weight[..., 1] @ h[:, t] + convolution.weight[..., 0] @ earlier
            h = F.leaky_relu(out + convolution.bias[:, None], 0.1)
        if block.downsample is not None:
            before = block.downsample.weight[..., 0] @ before + block.downsample.bias[:, None]
        h = F.leaky_relu(h + before, 0.1)
    torch.testing.assert_close(network(x)[0], h.T)


def test_a_frame_moves_no_earlier_one() -> None:
    torch.manual_seed(0)
    network, x = CausalTCN(3, [4, 5, 5], kernel=5, slope=0.1), torch.randn(2, 12, 3)
    changed = x.clone()
    changed[:, 6] += 1.0
    differ = (network(changed) != network(x)).any(dim=2)
    assert not differ[:, :6].any() and differ[:, 6].all()


def test_the_conformers_convolution() -> None:
    torch.manual_seed(0)
    layer, x = ConformerConvolution(6, 5).eval(), torch.randn(3, 9, 6)
    torch.nn.init.normal_(layer.batch_norm.running_mean)
    first, second = layer.expand(layer.norm(x)).chunk(2, dim=-1)
    h = first * second.sigmoid() * MASK[..., None]
    h = F.conv1d(h.mT, layer.depthwise.weight, padding=2, groups=6).mT
    norm = layer.batch_norm
    h = F.batch_norm(h.mT, norm.running_mean, norm.running_var, norm.weight, norm.bias).mT
    expected = layer.contract(h * h.sigmoid())
    torch.testing.assert_close(padded(layer(x, MASK), 0.0), padded(expected, 0.0))
    torch.testing.assert_close(padded(layer(padded(x, 9.0), MASK), 0.0), padded(expected, 0.0))


def test_the_pyramid_weighs_its_kernels_by_column() -> None:
    torch.manual_seed(0)
    layer, x = PyramidConvolution(8), torch.randn(3, 9, 8)
    clean = padded(x, 0.0)
    scales, excited = [], []
    for i, kernel in enumerate((3, 5, 7, 9)):
        group = clean[..., 2 * i : 2 * i + 2].mT
        own = layer.convolutions[i]
        scales.append(F.conv1d(group, own.weight, own.bias, padding=kernel // 2).mT)
        means = torch.stack([scales[-1][b, MASK[b]].mean(dim=0) for b in range(3)])
        excited.append(layer.excitations[i](means))
    shares = torch.stack(excited).softmax(dim=0)
    expected = torch.cat([shares[i][:, None] * scales[i] for i in range(4)], dim=-1)
    torch.testing.assert_close(padded(layer(padded(x, 5.0), MASK), 0.0), padded(expected, 0.0))
