"""Mean and standard deviation of frames, and frames standardised by them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

SMALLEST_STD = 1e-3
"""Columns that vary less than this are only centred: half precision holds no more of them."""


def moments(clips: Iterable[Tensor], dim: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over all frames of some clips, in one pass.

    The moments of clip after clip are merged without cancellation (Chan, Golub and LeVeque 1979).

    Args:
        clips: (T, D) frames of each.
        dim: D.

    Returns:
        Both (D,) float32; the deviation is 1 where it is smaller than `SMALLEST_STD`.
    """
    count, mean, squares = 0, torch.zeros(dim, dtype=torch.double), torch.zeros(dim, dtype=torch.double)
    for x in clips:
        x = x.float()
        own = x.mean(dim=0)
        delta = own.double() - mean
        total = count + len(x)
        squares += (x - own).square().sum(dim=0).double() + delta**2 * (count * len(x) / total)
        mean += delta * (len(x) / total)
        count = total
    std = (squares / max(1, count)).sqrt()
    return mean.float(), torch.where(std < SMALLEST_STD, 1.0, std).float()


def standardised(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(T, D) frames less a mean (D,), over a deviation (D,), in the precision they came in."""
    return ((x.float() - mean) / std).to(x.dtype)
