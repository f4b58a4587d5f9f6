"""Losses on distributions of vectors: distances, priors, adversaries, spread, and reconstruction."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BANDWIDTHS = (0.5, 1.0, 2.0)
"""Widths of the kernels of :func:`mmd`, as multiples of the median distance."""


def mmd(x: Tensor, y: Tensor) -> Tensor:
    """Squared maximum mean discrepancy, the biased estimate (Gretton et al. 2012, eq. 5).

    MMD² = mean k(x, x') + mean k(y, y') − 2 mean k(x, y),  k(a, b) = Σ_c exp(−‖a − b‖² / (2 (c · d)²)),
    c ∈ {½, 1, 2}; d is the median distance of two different vectors of both samples and carries no gradient.
    Pairs of a vector with itself count, so that equal samples give exactly 0 and nothing gives less.

    Args:
        x: (N, D).
        y: (M, D).

    Returns:
        Scalar ≥ 0; 0 where a sample is empty.
    """
    if len(x) == 0 or len(y) == 0:
        return (x.sum() + y.sum()) * 0.0
    both = torch.cat([x, y])
    square = (both[:, None] - both[None]).square().sum(dim=-1)
    first, second = torch.triu_indices(len(both), len(both), offset=1, device=both.device)
    median = square.detach()[first, second].sqrt().median().clamp_min(1e-6)
    kernel = sum(torch.exp(-square / (2 * (c * median) ** 2)) for c in BANDWIDTHS)
    n = len(x)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()  # pyright: ignore[reportIndexIssue]


def kl_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, I)) = ½ Σ_d (μ² + σ² − 1 − log σ²) (Kingma and Welling 2014, appendix B).

    Args:
        mean: μ (B, D).
        log_variance: log σ² (B, D).

    Returns:
        Scalar mean over clips, 0 without any.
    """
    if len(mean) == 0:
        return mean.sum() * 0.0
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=-1).mean() / 2


def adversarial(real: Tensor, made: Tensor) -> Tensor:
    """Loss of a discriminator, mean BCE(real, 1) + mean BCE(made, 0) (Goodfellow et al. 2014, eq. 1).

    In one step with the encoder: `made` are logits of codes whose gradient is reversed, D(R(s)), see
    `models.layers.latent.reverse_gradient`.

    Args:
        real: logits of draws from the prior, any shape.
        made: logits of codes, any shape; may be empty.

    Returns:
        Scalar; 2 log 2 where the discriminator is at chance.
    """
    if real.numel() == 0 or made.numel() == 0:
        return (real.sum() + made.sum()) * 0.0
    return F.softplus(-real).mean() + F.softplus(made).mean()


def variance_covariance(x: Tensor, target: float = 1.0) -> tuple[Tensor, Tensor]:
    """Variance and covariance terms of VICReg (Bardes et al. 2022, eqs. 1 to 4).

    v = mean_d [γ − √(Var(x_d) + 10⁻⁴)]₊,  c = 1/D Σ_{i≠j} Cov(x)_ij², both with divisor N − 1.

    Args:
        x: (N, D).
        target: γ.

    Returns:
        v and c, scalars; 0 with fewer than two vectors.
    """
    if len(x) < 2:
        return x.sum() * 0.0, x.sum() * 0.0
    centred = x - x.mean(dim=0)
    covariance = centred.T @ centred / (len(x) - 1)
    variance = covariance.diagonal()
    spread = F.relu(target - (variance + 1e-4).sqrt()).mean()
    return spread, (covariance.square().sum() - variance.square().sum()) / x.shape[1]


def masked_mse(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error over the vectors of a mask.

    Args:
        x: (…, D).
        y: (…, D).
        mask: (…), True = counts; what stands elsewhere does not matter, not even NaN.

    Returns:
        Scalar, the mean over vectors and their columns; 0 where none counts.
    """
    error = torch.where(mask[..., None], x - y, 0.0).square().sum()
    return error / (mask.sum() * x.shape[-1]).clamp_min(1)
