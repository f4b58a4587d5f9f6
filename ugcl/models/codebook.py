"""Use of the codebook: how many tokens are used by one clip and by all clips together."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

DEAD = 0.1
"""A token with less than this share of an even use is dead."""


def perplexity(assignments: Tensor) -> Tensor:
    """Number of tokens in use: exp of the entropy of the mean of the weights (N, K), 1..K."""
    return torch.special.entr(assignments.mean(dim=0)).sum().exp()


def clip_perplexity(assignments: Tensor) -> Tensor:
    """Number of tokens that one clip uses, mean over weights (N, K) of clips, 1..K; K if all equally."""
    return torch.special.entr(assignments).sum(dim=1).exp().mean()


class CodebookUse:
    """Sum of the weights over an epoch: a token that one small batch does not use may be used by others."""

    def __init__(self) -> None:
        self.total: Tensor | None = None

    def add(self, assignments: Mapping[str, Tensor]) -> None:
        """Take in a batch: modality → (B, K)."""
        used = torch.stack([weights.detach().float().sum(dim=0) for weights in assignments.values()])
        used = used.sum(dim=0)
        self.total = used if self.total is None else self.total + used

    def take(self) -> dict[str, float]:
        """`dead_tokens`, the share 0..1 since the last call; nothing for systems without tokens."""
        if self.total is None:
            return {}
        share, self.total = self.total / self.total.sum(), None
        return {"dead_tokens": float((share < DEAD / len(share)).float().mean())}
