"""AVF-MAE++: local-global encoders and iterative fusion of two streams of messengers.

Wu et al., CVPR 2025, pp. 9142–9153; the network of fine-tuning. Streams x_m are the messengers (B, n, W) of
the last layer of each encoder (see `regions`); the joint one is g = W₀[ū_v; ū_a], ū_m their mix over layers.

    each stage:  s = FF(SA(x_m)),  k = FF(CA(x_m; x_o)),  x_m ← LN(σ(W₁[s; k]) ⊙ s + σ(W₂[s; k]) ⊙ k)
                 g ← LN(g + Σ_m conv_m(softmax(g x_mᵀ / √W) x_m)),  one module for all stages
    then:        x_m ← Σ_y σ(w · y) y,  y the outputs of the stages after a layer of attention among them
                 x_m ← FF(x_m + CA(LN x_m; LN g)),  logits = Linear(LN[mean x_v; mean x_a])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import Outputs, Statistics, Tensors
from ugcl.methods.pretrained.regions import LocalGlobalEncoder, regions
from ugcl.methods.pretrained.stem import StemMethod
from ugcl.models.attention import Attention, FeedForward
from ugcl.models.layers.blocks import CrossRead, SelfBlock
from ugcl.models.layers.gates import TwoSigmoidGate
from ugcl.models.layers.normalisation import MaskedBatchNorm

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class ParallelBlock(nn.Module):
    """A stream by itself and as it reads the other, mixed by two gates."""

    def __init__(self, width: int, heads: int, factor: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.alone = SelfBlock(width, heads, factor, dropout)
        self.read = CrossRead(width, heads, dropout)
        self.feed_forward = FeedForward(width, dropout, factor=factor)
        self.gate = TwoSigmoidGate(width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, other: Tensor, here: Tensor) -> Tensor:
        """(B, n, W) with another stream (B, n, W), all valid: `here` (B, n) → (B, n, W)."""
        read = self.read(x, other, here)
        return self.norm(self.gate(self.alone(x, here), read + self.feed_forward(read)))


class Reading(nn.Module):
    """What the joint stream takes from another: PReLU(BN(W softmax(g xᵀ / √W) x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.norm = MaskedBatchNorm(width)
        self.activation = nn.PReLU()

    def forward(self, joint: Tensor, x: Tensor, here: Tensor) -> Tensor:
        """(B, n, W) reads (B, n, W) → (B, n, W)."""
        read = F.scaled_dot_product_attention(joint[:, None], x[:, None], x[:, None])[:, 0]
        return self.activation(self.norm(self.linear(read), here))


class IterativeFusion(nn.Module):
    """Stages of two streams of one width, the joint stream, and what becomes of both."""

    def __init__(
        self, names: list[str], width: int, heads: int, stages: int, factor: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        sizes = width, heads, factor, dropout
        each = lambda make: nn.ModuleDict({m: make() for m in names})  # noqa: E731
        self.stages = nn.ModuleList(each(lambda: ParallelBlock(*sizes)) for _ in range(stages))
        self.start = nn.Linear(2 * width, width)
        self.readings, self.joint_norm = each(lambda: Reading(width)), nn.LayerNorm(width)
        self.across = each(lambda: SelfBlock(*sizes))
        self.scores = each(lambda: nn.Linear(width, 1))
        self.read, self.read_norm = Attention(width, heads), nn.LayerNorm(width)
        self.norms = each(lambda: nn.LayerNorm(width))
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = each(lambda: FeedForward(width, dropout, factor=factor))

    def forward(self, streams: Tensors, joint: Tensor) -> tuple[Tensors, list[Tensors], list[Tensor]]:
        """Streams (B, n, W) and the joint one (B, n, 2W).

        Returns:
            Fused streams, the streams after each stage, and the joint one after each stage, all (B, n, W).
        """
        (a, b), joint = streams, self.start(joint)
        here, outputs, refined = joint[..., 0].isfinite(), [], []
        for stage in self.stages:
            x, y = streams.values()
            streams = {a: stage[a](x, y, here), b: stage[b](y, x, here)}
            read = [reading(joint, streams[m], here) for m, reading in self.readings.items()]
            joint = self.joint_norm(joint + read[0] + read[1])
            outputs.append(streams)
            refined.append(joint)
        fused = {m: self.weighed(m, [x[m] for x in outputs])[0] for m in streams}
        for m, x in fused.items():
            x = x + self.dropout(self.read(self.norms[m](x), self.read_norm(joint), here))
            fused[m] = x + self.feed_forward[m](x)
        return fused, outputs, refined

    def weighed(self, m: str, outputs: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The outputs of the stages, K × (B, n, W) → their sum (B, n, W), and its logits (B · n, K, 1)."""
        x = torch.stack(outputs, dim=2).flatten(0, 1)
        x = self.across[m](x, torch.ones_like(x[..., 0], dtype=torch.bool))
        logits = self.scores[m](x)
        return (logits.sigmoid() * x).sum(dim=1).view(outputs[0].shape), logits


class RegionFusion(nn.Module):
    """From regions of tokens to logits."""

    def __init__(
        self, encoders: Mapping[str, LocalGlobalEncoder], fusion: IterativeFusion, classes: int
    ) -> None:
        super().__init__()
        self.encoders, self.fusion = nn.ModuleDict(encoders), fusion
        self.mix = nn.ParameterDict({m: torch.zeros(len(e.layers)) for m, e in encoders.items()})
        width = fusion.start.out_features
        self.norm, self.head = nn.LayerNorm(2 * width), nn.Linear(2 * width, classes)

    def forward(self, local: Tensors, masks: Tensors) -> Outputs:
        """Local tokens (B, n, S_m, W) and valid ones (B, n, S_m), two modalities.

        Returns:
            `logits` (B, C), `feature` (B, 2W), `joint` (B, n, 2W) before fusion, `refined` and `stages`
            (B, n, W) after each stage; by modality `layers` (B, n, L_m, W) and `fused` (B, n, W).
        """
        layers = {m: encoder(local[m], masks[m]) for m, encoder in self.encoders.items()}
        mixed = [torch.einsum("bnlw,l->bnw", x, self.mix[m].softmax(dim=0)) for m, x in layers.items()]
        joint = torch.cat(mixed, dim=-1)
        fused, stages, refined = self.fusion({m: x[:, :, -1] for m, x in layers.items()}, joint)
        feature = self.norm(torch.cat([x.mean(dim=1) for x in fused.values()], dim=-1))
        found = {"joint": joint, "refined": refined, "stages": stages, "layers": layers, "fused": fused}
        return {"logits": self.head(feature), "feature": feature, **found}


class AvfMae(StemMethod):
    """Tokens of the shared stems in regions, local-global encoders, fusion and head."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder = run.method, run.encoder
        sizes = encoder.width, encoder.heads
        encoders = {
            m: LocalGlobalEncoder(*sizes, own.layers, own.regions, dropout=encoder.dropout)
            for m in self.modalities
        }
        fusion = IterativeFusion(self.modalities, *sizes, own.stages, dropout=encoder.dropout)
        self.core = RegionFusion(encoders, fusion, len(run.protocol.classes))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        frames, masks = self.encode(batch)
        cut = {m: regions(x, masks[m], self.settings.regions) for m, x in frames.items()}
        found = self.core({m: x for m, (x, _) in cut.items()}, {m: here for m, (_, here) in cut.items()})
        return {"logits": found["logits"]}
