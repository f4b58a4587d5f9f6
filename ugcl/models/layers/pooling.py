"""Pooling of the valid frames of a clip, without parameters: x (B, T, W) and mask (B, T) → (B, W).

A mask is True where a frame is valid; every clip has a valid frame.
"""

from __future__ import annotations

import torch
from torch import Tensor


def masked_sum(x: Tensor, mask: Tensor) -> Tensor:
    """Sum of the valid frames, (B, W)."""
    return x.masked_fill(~mask[..., None], 0.0).sum(dim=1)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of the valid frames, (B, W)."""
    return masked_sum(x, mask) / mask.sum(dim=1, keepdim=True)


def masked_max(x: Tensor, mask: Tensor) -> Tensor:
    """Largest value of each column over the valid frames, (B, W)."""
    return x.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)


def masked_min(x: Tensor, mask: Tensor) -> Tensor:
    """Smallest value of each column over the valid frames, (B, W)."""
    return x.masked_fill(~mask[..., None], torch.inf).amin(dim=1)


def last_valid(x: Tensor, mask: Tensor) -> Tensor:
    """The last valid frame, (B, W)."""
    steps = torch.arange(mask.shape[1], device=mask.device)
    last = steps.where(mask, -1).amax(dim=1)
    return x.take_along_dim(last[:, None, None], dim=1)[:, 0]
