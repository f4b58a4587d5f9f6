"""Batch normalisation of padded sequences."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskedBatchNorm(nn.Module):
    """Batch normalisation with the statistics of the valid frames alone (Ioffe and Szegedy 2015, alg. 1, 2).

    Training: y = γ (x − μ) / √(σ² + ε) + β over the valid frames of the batch. Evaluation: with the running
    μ and σ², so that a clip does not depend on its batch. Parameters have the names of `nn.BatchNorm1d`.
    """

    def __init__(self, width: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise.

        Args:
            x: (…, W).
            mask: (…), True = valid, one at least; None = all are.

        Returns:
            (…, W); what is not valid is normalised too, and read by nothing.
        """
        mean, variance = self._of_batch(x, mask) if self.training else (self.running_mean, self.running_var)
        return (x - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias

    def _of_batch(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        x = x.to(self.weight.dtype).reshape(-1, x.shape[-1])
        valid = x.new_ones(len(x), 1) if mask is None else mask.reshape(-1, 1).to(x.dtype)
        count = valid.sum()
        mean = (x * valid).sum(dim=0) / count
        variance = ((x - mean).square() * valid).sum(dim=0) / count
        with torch.no_grad():
            unbiased = variance * count / (count - 1).clamp(min=1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
        return mean, variance
