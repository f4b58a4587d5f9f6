"""Unified granularity contrastive learning: attract what belongs together across modalities."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(u: Tensor, v: Tensor, scale: Tensor | float) -> Tensor:
    """Symmetric InfoNCE, L = ½ (CE(s·UVᵀ, I) + CE(s·VUᵀ, I)).

    van den Oord et al. 2018, eq. 4, in both directions (Radford et al. 2021, fig. 3; FDT, Chen et al. 2023).

    Args:
        u: (N, d) rows of length 1.
        v: (N, d) rows of length 1; row i belongs to row i of u.
        scale: inverse temperature s.

    Returns:
        Scalar; 0 for N < 2, where there is nothing to contrast.
    """
    if len(u) < 2:
        return (u.sum() + v.sum()) * 0.0
    scores = scale * u @ v.T
    target = torch.arange(len(u), device=u.device)
    return (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2


def sup_con(u: Tensor, v: Tensor, labels: Tensor, scale: Tensor | float) -> Tensor:
    """Supervised contrast across modalities; the positives of i are the clips of its emotion.

    L = ½ (ℓ(UVᵀ) + ℓ(VUᵀ)),  ℓ(S) = mean_i −1/|P(i)| Σ_{p∈P(i)} log( e^{s·S_ip} / Σ_k e^{s·S_ik} ),
    P(i) = {j : y_j = y_i} (Khosla et al. 2020, eq. 2, with the other modality as the second view, so that
    i itself is a positive).

    Args:
        u: (N, d) rows of length 1.
        v: (N, d) rows of length 1.
        labels: (N,) class numbers.
        scale: inverse temperature s.
    """
    if len(u) < 2:
        return (u.sum() + v.sum()) * 0.0
    scores = scale * u @ v.T
    positives = (labels[:, None] == labels[None]).to(scores.dtype)
    positives = positives / positives.sum(dim=1, keepdim=True)
    there = -(positives * F.log_softmax(scores, dim=1)).sum(dim=1).mean()
    back = -(positives * F.log_softmax(scores.T, dim=1)).sum(dim=1).mean()
    return (there + back) / 2


def attraction(u: Tensor, v: Tensor) -> Tensor:
    """Similarity that the released code maximises: symmetric, with stopped gradients and no negatives.

    ½ (D(U, V) + D(V, U)),  D(P, Z) = mean_b ⟨mean_t p̂_bt, mean_s sg(ẑ_bs)⟩, hats for unit length, sg for no
    gradient (Chen and He 2021, SimSiam, eq. 1, without its predictor). Means of unit vectors are shorter
    than 1, so this is no cosine; padding is averaged with the rest.

    Args:
        u: (B, T, d) frames.
        v: (B, S, d) frames.

    Returns:
        Scalar, at most 1.
    """
    u, v = F.normalize(u, dim=-1).mean(dim=1), F.normalize(v, dim=-1).mean(dim=1)
    return ((u * v.detach()).sum(dim=1).mean() + (v * u.detach()).sum(dim=1).mean()) / 2


def perplexity(assignments: Tensor) -> Tensor:
    """Number of tokens in use: exp of the entropy of the batch's mean weights, 1..K.

    Args:
        assignments: (N, K), rows sum to 1.
    """
    mean = assignments.mean(dim=0)
    return torch.special.entr(mean).sum().exp()
