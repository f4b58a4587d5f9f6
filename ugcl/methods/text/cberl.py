"""CBERL: class-boundary enhanced representation learning for rare emotions.

Meng et al., arXiv 2312.06337 (2023). A reconstruction from the abstract, without its graph of dialogues:

    pooled [p_1; …; p_M] ─ μ, log σ² ─ z = μ + σ ⊙ ε ─┬─ classifier ─ logits     (in evaluation z = μ)
                                                      └─ decoders ─ p_m'
    class y', drawn by inverse training counts, and noise ─ generator ─ z' ─ the same classifier

A discriminator judges of each class whether a code is one of its clips or made for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.distributions import adversarial, kl_normal, masked_mse
from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.criterion import Criterion
from ugcl.models.heads import Classifier
from ugcl.models.layers.latent import Discriminator, Variational, reverse_gradient

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.config.system.loss import Loss
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class CodeGenerator(nn.Module):
    """Codes made of noise and a class: G(n, y') = MLP[n; e_y']."""

    def __init__(self, classes: int, latent: int, hidden: int) -> None:
        super().__init__()
        self.classes = nn.Parameter(torch.randn(classes, latent))
        self.body = nn.Sequential(nn.Linear(2 * latent, hidden), nn.GELU(), nn.Linear(hidden, latent))

    def forward(self, noise: Tensor, chosen: Tensor) -> Tensor:
        """Noise (B, latent) and one-hot classes (B, C) → (B, latent)."""
        return self.body(torch.cat([noise, chosen @ self.classes], dim=-1))


class Counted(Criterion):
    """The classification loss, which also keeps how rare classes are: shares (C,) by inverse counts."""

    def __init__(self, settings: Loss, classes: int) -> None:
        super().__init__(settings)
        self.register_buffer("rarity", torch.full((classes,), 1 / classes))

    def count(self, counts: Tensor) -> None:
        """See `Criterion.count`."""
        super().count(counts)
        rarity = 1 / counts.to(torch.float32)
        self.rarity = rarity / rarity.sum()


class Cberl(EncodedMethod):
    """The shared encoders, the joint code, a classifier; decoders, generator and discriminator for terms."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder, classes = run.method, run.encoder, len(run.protocol.classes)
        width, latent = encoder.width, own.latent
        self.criterion, self.classes, self.latent = Counted(run.loss, classes), classes, latent
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in self.modalities})
        self.code = Variational(len(self.modalities) * width, width, latent)
        self.classifier = Classifier(latent, width, classes, encoder.dropout)
        self.decoders = self.generator = self.discriminator = None
        if own.weights.reconstruction > 0:
            self.decoders = nn.ModuleDict(
                {
                    m: nn.Sequential(nn.Linear(latent, width), nn.GELU(), nn.Linear(width, width))
                    for m in self.modalities
                }
            )
        if own.weights.adversarial > 0 or own.weights.made > 0:
            self.generator = CodeGenerator(classes, latent, width)
        if own.weights.adversarial > 0:
            self.discriminator = Discriminator(latent, width, classes)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`.

        Returns:
            `logits` (B, C); in training also `pooled` and `decoded`, modality → (B, W), `code` z, `mean` and
            `log_variance` (B, latent), and of as many made codes `made` (B, latent), their classes `chosen`
            (B, C) one-hot and `made_logits` (B, C).
        """
        frames, masks = self.encode(batch)
        pooled = {m: self.pools[m](x, masks[m]) for m, x in frames.items()}
        z, mean, log_variance = self.code(torch.cat(list(pooled.values()), dim=-1))
        outputs = {"logits": self.classifier(z), "pooled": pooled}
        if not self.training:
            return outputs
        outputs |= {"code": z, "mean": mean, "log_variance": log_variance}
        outputs["decoded"] = {m: decoder(z) for m, decoder in (self.decoders or {}).items()}
        if self.generator is not None:
            chosen = torch.multinomial(self.criterion.rarity.expand(len(z), self.classes), 1).squeeze(-1)
            chosen = F.one_hot(chosen, self.classes).to(z.dtype)
            made = self.generator(torch.randn_like(z), chosen)
            outputs |= {"made": made, "chosen": chosen, "made_logits": self.classifier(made)}
        return outputs

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`reconstruction`, `divergence`, `adversarial` and `made`, those with a weight."""
        terms = {}
        if self.decoders is not None:
            losses = [
                masked_mse(outputs["decoded"][m], x.detach(), batch.present[m])
                for m, x in outputs["pooled"].items()
            ]
            terms["reconstruction"] = torch.stack(losses).mean()
        if self.settings.weights.divergence > 0:
            terms["divergence"] = kl_normal(outputs["mean"], outputs["log_variance"])
        if self.discriminator is not None:
            # The clips' codes are given: they do not move towards what the discriminator can tell.
            real = self.discriminator(outputs["code"].detach()).gather(1, batch.labels[:, None])
            made = (self.discriminator(reverse_gradient(outputs["made"])) * outputs["chosen"]).sum(dim=1)
            terms["adversarial"] = adversarial(real, made)
        if self.settings.weights.made > 0:
            terms["made"] = F.cross_entropy(outputs["made_logits"], outputs["chosen"])
        return terms
