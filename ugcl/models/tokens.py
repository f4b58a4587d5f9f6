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

    r_tk = ⟨φ_m(f_t), c_k⟩ / (√d · T),  r_k = pool_t r_tk,  w = softmax(r) or sparsemax(r),
    z = Σ_k w_k c_k / ‖Σ_k w_k c_k‖

    φ_m is the query map of modality m and C = (c_1 … c_K) is the codebook, which all modalities share: that
    is what brings their granularities together (Chen et al. 2023, eq. 1–3). A granularity is what is pooled:
    each frame alone, the frames of a segment, those of the clip. Padded frames have r = −∞.
    """

    def __init__(
        self,
        widths: dict[str, int],
        tokens: int,
        width: int,
        assignment: str = "softmax",
        pool: str = "max",
        temperature: float = 1.0,
        last_temperature: float | None = None,
    ) -> None:
        """Make the codebook and a query map per modality.

        Args:
            widths: modality → width of its frames.
            tokens: K.
            width: width d of a token.
            assignment: `softmax` or `sparsemax` over the tokens; `none` does without a codebook: what is
                pooled is φ_m itself, and z = r / ‖r‖.
            pool: `max` or `mean` of the scores over frames.
            temperature: T, at the start of training.
            last_temperature: T at the end of training (see `advance`); None = no schedule.
        """
        super().__init__()
        self.codebook = None if assignment == "none" else nn.Parameter(torch.randn(tokens, width))
        self.queries = nn.ModuleDict({name: Query(size, width) for name, size in widths.items()})
        self.assign, self.pool = ASSIGNMENTS.get(assignment), pool
        self.first, self.last = temperature, last_temperature
        self.scale = 1 / (math.sqrt(width) * temperature)
        if last_temperature is not None:  # a buffer: a checkpoint has the temperature of its epoch
            self.register_buffer("cooling", torch.ones(()))

    @torch.no_grad()
    def advance(self, progress: float) -> None:
        """Set the temperature of a share p of the training, T = T_first^(1 − p) · T_last^p.

        FDT cools from 1000 towards 0.01 (Chen et al. 2023); without a schedule nothing changes.
        """
        if self.last is not None:
            self.cooling.fill_((self.first / self.last) ** progress)

    def score(self, modality: str, frames: Tensor) -> Tensor:
        """Scores r of frames (…, W) of a modality for each token, (…, K); without a codebook K is d."""
        if self.codebook is None:
            return self.queries[modality](frames)
        scores = self.queries[modality](frames) @ self.codebook.T * self.scale
        return scores if self.last is None else scores * self.cooling

    def express(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Pooled scores (…, K) → representation z (…, d) of length 1, and weights w (…, K) over tokens.

        Without a codebook there are no weights: (…, 0).
        """
        if self.codebook is None:
            return F.normalize(scores, dim=-1), scores[..., :0]
        weights = self.assign(scores)
        return F.normalize(weights @ self.codebook, dim=-1), weights

    def gather(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Pool scores (B, T, K) over the frames of a mask (B, T), at least one per clip → (B, K)."""
        if self.pool == "max":
            return scores.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)
        return (scores * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)

    def forward(self, modality: str, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Express clips of one modality as wholes.

        Args:
            modality: whose query map to use.
            frames: (B, T, W).
            mask: (B, T), True = valid frame.

        Returns:
            Clip-level representation z (B, d) of length 1, and weights w (B, K).
        """
        return self.express(self.gather(self.score(modality, frames), mask))

    def frames(self, scores: Tensor) -> Tensor:
        """Each frame by itself: scores (B, T, K) → (B, T, d) of length 1."""
        return self.express(scores)[0]

    def segments(self, scores: Tensor, mask: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Equal parts of each clip's own length: frame t of L lies in segment ⌊t · count / L⌋.

        Args:
            scores: (B, T, K).
            mask: (B, T), True = valid frame; at least one per clip.
            count: segments per clip; one shorter than that leaves some empty.

        Returns:
            (B, count, d) of length 1, and which segments have frames, (B, count).
        """
        place = (mask.cumsum(dim=1) - 1) * count // mask.sum(dim=1, keepdim=True)
        inside = [mask & (place == number) for number in range(count)]
        valid = torch.stack([part.any(dim=1) for part in inside], dim=1)
        # An empty segment has the whole clip's value, which its mask hides: no frame, no maximum.
        parts = [self.gather(scores, torch.where(part.any(dim=1)[:, None], part, mask)) for part in inside]
        return self.express(torch.stack(parts, dim=1))[0], valid
