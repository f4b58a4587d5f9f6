"""MCIHN: hybrid network model based on multi-path cross-modal interaction.

Zhang, Yang, Sun, Pang and Xu, ACM Multimedia Asia 2025, arXiv 2510.24827. A reconstruction from summaries:

    frames x_m ─ auto-encoder ─ codes S_m ─ pool ─ s_m ─┬─ gate of each pair: g ⊙ s_a + (1 − g) ⊙ s_b ─┐
                                                        └──────────────────────────────────────────────┴─
    ─ attention over these vectors ─ logits

Terms: squared error of the decoded frames; a discriminator tells s_m from draws of N(0, I) and the encoder
deceives it; maximum mean discrepancy of the s_m of a pair.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.losses.distributions import adversarial, masked_mse, mmd
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, both
from ugcl.models.attention import Attention
from ugcl.models.heads import Classifier
from ugcl.models.layers.gates import ConvexGate
from ugcl.models.layers.latent import AutoEncoder, Discriminator, reverse_gradient

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class GatedPairs(nn.Module):
    """Codes of M modalities and one gated mixture of each pair, after attention: (B, `size`)."""

    def __init__(self, names: Sequence[str], width: int, heads: int) -> None:
        super().__init__()
        self.pairs = list(itertools.combinations(names, 2))
        self.gates = nn.ModuleDict({"_".join(pair): ConvexGate(width) for pair in self.pairs})
        self.attention = Attention(width, heads)
        self.size = (len(names) + len(self.pairs)) * width

    def forward(self, codes: dict[str, Tensor]) -> Tensor:
        """Modality → (B, W) → (B, (M + M(M − 1)/2) · W)."""
        mixed = [self.gates[f"{a}_{b}"](codes[a], codes[b]) for a, b in self.pairs]
        tokens = torch.stack([*mixed, *codes.values()], dim=1)  # (B, N, W)
        everywhere = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return (tokens + self.attention(tokens, tokens, everywhere)).flatten(1)


class Mcihn(EncodedMethod):
    """The shared encoders, auto-encoders to half the width, gates and attention, a classifier."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        encoder, width, half = run.encoder, run.encoder.width, run.encoder.width // 2
        self.autoencoders = nn.ModuleDict({m: AutoEncoder(width, half) for m in self.modalities})
        for autoencoder in self.autoencoders.values():  # decoders serve a term alone
            autoencoder.decoder.requires_grad_(run.method.weights.reconstruction > 0)
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(half) for m in self.modalities})
        self.fusion = GatedPairs(self.modalities, half, encoder.heads)
        self.classifier = Classifier(self.fusion.size, width, len(run.protocol.classes), encoder.dropout)
        self.discriminators = None
        if run.method.weights.adversarial > 0:
            self.discriminators = nn.ModuleDict({m: Discriminator(half, half) for m in self.modalities})

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`.

        Returns:
            `logits` (B, C), and by modality: `frames` and `decoded` (B, T_m, W), `valid` (B, T_m) and `codes`
            (B, W/2).
        """
        frames, masks = self.encode(batch)
        codes, decoded = {}, {}
        for m, x in frames.items():
            code, decoded[m] = self.autoencoders[m](x)
            codes[m] = self.pools[m](code, masks[m])
        logits = self.classifier(self.fusion(codes))
        return {"logits": logits, "frames": frames, "decoded": decoded, "valid": masks, "codes": codes}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`reconstruction`, `adversarial`, `discrepancy`: means over modalities or pairs; read no labels."""
        own, present, codes = self.settings.weights, batch.present, outputs["codes"]
        terms, here = {}, {m: codes[m][present[m]] for m in codes}
        if own.reconstruction > 0:
            terms["reconstruction"] = _mean(
                masked_mse(outputs["decoded"][m], x.detach(), outputs["valid"][m] & present[m][:, None])
                for m, x in outputs["frames"].items()
            )
        if self.discriminators is not None:
            terms["adversarial"] = _mean(
                adversarial(judge(torch.randn_like(here[m])), judge(reverse_gradient(here[m])))
                for m, judge in self.discriminators.items()
            )
        if own.discrepancy > 0:
            pairs = [(a, b, both(present, a, b)) for a, b in self.fusion.pairs]
            terms["discrepancy"] = _mean(mmd(codes[a][c], codes[b][c]) for a, b, c in pairs)
        return terms


def _mean(losses: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(losses)).mean()
