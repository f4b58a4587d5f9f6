"""Margin losses on triplets: anchor, positive of the same class, negative of another."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cosine_triplet(u: Tensor, v: Tensor, labels: Tensor, margin: float = 0.5) -> Tensor:
    """Positives lie in the other modality, negatives in the anchor's own (WavFusion, 2412.05558, §3.4).

    L = mean over (i, p, n), y_p = y_i ≠ y_n, of [m − cos(u_i, v_p) + cos(u_i, u_n)]₊, and the same with u
    and v exchanged; their mean. A clip's own pair is a positive.

    Args:
        u: (N, d).
        v: (N, d).
        labels: (N,) class numbers.
        margin: m.

    Returns:
        Scalar; 0 without a clip of another class.
    """
    u, v = F.normalize(u, dim=-1), F.normalize(v, dim=-1)
    same = labels[:, None] == labels[None]
    triples = same[:, :, None] & ~same[:, None, :]  # (anchor, positive, negative)
    losses = [(margin - (x @ y.T)[:, :, None] + (x @ x.T)[:, None, :]).relu() for x, y in ((u, v), (v, u))]
    return _mean(torch.stack(losses).mean(dim=0), triples)


def adaptive_triplet(x: Tensor, labels: Tensor, epsilon: float = 1.0) -> Tensor:
    """Triplets whose margin depends on their distances (M2FNet, 2206.02187, as re-implementations have it).

    L = mean over (a, p, n), y_p = y_a ≠ y_n and p ≠ a, of [d_ap − (d_an + d_pn) / 2 + m]₊,
    m = 2 + 2 / (e^{4 d_ap} + ε) + 2 / (e^{4 − 4 d_an} + ε),  d = distance of vectors of length 1.

    The margin is a constant for the gradient: it grows with d_an, so its gradient would attract negatives.

    Args:
        x: (N, d).
        labels: (N,) class numbers.
        epsilon: ε; with 1 both parts of the margin are logistic.

    Returns:
        Scalar; 0 without such a triplet.
    """
    x = F.normalize(x, dim=-1)
    d = (2 - 2 * x @ x.T).clamp(min=1e-12).sqrt()  # has a gradient at 0
    same = labels[:, None] == labels[None]
    itself = torch.eye(len(x), dtype=torch.bool, device=x.device)
    triples = (same & ~itself)[:, :, None] & ~same[:, None, :]  # (anchor, positive, negative)
    ap, an, pn = d[:, :, None], d[:, None, :], d[None]
    near, far = ((2 / (e.detach().exp() + epsilon)) for e in (4 * ap, 4 - 4 * an))
    return _mean((ap - (an + pn) / 2 + 2 + near + far).relu(), triples)


def _mean(losses: Tensor, triples: Tensor) -> Tensor:
    """Mean of the losses (N, N, N) of those triplets that exist."""
    return losses.masked_fill(~triples, 0.0).sum() / triples.sum().clamp(min=1)
