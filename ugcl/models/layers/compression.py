"""Compression of a sequence to the frames that matter to a query (DeepMSI-MER, 2502.08573, released code)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl.models.layers.pooling import masked_mean


def most_similar(x: Tensor, mask: Tensor, query: Tensor, keep: int) -> tuple[Tensor, Tensor]:
    """Scores of frames, softmax_t cos(mean(x) + query, x_t), and the best frames.

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
