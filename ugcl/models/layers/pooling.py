"""Pooling of padded sequences, (B, T, W) with valid frames (B, T) → (B, W), and the choice of their frames.

Every clip has a valid frame.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def masked_sum(x: Tensor, mask: Tensor) -> Tensor:
    """Sum of the valid frames."""
    return x.masked_fill(~mask[..., None], 0.0).sum(dim=1)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of the valid frames."""
    return masked_sum(x, mask) / mask.sum(dim=1, keepdim=True)


def masked_max(x: Tensor, mask: Tensor) -> Tensor:
    """Largest value of each column over the valid frames."""
    return x.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)


def masked_min(x: Tensor, mask: Tensor) -> Tensor:
    """Smallest value of each column over the valid frames."""
    return x.masked_fill(~mask[..., None], torch.inf).amin(dim=1)


def last_valid(x: Tensor, mask: Tensor) -> Tensor:
    """The last valid frame."""
    place = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(mask, place, 0).amax(dim=1)
    return x.gather(1, last[:, None, None].expand(-1, 1, x.shape[-1]))[:, 0]


def most_similar(x: Tensor, mask: Tensor, query: Tensor, keep: int) -> tuple[Tensor, Tensor]:
    """Scores of frames, softmax_t cos(mean(x) + query, x_t), and the best frames (DeepMSI-MER, 2502.08573).

    Args:
        x: (B, T, W).
        mask: (B, T), True = valid.
        query: (B, W).
        keep: k.

    Returns:
        Scores (B, T), 0 for padding, and the places of the min(k, T) best (B, K), best first; where a clip
        has fewer valid frames, padding follows them.
    """
    middle = masked_mean(x, mask) + query
    scores = F.cosine_similarity(middle[:, None], x, dim=-1)
    scores = scores.masked_fill(~mask, -torch.inf).softmax(dim=1)
    return scores, scores.topk(min(keep, x.shape[1]), dim=1).indices


def frames_at(x: Tensor, places: Tensor) -> Tensor:
    """(B, T, W) at places (B, K) → (B, K, W)."""
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[-1]))


def merged(x: Tensor, mask: Tensor, places: Tensor, threshold: float, retain: float) -> Tensor:
    """The kept frames z_r, each with the dropped ones that are like it.

    z_r ← α z_r + (1 − α) Σ_n w_rn x_n over dropped n with cos(z_r, x_n) > θ, w = softmax of these cosines;
    a frame without any stays.

    Args:
        x: (B, T, W).
        mask: (B, T), True = valid.
        places: (B, K) of the kept frames.
        threshold: θ.
        retain: α.

    Returns:
        (B, K, W).
    """
    kept = frames_at(x, places)
    cosines = F.normalize(kept, dim=-1) @ F.normalize(x, dim=-1).transpose(1, 2)  # (B, K, T)
    near = (cosines > threshold) & mask.scatter(1, places, False)[:, None]
    shares = cosines.exp() * near
    shares = shares / shares.sum(dim=-1, keepdim=True).clamp(min=1e-6)
    return torch.where(near.any(dim=-1, keepdim=True), retain * kept + (1 - retain) * shares @ x, kept)
