"""Unified granularity tokens (UGT): one codebook in which every modality is expressed."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sparsemax(scores: Tensor) -> Tensor:
    """Euclidean projection on the simplex: argmin_{p∈Δ} ‖p − z‖² (Martins and Astudillo 2016, Alg. 1).

    Args:
        scores: (…, K).

    Returns:
        (…, K), rows sum to 1, many entries exactly 0.
    """
    ordered = scores.sort(dim=-1, descending=True).values
    ranks = torch.arange(1, scores.shape[-1] + 1, device=scores.device, dtype=scores.dtype)
    sums = ordered.cumsum(dim=-1)
    support = (1 + ranks * ordered > sums).sum(dim=-1, keepdim=True)
    threshold = (sums.gather(-1, support - 1) - 1) / support
    return (scores - threshold).clamp(min=0)


ASSIGNMENTS = {"softmax": lambda scores: scores.softmax(dim=-1), "sparsemax": sparsemax}


class Query(nn.Sequential):
    """Query map of one modality: LN–Linear–GELU–LN–Linear (Chen et al. 2023, FDT, §3.2)."""

    def __init__(self, width: int, token_width: int) -> None:
        super().__init__(
            nn.LayerNorm(width),
            nn.Linear(width, token_width),
            nn.GELU(),
            nn.LayerNorm(token_width),
            nn.Linear(token_width, token_width),
        )


class UnifiedGranularityTokens(nn.Module):
    """Express a sequence of any length as weights over K shared tokens.

    r_k = pool_t ⟨φ_m(f_t), c_k⟩ / (√d · T),  w = softmax(r) or sparsemax(r),  z = Σ_k w_k c_k / ‖Σ_k w_k c_k‖

    φ_m is the query map of modality m and C = (c_1 … c_K) is the codebook, which all modalities share: that
    is what brings their granularities together (Chen et al. 2023, eq. 1–3). Padded frames have r = −∞.
    """

    def __init__(
        self,
        widths: dict[str, int],
        tokens: int,
        width: int,
        assignment: str = "softmax",
        pool: str = "max",
        temperature: float = 1.0,
    ) -> None:
        """Make the codebook and a query map a modality.

        Args:
            widths: modality → width of its frames.
            tokens: K.
            width: width d of a token.
            assignment: `softmax` or `sparsemax` over the tokens.
            pool: `max` or `mean` of the scores over frames.
            temperature: T.
        """
        super().__init__()
        self.codebook = nn.Parameter(torch.randn(tokens, width))
        self.queries = nn.ModuleDict({name: Query(size, width) for name, size in widths.items()})
        self.assign, self.pool = ASSIGNMENTS[assignment], pool
        self.scale = 1 / (math.sqrt(width) * temperature)

    def forward(self, modality: str, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Express one modality.

        Args:
            modality: whose query map to use.
            frames: (B, T, W).
            mask: (B, T), True = valid frame.

        Returns:
            Clip-level representation z (B, d) of length 1, and weights w (B, K).
        """
        scores = self.queries[modality](frames) @ self.codebook.T * self.scale  # (B, T, K)
        if self.pool == "max":
            pooled = scores.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)
        else:
            pooled = (scores * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        weights = self.assign(pooled)
        return F.normalize(weights @ self.codebook, dim=-1), weights
