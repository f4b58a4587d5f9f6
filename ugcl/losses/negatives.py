"""Contrasts across modalities that differ in who is a positive and who is a negative.

All take vectors u_i, v_i of N clips in two modalities, s_ij = cos(u_i, v_j) / τ, and give a scalar; 0 where
there is nothing to contrast.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def hard_negative_info_nce(
    u: Tensor, v: Tensor, labels: Tensor, temperature: float = 0.07, hardest: int = 8
) -> Tensor:
    """InfoNCE whose negatives are the k most similar clips of other classes, in both directions.

    ℓ(S) = mean_i −log( e^{s_ii} / (e^{s_ii} + Σ_{j∈H(i)} e^{s_ij}) ), H(i) the `hardest` of {j : y_j ≠ y_i};
    L = ½ (ℓ(S) + ℓ(Sᵀ)). A clip without a clip of another class adds 0.

    Args:
        u: (N, d).
        v: (N, d).
        labels: (N,) class numbers.
        temperature: τ.
        hardest: k; all negatives if there are fewer.
    """
    scores = _cosines(u, v, temperature)
    same = labels[:, None] == labels[None]
    losses = []
    for side in (scores, scores.T):
        negatives = side.masked_fill(same, -torch.inf).topk(min(hardest, len(side)), dim=1).values
        own = side.diagonal()
        losses.append(torch.logsumexp(torch.cat([own[:, None], negatives], dim=1), dim=1) - own)
    return torch.cat(losses).sum() / max(1, 2 * len(u))


def nt_xent(u: Tensor, v: Tensor, temperature: float = 0.5) -> Tensor:
    """Contrast of 2N views: each against its partner and all other views (Chen et al. 2020, SimCLR, eq. 1).

    With z = [u; v] and s_ij = cos(z_i, z_j) / τ:  L = mean_i −log( e^{s_i,p(i)} / Σ_{k≠i} e^{s_ik} ).

    Args:
        u: (N, d).
        v: (N, d); v_i is the other view of u_i.
        temperature: τ.
    """
    views, count = torch.cat([u, v]), len(u)
    itself = torch.eye(2 * count, dtype=torch.bool, device=u.device)
    scores = _cosines(views, views, temperature).masked_fill(itself, -torch.inf)
    partner = torch.arange(2 * count, device=u.device).roll(count)
    return F.cross_entropy(scores, partner, reduction="sum") / max(1, 2 * count)


def cross_supervised(
    u: Tensor, v: Tensor, labels: Tensor, temperature: float = 0.5, own_pair: bool = True
) -> Tensor:
    """Supervised contrast of u's clips with v's, where positives do not compete with one another.

    L = mean_i 1/n Σ_{j∈P(i)} −log( e^{s_ij} / (e^{s_ij} + Σ_{k: y_k≠y_i} e^{s_ik}) ), P(i) = {j : y_j = y_i}.
    DeepMSI-MER (2502.08573, released code) leaves a clip's own pair out of P(i) and has n = N − 1; with
    it, n = N.

    Args:
        u: (N, d), the anchors.
        v: (N, d).
        labels: (N,) class numbers.
        temperature: τ.
        own_pair: whether i is in P(i).
    """
    count, scores = len(u), _cosines(u, v, temperature)
    same = labels[:, None] == labels[None]
    negatives = torch.logsumexp(scores.masked_fill(same, -torch.inf), dim=1, keepdim=True)  # (N, 1)
    losses = F.softplus(negatives - scores)
    itself = torch.eye(count, dtype=torch.bool, device=u.device)
    positives = same if own_pair else same & ~itself
    total = losses.masked_fill(~positives, 0.0).sum()
    return total / max(1, count * (count if own_pair else count - 1))


def _cosines(u: Tensor, v: Tensor, temperature: float) -> Tensor:
    """(N, d) and (M, d) → cosines over τ, (N, M)."""
    return F.normalize(u, dim=-1) @ F.normalize(v, dim=-1).T / temperature
