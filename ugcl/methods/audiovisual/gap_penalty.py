"""Gap penalty guided by a Gaussian mixture (Liu, Yu and Liu, arXiv 2510.21797, 2025).

A reconstruction from the abstract. Beside the concatenation, each modality has a classifier of its own; s_m,i
is its probability of the clip's class, and d_i = max_m s_m,i − min_m s_m,i the modality gap. A mixture of two
Gaussians describes the gaps: of balanced clips (mean μ) and of imbalanced ones; π_i is the posterior
probability of the latter. After a warm-up:

    gap = mean_i (1 + π_i) d_i,   alignment = mean_i π_i (d_i − μ)²,   fusion = mean_i (1 − π_i) CE_i
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.methods.concat import ConcatFusion
from ugcl.models.heads import Classifier

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos

NARROWEST = 1e-3
"""Least variance of a component, so that none collapses onto one clip."""


class GapMixture(nn.Module):
    """Two Gaussians on scalars, estimated online (Cappé and Moulines 2009, §2.3).

    The state are the sufficient statistics of each component k: means over past clips of r_k, r_k d, r_k d²
    with responsibilities r_k; those of a batch enter with the share 1 − decay.
    """

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        mean, variance = torch.tensor([0.1, 0.5]), 0.04
        start = torch.stack([torch.ones(2), mean, variance + mean**2], dim=1) / 2
        self.register_buffer("statistics", start)

    def components(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights, means and variances, (2,) each; the smaller mean first."""
        weight, first, second = self.statistics.unbind(dim=1)
        mean = first / weight
        order = mean.argsort()
        return weight[order], mean[order], (second / weight - mean**2).clamp_min(NARROWEST)[order]

    def posterior(self, gaps: Tensor) -> Tensor:
        """Probability that a gap is of the component with the larger mean, (N,) → (N,)."""
        return self._responsibilities(gaps)[:, 1]

    @torch.no_grad()
    def update(self, gaps: Tensor) -> None:
        """Learn from the gaps (N,) of a batch."""
        if len(gaps) == 0:
            return
        r = self._responsibilities(gaps)  # (N, 2)
        powers = torch.stack([torch.ones_like(gaps), gaps, gaps**2], dim=1)  # (N, 3)
        weight, mean, variance = self.components()
        before = weight[:, None] * torch.stack([torch.ones_like(mean), mean, variance + mean**2], dim=1)
        self.statistics.copy_(before.lerp(r.T @ powers / len(gaps), 1 - self.decay))

    def _responsibilities(self, gaps: Tensor) -> Tensor:
        weight, mean, variance = self.components()
        log = weight.log() - variance.log() / 2 - (gaps[:, None] - mean) ** 2 / (2 * variance)
        return log.softmax(dim=1)


class GapPenalty(EncodedMethod):
    """The shared encoders, the concatenation, a classifier of each modality, the mixture of gaps."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        width, dropout, classes = run.encoder.width, run.encoder.dropout, len(run.protocol.classes)
        self.fusion = ConcatFusion(self.encoders, width)
        self.classifier = Classifier(self.fusion.size, width, classes, dropout)
        self.unimodal = nn.ModuleDict(
            {m: Classifier(width, width, classes, dropout) for m in self.modalities}
        )
        self.mixture, self.progress = GapMixture(run.method.decay), 0.0

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and, in training, `unimodal`, modality → (B, C)."""
        fused = self.fusion(*self.encode(batch))
        outputs = {"logits": self.classifier(fused)}
        if self.training:
            pooled = zip(self.modalities, fused.chunk(len(self.modalities), dim=1), strict=True)
            outputs["unimodal"] = {m: self.unimodal[m](p) for m, p in pooled}
        return outputs

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`unimodal`, and of clips with all modalities `gap`, `alignment`, `fusion`: 0 in the warm-up."""
        whole = torch.stack(list(batch.present.values())).all(dim=0)
        labels = batch.labels[whole]
        own = torch.stack([x[whole].softmax(dim=1) for x in outputs["unimodal"].values()], dim=1)  # (N, M, C)
        s = own.take_along_dim(labels[:, None, None], dim=2).squeeze(2)  # (N, M)
        gaps = s.amax(dim=1) - s.amin(dim=1)
        share = self.mixture.posterior(gaps.detach())
        balanced = self.mixture.components()[1][0].clone()
        if self.recording:
            self.mixture.update(gaps.detach())
            self.record("imbalanced", share.mean())
        cross_entropy = F.cross_entropy(outputs["logits"][whole], labels, reduction="none")
        begun = float(self.progress >= self.settings.warmup)
        terms = {
            "gap": (1 + share) * gaps,
            "alignment": share * (gaps - balanced) ** 2,
            "fusion": (1 - share) * cross_entropy,
        }
        scale = begun / max(1, len(labels))
        terms = {"unimodal": self.losses_of(outputs["unimodal"], batch).mean()} | {
            k: scale * x.sum() for k, x in terms.items()
        }
        return {name: terms[name] for name in self.settings.weights.positive()}

    def advance(self, progress: float) -> None:
        """See `Method.advance`: gaps count after the warm-up."""
        self.progress = progress
