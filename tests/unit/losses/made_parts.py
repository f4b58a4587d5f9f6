"""Clips as parts of length 1."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def unit(*shape, seed=0):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)
    return F.normalize(x, dim=-1)


def parts_of(counts, seed):
    """Clips with some of up to five parts, each of length 1."""
    return unit(len(counts), 5, 3, seed=seed), torch.arange(5) < torch.tensor(counts)[:, None]
