"""Losses on distributions against loops and torch.distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ugcl.losses.distributions import adversarial, kl_normal, masked_mse, mmd, variance_covariance


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def test_mmd_against_loops():
    x, y = draw(4, 3), draw(5, 3, seed=1) + 0.5
    rows = [*x.numpy(), *y.numpy()]
    distances = sorted(np.linalg.norm(a - b) for i, a in enumerate(rows) for b in rows[i + 1 :])
    median = distances[(len(distances) - 1) // 2]

    def mean_kernel(first, second):
        values = [
            sum(math.exp(-float(((a - b) ** 2).sum()) / (2 * (c * median) ** 2)) for c in (0.5, 1, 2))
            for a in first
            for b in second
        ]
        return sum(values) / len(values)

    left, right = x.numpy(), y.numpy()
    expected = mean_kernel(left, left) + mean_kernel(right, right) - 2 * mean_kernel(left, right)
    assert mmd(x, y).item() == pytest.approx(expected)


def test_mmd_of_equal_samples_is_0_and_grows_with_a_shift():
    x = draw(20, 4)
    assert mmd(x, x.flip(0)).item() == pytest.approx(0, abs=1e-12)
    near, far = mmd(x, x + 0.3), mmd(x, x + 3)
    assert 0 < near < far


def test_mmd_of_one_vector_repeated_and_of_none_has_finite_gradients():
    for x in (torch.ones(3, 2, requires_grad=True), torch.ones(0, 2, requires_grad=True)):
        loss = mmd(x, torch.ones(3, 2))
        loss.backward()
        assert loss.item() == 0 and x.grad.isfinite().all()


def test_kl_against_torch_distributions():
    mean, log_variance = draw(6, 3), draw(6, 3, seed=1)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(posterior, prior).sum(dim=1).mean()
    torch.testing.assert_close(kl_normal(mean, log_variance), expected)
    assert kl_normal(torch.zeros(2, 3), torch.zeros(2, 3)).item() == 0
    assert kl_normal(torch.zeros(0, 3), torch.zeros(0, 3)).item() == 0


def test_adversarial_loss_by_hand():
    real, made = torch.tensor([0.0, 2.0]), torch.tensor([-1.0])
    sigma = lambda z: 1 / (1 + math.exp(-z))  # noqa: E731
    expected = -(math.log(0.5) + math.log(sigma(2))) / 2 - math.log(1 - sigma(-1))
    assert adversarial(real, made).item() == pytest.approx(expected)
    assert adversarial(torch.zeros(3), torch.zeros(4)).item() == pytest.approx(2 * math.log(2))
    assert adversarial(torch.zeros(3), torch.zeros(0)).item() == 0


def test_variance_and_covariance_against_numpy():
    x = draw(7, 4) * torch.tensor([0.1, 0.5, 1.0, 3.0], dtype=torch.double)
    cov = np.cov(x.numpy(), rowvar=False)
    spread = np.maximum(0, 1 - np.sqrt(np.diag(cov) + 1e-4)).mean()
    off = (cov**2).sum() - (np.diag(cov) ** 2).sum()
    found = variance_covariance(x)
    assert [v.item() for v in found] == pytest.approx([spread, off / 4])
    assert [v.item() for v in variance_covariance(x[:1])] == [0, 0]


def test_masked_error_ignores_what_is_hidden():
    x, y = torch.zeros(2, 3, 2), torch.zeros(2, 3, 2)
    x[0, 1] = torch.tensor([1.0, 3.0])
    x[1, 0] = torch.nan
    mask = torch.tensor([[True, True, False], [False, True, False]])
    assert masked_mse(x, y, mask).item() == pytest.approx(10 / 6)
    x.requires_grad_()
    nothing = masked_mse(x, y, torch.zeros_like(mask))
    nothing.backward()
    assert nothing.item() == 0 and x.grad.isfinite().all()
