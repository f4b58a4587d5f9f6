"""CBERL: class-boundary enhanced representation learning for rare emotions.

Meng et al., arXiv 2312.06337 (2023). A reconstruction from the abstract:

    pooled [p_1; …; p_M] ─ μ, log σ² ─ z = μ + σ ⊙ ε ─┬─ graph of turns ─ classifier ─ logits     (in
                                                      └─ decoders ─ p_m'              evaluation z = μ)
    class y', drawn by inverse training counts, and noise ─ generator ─ z' ─ the same, without neighbours
    some turns' z hidden ─ the same graph ─ decoder ─ their μ

A discriminator judges of each class whether a code is one of its clips or made for it. In dialogues the codes
of the turns are nodes of a graph, `models.dialogue.graph`; without dialogues it is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.distributions import adversarial, kl_normal, masked_mse
from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.criterion import Criterion
from ugcl.models.dialogue.graph import Edges, GraphLayer
from ugcl.models.dialogue.turns import Turns
from ugcl.models.heads import Classifier
from ugcl.models.layers.latent import Discriminator, Variational, reverse_gradient
from ugcl.models.layers.masking import MaskToken, random_mask

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
    """The shared encoders, joint code, graph, classifier; decoders, generator, discriminator for terms."""

    own_dialogue: ClassVar[bool] = True

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder, classes = run.method, run.encoder, len(run.protocol.classes)
        width, latent = encoder.width, own.latent
        self.criterion, self.classes, self.latent = Counted(run.loss, classes), classes, latent
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in self.modalities})
        self.code = Variational(len(self.modalities) * width, width, latent)
        self.classifier = Classifier(latent, width, classes, encoder.dropout)
        self.decoders = self.generator = self.discriminator = self.graph = self.hider = None
        if own.weights.reconstruction > 0:
            self.decoders = nn.ModuleDict({m: decoder(latent, width, width) for m in self.modalities})
        if own.weights.adversarial > 0 or own.weights.made > 0:
            self.generator = CodeGenerator(classes, latent, width)
        if own.weights.adversarial > 0:
            self.discriminator = Discriminator(latent, width, classes)
        if run.input.context == "clip":  # there are no turns to hide
            weights = own.weights.model_copy(update={"nodes": 0.0})
            self.settings = own.model_copy(update={"weights": weights})
        else:
            layer = latent, own.window, own.aggregation, encoder.dropout, self.past
            self.graph = nn.ModuleList(GraphLayer(*layer) for _ in range(own.layers))
            if own.weights.nodes > 0:
                self.hider, self.uncover = MaskToken(latent), decoder(latent, width, latent)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`.

        Returns:
            `logits` (B, C); in training also `pooled` and `decoded`, modality → (B, W), `code` z, `mean` and
            `log_variance` (B, latent), and of as many made codes `made` (B, latent), their classes `chosen`
            (B, C) one-hot and `made_logits` (B, C); in dialogues `uncovered` (B, latent), the codes that were
            read from neighbours, and `hidden` (B,), which.
        """
        frames, masks = self.encode(batch)
        pooled = {m: self.pools[m](x, masks[m]) for m, x in frames.items()}
        z, mean, log_variance = self.code(torch.cat(list(pooled.values()), dim=-1))
        turns = None if self.graph is None else Turns.of(batch, self.past)
        edges = None if turns is None else Edges.within(turns, self.settings.window)
        node = z if turns is None else turns.clips(self._read(turns.rows(z), edges))
        outputs = {"logits": self.classifier(node), "pooled": pooled}
        if not self.training:
            return outputs
        outputs |= {"code": z, "mean": mean, "log_variance": log_variance}
        outputs["decoded"] = {m: decode(z) for m, decode in (self.decoders or {}).items()}
        if self.generator is not None:
            chosen = torch.multinomial(self.criterion.rarity.expand(len(z), self.classes), 1).squeeze(-1)
            chosen = F.one_hot(chosen, self.classes).to(z.dtype)
            made = self.generator(torch.randn_like(z), chosen)
            alone = made if turns is None else self._read(made[:, None], Edges.none(made[:, None]))[:, 0]
            outputs |= {"made": made, "chosen": chosen, "made_logits": self.classifier(alone)}
        if self.hider is not None:
            outputs |= self._uncovered(z, turns, edges)
        return outputs

    def _read(self, nodes: Tensor, edges: Edges) -> Tensor:
        """Codes (G, N, latent) after the graph, (G, N, latent)."""
        for layer in self.graph:
            nodes = layer(nodes, edges)
        return nodes

    def _uncovered(self, z: Tensor, turns: Turns, edges: Edges) -> Outputs:
        """Some turns' codes from their neighbours, counted where a neighbour is not hidden too."""
        hidden = random_mask(turns.mask, self.settings.hidden)  # (G, N)
        counted = hidden & (edges.near & ~hidden[:, None, :]).any(dim=-1)
        made = self.uncover(self._read(self.hider(turns.rows(z), hidden), edges))
        return {"uncovered": turns.clips(made), "hidden": turns.clips(counted)}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`reconstruction`, `divergence`, `adversarial`, `made` and `nodes`, those with a weight."""
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
        if self.hider is not None:
            terms["nodes"] = masked_mse(outputs["uncovered"], outputs["mean"].detach(), outputs["hidden"])
        return terms


def decoder(size: int, hidden: int, width: int) -> nn.Sequential:
    """Perceptron with one hidden layer, (B, size) → (B, width)."""
    return nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, width))
