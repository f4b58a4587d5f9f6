"""Unified granularity contrastive learning: attract what belongs together across modalities."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def contrast(
    there: Tensor, back: Tensor, labels: Tensor | None = None, labels_back: Tensor | None = None
) -> Tensor:
    """Contrast of clips in both directions, L = ½ (ℓ(there) + ℓ(back)).

    InfoNCE:  ℓ(S) = mean_i −log( e^{S_ii} / Σ_k e^{S_ik} ) (van den Oord et al. 2018, eq. 4).
    Supervised, P(i) = {j : y_j = y_i}:  ℓ(S) = mean_i −1/|P(i)| Σ_{p∈P(i)} log( e^{S_ip} / Σ_k e^{S_ik} )
    (Khosla et al. 2020, eq. 2, with the other modality as the second view, so that i itself is a positive).

    Args:
        there: (N, M) scaled similarity of clip i in one modality with candidate j in the other; the first N
            candidates are the same clips, any others are of a queue.
        back: (N, M'), the same from the other modality.
        labels: (M,) class numbers of the candidates of `there`; None = InfoNCE.
        labels_back: (M',) those of `back`; None = the same.

    Returns:
        Scalar; 0 where there is nothing to contrast.
    """
    if len(there) == 0 or max(there.shape[1], back.shape[1]) < 2:
        return (there.sum() + back.sum()) * 0.0
    if labels is None:
        target = torch.arange(len(there), device=there.device)
        return (F.cross_entropy(there, target) + F.cross_entropy(back, target)) / 2
    return (
        _supervised(there, labels) + _supervised(back, labels if labels_back is None else labels_back)
    ) / 2


def _supervised(scores: Tensor, labels: Tensor) -> Tensor:
    positives = (labels[: len(scores), None] == labels[None]).to(scores.dtype)
    positives = positives / positives.sum(dim=1, keepdim=True)
    return -(positives * F.log_softmax(scores, dim=1)).sum(dim=1).mean()


def similarities(
    u: Tensor, v: Tensor, u_here: Tensor, v_here: Tensor, scale: Tensor | float
) -> tuple[Tensor, Tensor]:
    """Scaled similarity of clips at one granularity: each part of a clip meets the other's nearest part.

    S_ij = s · mean_{p∈i} max_{q∈j} ⟨u_ip, v_jq⟩, and back with u and v exchanged (Yao et al. 2022, FILIP,
    §3.1). With one part per clip it is s · UVᵀ. Takes N² · S · T numbers.

    Args:
        u: (N, S, d) parts of length 1.
        v: (N, T, d) parts of length 1.
        u_here: (N, S), which parts a clip has, at least one.
        v_here: (N, T).
        scale: inverse temperature s.

    Returns:
        There (N, N), row i of u with column j of v; and back (N, N), row i of v with column j of u.
    """
    if u.shape[1] == v.shape[1] == 1:
        scores = scale * u[:, 0] @ v[:, 0].T
        return scores, scores.T
    pairs = torch.einsum("isd,jtd->ijst", scale * u, v)
    nearest_v = pairs.masked_fill(~v_here[None, :, None], -torch.inf).amax(dim=3)  # (i, j, s)
    nearest_u = pairs.masked_fill(~u_here[:, None, :, None], -torch.inf).amax(dim=2)  # (i, j, t)
    there = (nearest_v * u_here[:, None]).sum(dim=2) / u_here.sum(dim=1)[:, None]
    back = (nearest_u * v_here[None]).sum(dim=2) / v_here.sum(dim=1)
    return there, back.T


def attraction(u: Tensor, v: Tensor, u_here: Tensor, v_here: Tensor) -> Tensor:
    """Similarity that the released code maximises: symmetric, with stopped gradients and no negatives.

    ½ (D(U, V) + D(V, U)),  D(P, Z) = mean_b ⟨mean_t p̂_bt, mean_s sg(ẑ_bs)⟩, hats for unit length, sg for no
    gradient (Chen and He 2021, SimSiam, eq. 1, without its predictor). Means of unit vectors are shorter
    than 1, so this is not a cosine.

    Args:
        u: (B, T, d) frames.
        v: (B, S, d) frames.
        u_here: (B, T), which frames a clip has, at least one.
        v_here: (B, S).

    Returns:
        Scalar, at most 1.
    """
    u, v = _middle(F.normalize(u, dim=-1), u_here), _middle(F.normalize(v, dim=-1), v_here)
    return ((u * v.detach()).sum(dim=1).mean() + (v * u.detach()).sum(dim=1).mean()) / 2


def _middle(parts: Tensor, here: Tensor) -> Tensor:
    """(N, S, d) → mean of the parts that are there, (N, d)."""
    return (parts * here[..., None]).sum(dim=1) / here.sum(dim=1, keepdim=True)
