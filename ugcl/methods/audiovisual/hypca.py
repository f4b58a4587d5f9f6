"""HyPCA-Net: gates of columns and frames, mutual gates of two streams, frequencies of short windows.

arXiv 2602.16245; formulae as in the notebook misti1203/HyPCA-Net@69070c2 (MIT), over frames, not pictures.

    x_m ─ SCALA ─ mutual gates ─ windowed cosine transform, ODE layer, gates ─ mean ─┐
                                                                                     ├─ classifier ─ logits
    (both streams; the last part is shared)                                          ┘
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
    """Each stream is gated by pools of both, the first of its Haar bands, the second after convolutions.

    q₁ = Σ_bands w₁ LN(avg + max + min + sum) + w₂ LN(max − avg − min), q₂ = avg + max + min + sum;
    x₁ ← x₁ σ(w₁q₁ + w₂q₂) β₁,   x₂ ← x₂ σ(w₁ LN(w₁q₂ + w₂q₁)) β₂.
    """

    def __init__(self, width: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.kernels = nn.ModuleList(
            nn.Conv1d(width, width, k, padding=k // 2, groups=width) for k in kernels
        )
        self.sums, self.ranges, self.norm = (nn.LayerNorm(width) for _ in range(3))
        self.own, self.other = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(1.0))
        self.scales = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor, y: Tensor, x_mask: Tensor, y_mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, W) and (B, S, W), 0 where padded → the same."""
        here, first = F.pad(x_mask, (0, x_mask.shape[1] % 2))[:, ::2], 0.0
        for band in haar(x):
            band = band.masked_fill(~here[..., None], 0.0)
            spread = masked_max(band, here) - masked_mean(band, here) - masked_min(band, here)
            first = first + self.own * self.sums(pooled(band, here)) + self.other * self.ranges(spread)
        second = pooled(sum(kernel(y.mT) for kernel in self.kernels).mT, y_mask)
        x = x * (self.own * first + self.other * second).sigmoid()[:, None] * self.scales[0]
        mixed = self.norm(self.own * second + self.other * first)
        return x, y * (self.own * mixed).sigmoid()[:, None] * self.scales[1]


class FrequencyBlock(nn.Module):
    """Windows of ω frames mixed with their frequencies, one ODE layer, gates; residual and LN.

    f = σ(dense(DCT(window))), g = σ(dense(window)), y = g ⊙ f + (1 − g) ⊙ window;
    h = (y + τ F(y)) + (y + τ F(y + τ/2 F(y))), Euler and midpoint steps of τ = σ(perceptron(mean y)).
    """

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.frequency, self.gate, self.after = (nn.Linear(width, width) for _ in range(3))
        self.flow = nn.Sequential(nn.Linear(width, width), nn.Tanh())
        self.step = nn.Sequential(nn.Linear(width, width // 4), nn.GELU(), nn.Linear(width // 4, 1))
        self.excite = nn.Sequential(nn.Linear(width, width // 4), nn.GELU(), nn.Linear(width // 4, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W), 0 where padded, with valid frames (B, T) → (B, T, W)."""
        y = self.mixed(x)
        step = self.step(masked_mean(y, mask)).sigmoid()[:, None]  # (B, 1, 1)
        flow = self.flow(y)
        h = (y + step * flow) + (y + step * self.flow(y + step / 2 * flow))
        h = h * self.after(h).sigmoid()
        h = h * self.excite(pooled(h, mask)).sigmoid()[:, None]
        return self.norm(x + h)

    def mixed(self, x: Tensor) -> Tensor:
        """y, (B, T, W)."""
        frames = x.shape[1]
        windows = F.pad(x, (0, 0, 0, -frames % self.window)).unflatten(1, (-1, self.window))
        spectrum = torch.einsum("kt,bntw->bnkw", cosines(self.window, x.device), windows)
        gate = self.gate(windows).sigmoid()
        mixed = gate * self.frequency(spectrum).sigmoid() + (1 - gate) * windows
        return mixed.flatten(1, 2)[:, :frames]


class HyPCA(EncodedMethod):
    """The shared encoders, then HyPCA-Net's fusion."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, classes = run.method, run.encoder.width, len(run.protocol.classes)
        self.scala = nn.ModuleList(Scala(width) for _ in self.modalities)
        self.mutual, self.block = MutualGate(width, own.kernels), FrequencyBlock(width, own.window)
        self.classifier = Classifier(2 * width, width, classes, run.encoder.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        frames, masks = self.encode(batch)
        masks = [masks[m] for m in self.modalities]
        x, y = (
            gate(frames[m], mask) for gate, m, mask in zip(self.scala, self.modalities, masks, strict=True)
        )
        streams = self.mutual(x, y, *masks)
        means = [masked_mean(self.block(z, mask), mask) for z, mask in zip(streams, masks, strict=True)]
        return {"logits": self.classifier(torch.cat(means, dim=-1))}
