"""Frames that are hidden from a network which shall reconstruct them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def random_mask(mask: Tensor, share: float) -> Tensor:
    """Hide frames one by one.

    Args:
        mask: (B, T), True = valid frame.
        share: part of a clip's n valid frames, rounded; n − 1 frames at most, so that one is left to see.

    Returns:
        (B, T), True = hidden; valid frames only.
    """
    order = torch.rand(mask.shape, device=mask.device).masked_fill(~mask, torch.inf)
    return (order.argsort(dim=1).argsort(dim=1) < _count(mask, share)) & mask


def span_mask(mask: Tensor, share: float) -> Tensor:
    """Hide one run of frames, anywhere in the clip; arguments and result as of :func:`random_mask`."""
    count, place = _count(mask, share), mask.cumsum(dim=1) - 1  # (B, 1); number of a valid frame, (B, T)
    free = mask.sum(dim=1, keepdim=True) - count
    start = (torch.rand(count.shape, device=mask.device) * (free + 1)).floor()
    return (place >= start) & (place < start + count) & mask


def _count(mask: Tensor, share: float) -> Tensor:
    valid = mask.sum(dim=1, keepdim=True)
    return torch.minimum((share * valid).round().long(), valid - 1)


class MaskToken(nn.Module):
    """One learnt vector in place of every hidden frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(0.02 * torch.randn(width))

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """(B, T, W), hidden where (B, T) is True → (B, T, W)."""
        return torch.where(hidden[..., None], self.token.to(x.dtype), x)
