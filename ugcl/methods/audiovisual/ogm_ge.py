"""OGM-GE: on-the-fly gradient modulation with generalisation enhancement (Peng et al., CVPR 2022).

A concatenation with a linear classifier, logits = Σ_m W_m p_m + b. Each modality is judged by its own share
of the logits, and the encoder of one that leads learns less (§3.2, eqs. 7 to 10):

    s_m = Σ_i softmax(W_m p_m,i + b/M)[y_i],   ρ_m = s_m / s_other,
    k_m = 1 − tanh(α ρ_m) if ρ_m > 1, else 1,
    gradient of every parameter θ of encoder m:  g ← k_m g + ξ,  ξ ~ N(0, Var(g))     (§3.3; Var over entries)
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.methods.concat import ConcatFusion

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class OgmGe(EncodedMethod):
    """The shared encoders, concatenation, a linear classifier; hooks on the gradients of the encoders.

    Attributes:
        coefficients: modality → k_m (), of the last batch whose terms were asked for; empty = no modulation.
    """

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        self.fusion = ConcatFusion(self.encoders, run.encoder.width)
        self.classifier = nn.Linear(self.fusion.size, len(run.protocol.classes))
        self.progress, self.coefficients = 0.0, {}
        for m in self.modalities:
            for part in (self.encoders[m], self.fusion.pools[m]):
                for parameter in part.parameters():
                    parameter.register_hook(partial(self._modulated, m))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), and `fused` (B, M · W), modality after modality."""
        fused = self.fusion(*self.encode(batch))
        return {"logits": self.classifier(fused), "fused": fused}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """No term; labels decide the coefficients of the gradients that follow."""
        own = self.settings
        self.coefficients = {}
        if own.start <= self.progress <= own.end:
            self.coefficients = self._balance(outputs["fused"].detach(), batch)
        for m, k in self.coefficients.items():
            self.record(f"coefficient_{m}", k)
        return {}

    @torch.no_grad()
    def _balance(self, fused: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Modality → k_m, from the clips that have all modalities; all are 1 where none has."""
        here = torch.stack(list(batch.present.values())).all(dim=0)
        count, labels = len(self.modalities), batch.labels[here, None]
        scores = []
        for p, weight in zip(
            fused[here].chunk(count, dim=1), self.classifier.weight.chunk(count, dim=1), strict=True
        ):
            own = (p @ weight.T + self.classifier.bias / count).softmax(dim=1)
            scores.append(own.gather(1, labels).sum())
        s = torch.stack(scores)
        ratio = s / ((s.sum() - s) / (count - 1)).clamp_min(torch.finfo(s.dtype).tiny)
        k = torch.where(ratio > 1, 1 - (self.settings.alpha * ratio).tanh(), 1.0)
        return dict(zip(self.modalities, k, strict=True))

    def _modulated(self, modality: str, gradient: Tensor) -> Tensor:
        """The gradient of one of a modality's parameters after modulation."""
        if modality not in self.coefficients:
            return gradient
        changed = self.coefficients[modality] * gradient
        if self.settings.enhance and gradient.numel() > 1:
            changed = changed + torch.randn_like(gradient) * gradient.std()
        return changed

    def advance(self, progress: float) -> None:
        """See `Method.advance`: modulation lasts from `start` to `end`."""
        self.progress = progress
