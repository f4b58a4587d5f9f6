"""HiCMAE: hierarchical contrastive masked auto-encoder.

Sun, Lian, Liu and Tao, Information Fusion 108 (2024) 102382, arXiv 2401.05698; the network of fine-tuning:

    tokens of m ─ L transformer layers, all kept ─ LN ─┬─ Σ_l softmax(r_m)_l E_m[l] ─ mean over t ─ u_m (B, W)
                                                       └─ last layer ─ fusion ─ LN ─ mean over t ─ f_m (B, W)
    logits = Linear(LN[u_a; u_v; f_a; f_v])

A layer of fusion is one `CrossSelfBlock` per modality; all read the others as they were before that layer.
The term `contrast`, of pre-training, is of clips' mean tokens across modalities, for each layer.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.contrast import contrast
from ugcl.methods.base import Outputs, Statistics, Tensors, both
from ugcl.methods.pretrained.stem import StemMethod
from ugcl.models.layers.blocks import CrossSelfBlock, SelfBlock
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class LayeredEncoder(nn.Module):
    """Transformer layers whose outputs are all kept, under one shared normalisation."""

    def __init__(self, width: int, heads: int, layers: int, factor: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.ModuleList(SelfBlock(width, heads, factor, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid tokens (B, T) → (B, T, L, W)."""
        kept = []
        for layer in self.layers:
            x = layer(x, mask)
            kept.append(x)
        return self.norm(torch.stack(kept, dim=2))


class PairedFusion(nn.Module):
    """Layers in which every stream reads the others; of more than two, all have one width."""

    def __init__(
        self, widths: Mapping[str, int], heads: int, layers: int, factor: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.others = {m: [o for o in widths if o != m] for m in widths}
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    m: CrossSelfBlock(width, heads, factor, dropout, context=widths[self.others[m][0]])
                    for m, width in widths.items()
                }
            )
            for _ in range(layers)
        )
        self.norms = nn.ModuleDict({m: nn.LayerNorm(width) for m, width in widths.items()})

    def forward(self, streams: Tensors, masks: Tensors) -> Tensors:
        """Streams (B, T_m, W_m) and valid tokens (B, T_m) → (B, T_m, W_m) by modality."""
        valid = {m: torch.cat([masks[o] for o in others], dim=1) for m, others in self.others.items()}
        for layer in self.layers:
            read = {m: torch.cat([streams[o] for o in others], dim=1) for m, others in self.others.items()}
            streams = {m: block(streams[m], read[m], masks[m], valid[m]) for m, block in layer.items()}
        return {m: norm(streams[m]) for m, norm in self.norms.items()}


class HierarchicalFusion(nn.Module):
    """From tokens to logits."""

    def __init__(self, encoders: Mapping[str, LayeredEncoder], fusion: PairedFusion, classes: int) -> None:
        super().__init__()
        self.encoders, self.fusion = nn.ModuleDict(encoders), fusion
        self.mix = nn.ParameterDict({m: torch.zeros(len(e.layers)) for m, e in encoders.items()})
        for weights in self.mix.values():
            weights.requires_grad_(len(weights) > 1)  # softmax of one number is 1
        size = 2 * sum(encoder.width for encoder in encoders.values())
        self.norm, self.head = nn.LayerNorm(size), nn.Linear(size, classes)

    def forward(self, streams: Tensors, masks: Tensors) -> Outputs:
        """Tokens (B, T_m, W_m) and valid ones (B, T_m).

        Returns:
            `logits` (B, C), `feature` (B, 2 Σ W_m); by modality `layers` (B, T_m, L_m, W_m) and `fused`
            (B, T_m, W_m).
        """
        layers = {m: encoder(streams[m], masks[m]) for m, encoder in self.encoders.items()}
        fused = self.fusion({m: x[:, :, -1] for m, x in layers.items()}, masks)
        mixed = {m: torch.einsum("btlw,l->btw", x, self.mix[m].softmax(dim=0)) for m, x in layers.items()}
        parts = [masked_mean(part[m], masks[m]) for part in (mixed, fused) for m in layers]
        feature = self.norm(torch.cat(parts, dim=-1))
        return {"logits": self.head(feature), "feature": feature, "layers": layers, "fused": fused}


def clip_similarities(u: Tensor, v: Tensor, u_mask: Tensor, v_mask: Tensor, temperature: float) -> Tensor:
    """Cosines of clips' mean tokens, divided by the temperature.

    Args:
        u: (N, T, W) tokens of one layer of one modality.
        v: (N, S, W) those of the other.
        u_mask: (N, T), which tokens count.
        v_mask: (N, S).
        temperature: τ.

    Returns:
        (N, N), row i of u with column j of v.
    """
    u, v = F.normalize(masked_mean(u, u_mask), dim=-1), F.normalize(masked_mean(v, v_mask), dim=-1)
    return u @ v.T / temperature


class HiCMAE(StemMethod):
    """Tokens of the shared stems, the hierarchical encoders, fusion and head."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, sizes = run.method, run.encoder.width, (2, run.encoder.dropout)
        encoders = {m: LayeredEncoder(width, run.encoder.heads, own.layers, *sizes) for m in self.modalities}
        widths = dict.fromkeys(self.modalities, width)
        fusion = PairedFusion(widths, run.encoder.heads, own.fusion_layers, *sizes)
        self.core = HierarchicalFusion(encoders, fusion, len(run.protocol.classes))
        for m, timed in self.timed.items():
            if not timed:
                freeze_scores(encoders[m])
                freeze_scores(nn.ModuleList(layer[m].block for layer in fusion.layers))
            if not any(self.timed[o] for o in fusion.others[m]) and len(fusion.others[m]) == 1:
                freeze_scores(nn.ModuleList(layer[m].read for layer in fusion.layers))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward` and `HierarchicalFusion`."""
        return self.core(*self.encode(batch))

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`contrast`: mean over pairs of modalities, sum over layers, of the clips that have both."""
        if self.settings.weights.contrast == 0:
            return {}
        pairs, layers = [], outputs["layers"]
        for a, b in itertools.combinations(self.modalities, 2):
            here, levels = both(batch.present, a, b), []
            for level in range(self.settings.layers):
                tokens = [layers[m][here, :, level] for m in (a, b)]
                masks = [batch.masks[m][here] for m in (a, b)]
                scores = clip_similarities(*tokens, *masks, self.settings.temperature)
                levels.append(contrast(scores, scores.T))
            pairs.append(torch.stack(levels).sum())
        return {"contrast": torch.stack(pairs).mean()}
