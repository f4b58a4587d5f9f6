"""HyPCA-Net's transforms are the published ones, and its gates stay within their bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.fft
import torch

from ugcl.methods.audiovisual.hypca import FrequencyBlock, Scala, cosines, haar

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
    torch.testing.assert_close(block.mixed(x)[0, 4:], expected[:2])
