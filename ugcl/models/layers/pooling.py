"""Pooling of padded sequences, (B, T, W) with valid frames (B, T) → (B, W). Every clip has a valid frame."""

from __future__ import annotations

import torch
from torch import Tensor


def masked_sum(x: Tensor, mask: Tensor) -> Tensor:
    """Sum of the valid frames."""
    return x.masked_fill(~mask[..., None], 0.0).sum(dim=1)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of the valid frames."""
    return masked_sum(x, mask) / mask.sum(dim=1, keepdim=True)


def masked_max(x: Tensor, mask: Tensor) -> Tensor:
    """Largest value of each column over the valid frames."""
    return x.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)


def masked_min(x: Tensor, mask: Tensor) -> Tensor:
    """Smallest value of each column over the valid frames."""
    return x.masked_fill(~mask[..., None], torch.inf).amin(dim=1)


def last_valid(x: Tensor, mask: Tensor) -> Tensor:
    """The last valid frame."""
    place = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(mask, place, 0).amax(dim=1)
    return x.gather(1, last[:, None, None].expand(-1, 1, x.shape[-1]))[:, 0]
