"""Similar negative discrimination: a clip's own partner against the most similar clip of another emotion."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def similar_negatives(
    similarity: Tensor, labels: Tensor, temperature: float | None = None
) -> tuple[Tensor, Tensor]:
    """For each anchor, a similar clip of another emotion.

    N(i) = {j : y_j ≠ y_i};  j*(i) = argmax_{j∈N(i)} S_ij, or drawn with probability ∝ e^{S_ij/τ} over N(i)
    (ALBEF, Li et al. 2021, §3.2, with classes known).

    Args:
        similarity: (N, N), S_ij of anchor i with candidate j.
        labels: (N,) class numbers.
        temperature: τ of the draw; None takes the most similar one.

    Returns:
        Anchors (M,) that have a negative, and their negatives (M,).
    """
    other = labels[:, None] != labels[None]
    anchors = other.any(dim=1).nonzero().squeeze(1)
    scores = similarity.detach().masked_fill(~other, -torch.inf)[anchors]
    if temperature is None or len(anchors) == 0:
        return anchors, scores.argmax(dim=1) if len(anchors) else anchors
    return anchors, torch.multinomial((scores / temperature).softmax(dim=1), 1).squeeze(1)


def nearest(similarity: Tensor) -> Tensor:
    """The released code's negatives: the most similar other clip, whatever its emotion.

    Args:
        similarity: (N, N), S_ij of anchor i with candidate j.

    Returns:
        (N,). A clip alone in its batch is its own negative, as it is there.
    """
    blocked = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    return similarity.detach().masked_fill(blocked, -1e3).argmax(dim=1)


def matching(
    matches: Tensor, similarity: Tensor, labels: Tensor, temperature: float | None = None
) -> tuple[Tensor, Tensor]:
    """Binary loss of the matching head on own partners and similar negatives, in both directions.

    L = ½ (mean_i BCE(m_ii, 1) + ½ mean_i BCE(m_{i,j*(i)}, 0) + ½ mean_j BCE(m_{i*(j),j}, 0))

    Args:
        matches: (N, N) logits, entry i, j judges clip i of one modality with clip j of the other.
        similarity: (N, N) similarity of the same pairs.
        labels: (N,) class numbers.
        temperature: see :func:`similar_negatives`.

    Returns:
        Loss, and share of pairs judged rightly (matched and mismatched weigh the same). Without any
        negative both are 0 and nan: a batch of one emotion teaches nothing here.
    """
    anchors, negatives = similar_negatives(similarity, labels, temperature)
    if len(anchors) == 0:
        return matches.sum() * 0.0, matches.new_tensor(torch.nan)
    anchors_back, negatives_back = similar_negatives(similarity.T, labels, temperature)
    positive = matches.diagonal()
    negative = torch.cat([matches[anchors, negatives], matches[negatives_back, anchors_back]])
    loss = F.softplus(-positive).mean() + F.softplus(negative).mean()  # BCE with logits, targets 1 and 0
    right = (positive > 0).float().mean() + (negative < 0).float().mean()
    return loss / 2, right.detach() / 2
