"""Similar negative discrimination: a clip's own partner against the most similar clip of another emotion."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def similar_negatives(
    similarity: Tensor,
    labels: Tensor,
    temperature: float | None = None,
    others: Tensor | None = None,
    top: int = 0,
) -> tuple[Tensor, Tensor]:
    """For each anchor, a similar clip of another emotion.

    N(i) = {j : y_j ≠ y_i};  j*(i) = argmax_{j∈N(i)} S_ij, or drawn with probability ∝ e^{S_ij/τ} over N(i) or
    its k most similar members (ALBEF, Li et al. 2021, §3.2, with classes known).

    Args:
        similarity: (N, M), S_ij of anchor i with candidate j.
        labels: (N,) class numbers of the anchors.
        temperature: τ of the draw; None takes the most similar one.
        others: (M,) class numbers of the candidates; None = they are the anchors.
        top: k of the draw; 0 = all.

    Returns:
        Anchors (A,) that have a negative, and their negatives (A,).
    """
    other = labels[:, None] != (labels if others is None else others)[None]
    anchors = other.any(dim=1).nonzero().squeeze(1)
    scores = similarity.detach().masked_fill(~other, -torch.inf)[anchors]
    if temperature is None or len(anchors) == 0:
        return anchors, scores.argmax(dim=1) if len(anchors) else anchors
    if 0 < top < scores.shape[1]:
        chosen, places = scores.topk(top, dim=1)
        scores = torch.full_like(scores, -torch.inf).scatter(1, places, chosen)
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


Candidates = tuple[Tensor, Tensor, Tensor]
"""Logits (N, M) and similarity (N, M) of N anchors with M candidates, and class numbers (M,) of these."""


def choose(negatives: str, matches: Tensor, similarity: Tensor, labels: Tensor, others: Tensor) -> Candidates:
    """Candidates of one direction as a way of choosing negatives sees them.

    Args:
        negatives: `hardest` and `sample` go by similarity, `random` by none, `nearest` by similarity with
            every clip an emotion of its own.
        matches: (N, M) logits of the matching head; the first N candidates are the anchors' partners.
        similarity: (N, M).
        labels: (N,) class numbers of the anchors.
        others: (M − N,) class numbers of the other candidates.
    """
    classes = torch.cat([labels, others])
    if negatives == "random":
        similarity = torch.zeros_like(similarity)
    if negatives == "nearest":
        classes = torch.arange(len(classes), device=classes.device)
    return matches, similarity, classes


def discriminate(
    there: Candidates, back: Candidates, labels: Tensor, temperature: float | None = None, top: int = 0
) -> tuple[Tensor, Tensor]:
    """Binary loss of the matching head on own partners and similar negatives, in both directions.

    L = ½ (mean_i BCE(m_ii, 1) + ½ mean_i BCE(m_{i,j*(i)}, 0) + ½ mean_j BCE(m_{i*(j),j}, 0))

    Args:
        there: clips of one modality with candidates of the other, the first N of which are their partners.
        back: the same from the other modality.
        labels: (N,) class numbers of the anchors.
        temperature: see :func:`similar_negatives`.
        top: see :func:`similar_negatives`.

    Returns:
        Loss, and share of pairs classified correctly (matched and mismatched weigh the same). Without any
        negative (a batch of one emotion) they are 0 and NaN.
    """
    negatives = []
    for matches, similarity, others in (there, back):
        anchors, chosen = similar_negatives(similarity, labels, temperature, others, top)
        negatives.append(matches[anchors, chosen])
    positive, negative = there[0].diagonal(), torch.cat(negatives)
    if len(negative) == 0:
        return there[0].sum() * 0.0, there[0].new_tensor(torch.nan)
    loss = F.softplus(-positive).mean() + F.softplus(negative).mean()  # BCE with logits, targets 1 and 0
    right = (positive > 0).float().mean() + (negative < 0).float().mean()
    return loss / 2, right.detach() / 2
