"""HyPCA-Net: gates of columns and frames, mutual gates of two streams, frequencies of short windows.

arXiv 2602.16245; formulae as in the notebook misti1203/HyPCA-Net@69070c2 (MIT), over frames, not pictures.

    x_1 ─ SCALA ─┬─ mutual gates ─┬─ cosine transform of windows, ODE layer ─ mean ─┐
                 │                │                                                  ├─ classifier ─ logits
    x_2 ─ SCALA ─┘                └─ cosine transform of windows, ODE layer ─ mean ─┘
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.heads import Classifier
from ugcl.models.layers.pooling import masked_max, masked_mean, masked_min, masked_sum

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


def pooled(x: Tensor, mask: Tensor) -> Tensor:
    """avg + max + min + sum/√n over the n valid frames, (B, T, W) → (B, W)."""
    spread = masked_sum(x, mask) / mask.sum(dim=1, keepdim=True).sqrt()
    return masked_mean(x, mask) + masked_max(x, mask) + masked_min(x, mask) + spread


def haar(x: Tensor) -> tuple[Tensor, Tensor]:
    """One level of the Haar transform over time: (a ± b)/√2 of neighbours a and b, 2 × (B, ⌈T/2⌉, W)."""
    a, b = F.pad(x, (0, 0, 0, x.shape[1] % 2)).unflatten(1, (-1, 2)).unbind(dim=2)
    return (a + b) / math.sqrt(2), (a - b) / math.sqrt(2)


def cosines(size: int, device: torch.device | None = None) -> Tensor:
    """Orthonormal DCT-II of `size` points, (frequencies, points)."""
    place = torch.arange(size, device=device)
    basis = torch.cos(math.pi / size * (place + 0.5) * place[:, None]) * math.sqrt(2 / size)
    return torch.cat([basis[:1] / math.sqrt(2), basis[1:]])


class Scala(nn.Module):
    """x · σ(c + t): c = σ(dense) of the columns' pools, t = σ(convolution) of the frames' pools."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.columns, self.frames = nn.Linear(width, width), nn.Conv1d(1, 1, 7, padding=3)

    def gate(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W), between σ(0) and σ(2)."""
        columns = self.columns(pooled(x, mask)).sigmoid()[:, None]  # (B, 1, W)
        frames = x.mean(dim=-1) + x.amax(dim=-1) + x.amin(dim=-1) + x.sum(dim=-1) / math.sqrt(x.shape[-1])
        frames = self.frames(frames.masked_fill(~mask, 0.0)[:, None]).sigmoid()  # (B, 1, T)
        return (columns + frames.mT).sigmoid()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W), 0 where padded."""
        return (x * self.gate(x, mask)).masked_fill(~mask[..., None], 0.0)


class MutualGate(nn.Module):
    """Each stream is gated by pools of both, of the first one's Haar bands and of the second's convolutions.

    p = Σ_bands (avg + max + min + sum), r = Σ_bands (max − avg − min), with one LN and scalars w₁, w₂, β:
    q₁ = w₁ LN(p) + w₂ LN(r),   q₂ = avg + max + min + sum of the convolved second stream;
    x₁ ← x₁ σ(w₁q₁ + w₂q₂) β₁,   x₂ ← x₂ σ(w₁ LN(w₁q₂ + w₂q₁)) β₂.
    """

    def __init__(self, width: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.kernels = nn.ModuleList(
            nn.Conv1d(width, width, k, padding=k // 2, groups=width) for k in kernels
        )
        self.norm = nn.LayerNorm(width)
        self.own, self.other = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(1.0))
        self.scales = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor, y: Tensor, x_mask: Tensor, y_mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, W) and (B, S, W), 0 where padded → the same."""
        here = F.pad(x_mask, (0, x_mask.shape[1] % 2))[:, ::2]
        bands = haar(x)
        ranges = [masked_max(b, here) - masked_mean(b, here) - masked_min(b, here) for b in bands]
        sums = sum(pooled(b, here) for b in bands)
        first = self.own * self.norm(sums) + self.other * self.norm(sum(ranges))
        second = pooled(sum(kernel(y.mT) for kernel in self.kernels).mT, y_mask)
        mixed = self.norm(self.own * second + self.other * first)
        x = x * (self.own * first + self.other * second).sigmoid()[:, None] * self.scales[0]
        return x, y * (self.own * mixed).sigmoid()[:, None] * self.scales[1]


class ContinuousLayer(nn.Module):
    """One Euler and one midpoint step of y' = F(y) from the same start, gated and squeezed, per window.

    h = (y + τF(y)) + (y + τF(y + τ/2 F(y))),   τ = σ(perceptron(mean y));
    z = g ⊙ h + (1 − g) ⊙ y,   g = σ(dense y);   output z ⊙ σ(σ(perceptron(avg + max + min + sum of z))).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.flow, self.horizon = _perceptron(width, width // 4, width), _perceptron(width, width // 4, 1)
        self.gate, self.excite = nn.Linear(width, width), _perceptron(width, max(1, width // 16), width)

    def forward(self, y: Tensor) -> Tensor:
        """Windows (B, n, ω, W) → the same."""
        step = self.horizon(y.mean(dim=2, keepdim=True))  # (B, n, 1, 1)
        flow = self.flow(y)
        h = (y + step * flow) + (y + step * self.flow(y + step / 2 * flow))
        gate = self.gate(y).sigmoid()
        z = gate * h + (1 - gate) * y
        pools = z.mean(dim=2) + z.amax(dim=2) + z.amin(dim=2) + z.sum(dim=2)
        return z * self.excite(pools).sigmoid()[:, :, None]


def _perceptron(size: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, out), nn.Sigmoid())


class FrequencyBlock(nn.Module):
    """Windows of ω frames mixed with their frequencies and carried on: x + LN(x + layer(y)).

    f = σ(dense(DCT(window))), g = σ(dense(window)), y = g ⊙ f + (1 − g) ⊙ window. Windows begin at the first
    frame and are filled up with zeros, as published, so that longer padding changes no window of a clip.
    """

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.frequency, self.gate = nn.Linear(width, width), nn.Linear(width, width)
        self.layer, self.norm = ContinuousLayer(width), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, W), 0 where padded → (B, T, W)."""
        carried = self.layer(self.mixed(x)).flatten(1, 2)[:, : x.shape[1]]
        return x + self.norm(x + carried)

    def mixed(self, x: Tensor) -> Tensor:
        """y of each window, (B, ⌈T/ω⌉, ω, W)."""
        windows = F.pad(x, (0, 0, 0, -x.shape[1] % self.window)).unflatten(1, (-1, self.window))
        spectrum = torch.einsum("kt,bntw->bnkw", cosines(self.window, x.device), windows)
        gate = self.gate(windows).sigmoid()
        return gate * self.frequency(spectrum).sigmoid() + (1 - gate) * windows


class HyPCA(EncodedMethod):
    """The shared encoders, then HyPCA-Net's fusion."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, classes = run.method, run.encoder.width, len(run.protocol.classes)
        self.scala = nn.ModuleList(Scala(width) for _ in self.modalities)
        self.mutual = MutualGate(width, own.kernels)
        self.blocks = nn.ModuleList(FrequencyBlock(width, window) for window in own.windows)
        self.classifier = Classifier(2 * width, width, classes, run.encoder.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        frames, masks = self.encode(batch)
        masks = [masks[m] for m in self.modalities]
        streams = zip(self.scala, frames.values(), masks, strict=True)
        streams = self.mutual(*(gate(x, mask) for gate, x, mask in streams), *masks)
        means = [masked_mean(block(z), m) for block, z, m in zip(self.blocks, streams, masks, strict=True)]
        return {"logits": self.classifier(torch.cat(means, dim=-1))}
