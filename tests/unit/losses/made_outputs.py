"""What a network might give to the losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def unit(*shape, seed=0):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)
    return F.normalize(x, dim=-1)


def parts_of(counts, seed):
    """Clips with some of up to five parts, each of length 1."""
    return unit(len(counts), 5, 3, seed=seed), torch.arange(5) < torch.tensor(counts)[:, None]


def outputs(present=(True, True, True, True)):
    here = torch.tensor(present)
    tokens = {"audio": unit(4, 3).float(), "video": unit(4, 3, seed=1).float()}
    return {
        "logits": torch.randn(4, 3),
        "tokens": tokens,
        "assignments": {m: torch.full((4, 5), 0.2) for m in tokens},
        "present": {"audio": torch.ones(4, dtype=torch.bool), "video": here},
        "levels": {"clip": {m: (z[:, None], torch.ones(4, 1, dtype=torch.bool)) for m, z in tokens.items()}},
        "scale": torch.tensor(10.0),
        "matches": {("audio", "video"): torch.randn(4, 4)},
        "auxiliary": {m: torch.randn(4, 3) for m in tokens},
    }
