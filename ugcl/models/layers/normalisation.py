"""Batch normalisation of padded sequences."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe and Szegedy 2015) over the valid frames; states are those of BatchNorm1d.

    In training, statistics are those of all valid frames of the batch; in evaluation, the running ones, so
    that a clip does not depend on others.
    """

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        mean, variance = self.running_mean, self.running_var
        if self.training:
            valid = mask[..., None].to(x.dtype)
            count = valid.sum()
            mean = (x * valid).sum(dim=(0, 1)) / count
            variance = ((x - mean).square() * valid).sum(dim=(0, 1)) / count
            with torch.no_grad():
                unbiased = variance * count / (count - 1).clamp_min(1)
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(unbiased, self.momentum)
                self.num_batches_tracked += 1
        return (x - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias
