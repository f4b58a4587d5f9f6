"""Heads: from clip-level vectors to logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Classifier(nn.Sequential):
    """Perceptron with one hidden layer, (B, in) → (B, classes)."""

    def __init__(self, size: int, hidden: int, classes: int, dropout: float) -> None:
        first = nn.LayerNorm(size), nn.Dropout(dropout), nn.Linear(size, hidden)
        super().__init__(*first, nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, classes))


class Matcher(nn.Module):
    """Logit of every pair of clips of two modalities: whether both belong to the same clip.

    A perceptron on [u_i, v_j, u_i ∘ v_j], whose first layer is computed once per clip and not once per pair.
    """

    def __init__(self, size: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(size, hidden)
        self.second = nn.Linear(size, hidden, bias=False)
        self.product = nn.Linear(size, hidden, bias=False)
        self.out = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, 1))

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        """(N, d) and (M, d) → (N, M); entry i, j judges u_i with v_j."""
        product = self.product(torch.einsum("id,jd->ijd", u, v))
        return self.out(self.first(u)[:, None] + self.second(v)[None] + product).squeeze(-1)
