"""DRKF: decoupled representations with knowledge fusion (Jiang et al., ACM Multimedia 2025).

    frames x_m ─┬─ mean ─ projection ─ u_m ─────────────┬─ NT-Xent(u_m, a_m), InfoNCE(u_m → u_n)
                ├─ residual auto-encoder ─ x_m' ─ mean ─ a_m
                └─ post-norm transformer over [CLS; x_1; SEP_1; x_2; SEP_2; …] ─ CLS ─┬─ logits
                                                                                      └─ same emotion?

The second head sees mixed clips, a modality of one clip and another modality of another, and judges whether
their emotions are the same. It and InfoNCE are of every pair m, n of modalities, m the first of them (there:
speech and text). The temperature of the contrasts is σ(τ), τ learnt.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.distributions import masked_mse
from ugcl.losses.negatives import nt_xent
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, Tensors, both
from ugcl.models.attention import Attention
from ugcl.models.layers.latent import ResidualAutoEncoder
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class BertLayer(nn.Module):
    """Post-normalised transformer layer with GELU (Devlin et al. 2019)."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.feed_forward = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, W)."""
        x = self.norms[0](x + self.dropout(self.attention(x, x, mask)))
        return self.norms[1](x + self.dropout(self.feed_forward(x)))


class JointTransformer(nn.Module):
    """Frames of M modalities → the vector that stands before them, after the layers, (B, W)."""

    def __init__(self, count: int, layers: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.marks = nn.Parameter(0.02 * torch.randn(1 + count, width))  # CLS, then the end of each modality
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)
        self.layers = nn.ModuleList(BertLayer(width, heads, 4 * width, dropout) for _ in range(layers))

    def forward(
        self, streams: Sequence[Tensor], masks: Sequence[Tensor], numbers: Sequence[int] | None = None
    ) -> Tensor:
        """Frames (B, T_m, W), valid ones (B, T_m), of all modalities or those of these numbers → (B, W)."""
        ends = self.marks[1:] if numbers is None else self.marks[1:][list(numbers)]
        marks = [mark.expand(len(streams[0]), 1, -1) for mark in (self.marks[0], *ends)]
        seen = masks[0][:, :1] | True
        tokens = [marks[0], *itertools.chain.from_iterable(zip(streams, marks[1:], strict=True))]
        mask = torch.cat([seen, *itertools.chain.from_iterable((m, seen) for m in masks)], dim=1)
        x = self.dropout(self.norm(torch.cat(tokens, dim=1)))
        for layer in self.layers:
            x = layer(x, mask)
        return x[:, 0]


class Drkf(EncodedMethod):
    """The shared encoders, the joint transformer, a linear classifier; what only terms read."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder, weights = run.method, run.encoder, run.method.weights
        width = encoder.width
        self.fusion = JointTransformer(
            len(self.modalities), own.layers, width, encoder.heads, encoder.dropout
        )
        self.classifier = nn.Linear(width, len(run.protocol.classes))
        self.judge = nn.Linear(width, 2) if weights.pairs > 0 else None
        self.projections = self.augmentations = self.temperature = None
        if weights.augmented > 0 or weights.alignment > 0:
            self.projections = nn.ModuleDict({m: projection(width) for m in self.modalities})
            self.temperature = nn.Parameter(torch.zeros(()))
        if weights.augmented > 0 or weights.reconstruction > 0:
            sizes = width // 4, width // 8, width // 16 or 1  # 1024 columns: 256, 128, 64
            self.augmentations = nn.ModuleDict(
                {m: ResidualAutoEncoder(width, sizes, own.blocks) for m in self.modalities}
            )

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`.

        Returns:
            `logits` (B, C); in training also, by modality, `frames` and `augmented` (B, T_m, W), `valid`
            (B, T_m), `projected` u_m and `views` a_m (B, W); and of mixed clips `partner` (B,), whose other
            modality a clip was given, and by pair of modalities `same` (B, 2).
        """
        frames, masks = self.encode(batch)
        streams, valid = list(frames.values()), list(masks.values())
        outputs = {"logits": self.classifier(self.fusion(streams, valid))}
        if not self.training:
            return outputs
        if self.projections is not None:
            outputs["projected"] = {
                m: self.projections[m](masked_mean(x, masks[m])) for m, x in frames.items()
            }
        if self.augmentations is not None:
            augmented = {m: self.augmentations[m](x)[0] for m, x in frames.items()}
            views = {m: masked_mean(x, masks[m]) for m, x in augmented.items()}
            outputs |= {"frames": frames, "augmented": augmented, "valid": masks, "views": views}
        if self.judge is not None and len(batch) > 1:
            count, device = len(batch), streams[0].device
            step = torch.randint(1, count, (count,), device=device)  # never to the clip itself
            partner = (torch.arange(count, device=device) + step) % count
            outputs |= {"partner": partner, "same": {}}
            for (i, a), (j, b) in itertools.combinations(enumerate(self.modalities), 2):
                mixed = [streams[i], streams[j][partner]], [valid[i], valid[j][partner]]
                outputs["same"][f"{a}_{b}"] = self.judge(self.fusion(*mixed, (i, j)))
        return outputs

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`augmented`, `reconstruction`; `alignment`, `pairs`: sums over modalities; over pairs of them."""
        weights, present, terms = self.settings.weights, batch.present, {}
        pairs = list(itertools.combinations(self.modalities, 2))
        if weights.augmented > 0:
            sides = (outputs["projected"], outputs["views"])
            terms["augmented"] = sum(
                nt_xent(*(x[m][present[m]] for x in sides), self.temperature.sigmoid())
                for m in self.modalities
            )
        if weights.reconstruction > 0:
            terms["reconstruction"] = sum(
                masked_mse(outputs["augmented"][m], x, outputs["valid"][m] & present[m][:, None])
                for m, x in outputs["frames"].items()
            )
        if weights.alignment > 0:
            terms["alignment"] = sum(self._alignment(outputs["projected"], present, a, b) for a, b in pairs)
        if weights.pairs > 0:
            terms["pairs"] = sum(self._judged(outputs, batch, a, b) for a, b in pairs)
        return terms

    def _alignment(self, projected: Tensors, present: Tensors, a: str, b: str) -> Tensor:
        """InfoNCE of modality a's clips among those of b, one way."""
        here = both(present, a, b)
        u, v = (F.normalize(projected[m][here], dim=-1) for m in (a, b))
        scores = u @ v.T / self.temperature.sigmoid()
        return F.cross_entropy(scores, torch.arange(len(u), device=u.device), reduction="sum") / max(
            1, len(u)
        )

    def _judged(self, outputs: Outputs, batch: Batch, a: str, b: str) -> Tensor:
        """Cross-entropy of whether mixed clips share their emotion, of those that have both modalities."""
        if "same" not in outputs:  # one clip alone
            return outputs["logits"].sum() * 0.0
        partner, same = outputs["partner"], outputs["same"][f"{a}_{b}"]
        here = batch.present[a] & batch.present[b][partner]
        target = (batch.labels == batch.labels[partner]).long()[here]
        return F.cross_entropy(same[here], target, reduction="sum") / max(1, len(target))


def projection(width: int) -> nn.Sequential:
    """Linear, ReLU, linear, (B, W) → (B, W)."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
