"""HyPCA-Net's transforms are the published ones, and its gates stay within their bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.fft
import torch

from ugcl.methods.audiovisual.hypca import ContinuousLayer, FrequencyBlock, MutualGate, Scala, cosines, haar

MASK = torch.arange(11) < torch.tensor([[11], [6], [1]])


@pytest.mark.parametrize("size", [2, 5, 8])
def test_cosines_are_the_second_dct(size: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, size))
    found = x @ cosines(size).double().numpy().T
    np.testing.assert_allclose(found, scipy.fft.dct(x, norm="ortho"), atol=1e-6)


def test_haar_keeps_energy_and_neighbours() -> None:
    x = torch.tensor([[[1.0], [3.0], [5.0]]])  # the last has no neighbour: it is beside 0
    low, high = haar(x)
    root = math.sqrt(2)
    torch.testing.assert_close(low[0, :, 0], torch.tensor([4 / root, 5 / root]))
    torch.testing.assert_close(high[0, :, 0], torch.tensor([-2 / root, 5 / root]))
    torch.testing.assert_close(low.square().sum() + high.square().sum(), x.square().sum())


def test_scalas_gate_lies_between_half_and_the_sigmoid_of_two() -> None:
    torch.manual_seed(0)
    gate = Scala(6).gate(100 * torch.randn(3, 11, 6), MASK)
    assert gate.min() >= 0.5 and gate.max() <= 1 / (1 + math.exp(-2)) + 1e-6
    assert gate.max() - gate.min() > 0.1


def test_windows_mix_by_their_gate() -> None:
    torch.manual_seed(0)
    block, x = FrequencyBlock(8, window=4), torch.randn(1, 6, 8)
    window = torch.cat([x[0, 4:], torch.zeros(2, 8)])  # the second one is filled up
    spectrum = torch.from_numpy(scipy.fft.dct(window.numpy(), axis=0, norm="ortho"))
    gate = block.gate(window).sigmoid()
    expected = gate * block.frequency(spectrum).sigmoid() + (1 - gate) * window
    torch.testing.assert_close(block.mixed(x)[0, 1], expected)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_a_window_is_carried_on_by_both_steps() -> None:
    torch.manual_seed(0)
    layer, y = ContinuousLayer(16).double(), torch.randn(1, 2, 5, 16, dtype=torch.double)
    found = layer(y)[0, 1].detach().numpy()
    window = y[0, 1].numpy()

    def dense(linear: torch.nn.Linear, x: np.ndarray) -> np.ndarray:
        return x @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()

    def perceptron(part: torch.nn.Sequential, x: np.ndarray) -> np.ndarray:
        return sigmoid(dense(part[2], np.maximum(dense(part[0], x), 0)))

    step = perceptron(layer.horizon, window.mean(axis=0))
    euler = window + step * perceptron(layer.flow, window)
    middle = window + step / 2 * perceptron(layer.flow, window)
    carried = euler + window + step * perceptron(layer.flow, middle)
    gate = sigmoid(dense(layer.gate, window))
    mixed = gate * carried + (1 - gate) * window
    pools = mixed.mean(axis=0) + mixed.max(axis=0) + mixed.min(axis=0) + mixed.sum(axis=0)
    np.testing.assert_allclose(found, mixed * sigmoid(perceptron(layer.excite, pools)))


def test_mutual_gates_by_hand() -> None:
    """Four frames against three; of the second clip only three and two are valid."""
    torch.manual_seed(0)
    layer = MutualGate(6, (1, 3)).double()
    with torch.no_grad():
        layer.own.fill_(0.7), layer.other.fill_(-0.4), layer.scales.copy_(torch.tensor([1.5, 0.5]))
    lengths = torch.tensor([4, 3]), torch.tensor([3, 2])
    masks = [torch.arange(n) < own[:, None] for n, own in zip((4, 3), lengths, strict=True)]
    x, y = (torch.randn(*mask.shape, 6, dtype=torch.double) * mask[..., None] for mask in masks)
    found = layer(x, y, *masks)

    def pools(z: torch.Tensor) -> torch.Tensor:
        return z.mean(dim=0) + z.amax(dim=0) + z.amin(dim=0) + z.sum(dim=0) / len(z) ** 0.5

    for clip, (n, k) in enumerate(torch.stack(lengths, dim=1).tolist()):
        u, v = x[clip, :n], y[clip, :k]
        even = torch.cat([u, torch.zeros(n % 2, 6)])
        bands = [(even[::2] + even[1::2]) / 2**0.5, (even[::2] - even[1::2]) / 2**0.5]
        ranges = sum(b.amax(dim=0) - b.mean(dim=0) - b.amin(dim=0) for b in bands)
        first = 0.7 * layer.norm(sum(pools(b) for b in bands)) - 0.4 * layer.norm(ranges)
        around = torch.cat([torch.zeros(1, 6), v, torch.zeros(1, 6)])
        one, three = (kernel.weight[:, 0] for kernel in layer.kernels)
        read = v * one[:, 0] + sum(around[i : i + k] * three[:, i] for i in range(3))
        second = pools(read + sum(kernel.bias for kernel in layer.kernels))
        gate = (0.7 * first - 0.4 * second).sigmoid()
        torch.testing.assert_close(found[0][clip, :n], u * gate * 1.5)
        gate = (0.7 * layer.norm(0.7 * second - 0.4 * first)).sigmoid()
        torch.testing.assert_close(found[1][clip, :k], v * gate * 0.5)
