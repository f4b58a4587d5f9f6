"""VAEmo: one encoder for sound, faces, and both.

Cheng et al., ACM Multimedia 2025, arXiv 2505.02331. A reconstruction from the abstract:

    z = Enc([x_a + e_a; x_v + e_v]) over all tokens of the clip,  logits = Linear(mean z)
    c_m = mean Enc(x_m + e_m) with the same weights,  contrast = symmetric InfoNCE of c_a with c_v

A modality that a clip lacks has no token.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.losses.contrast import contrast
from ugcl.methods.base import Outputs, Statistics, Tensors, both
from ugcl.methods.pretrained.hicmae import clip_similarities
from ugcl.methods.pretrained.stem import StemMethod
from ugcl.models.layers.blocks import SelfBlock
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class UnifiedEncoder(nn.Module):
    """One transformer for the tokens of any modalities; a learnt vector says which one a token is of."""

    def __init__(self, names: list[str], width: int, heads: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.kinds = nn.ParameterDict({m: 0.02 * torch.randn(width) for m in names})
        self.layers = nn.ModuleList(SelfBlock(width, heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, streams: Tensors, masks: Tensors) -> tuple[Tensor, Tensor]:
        """Tokens (B, T_m, W) and valid ones (B, T_m) by modality → all (B, Σ T_m, W), and valid ones."""
        x = torch.cat([x + self.kinds[m].to(x.dtype) for m, x in streams.items()], dim=1)
        mask = torch.cat([masks[m] for m in streams], dim=1)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x), mask


class Vaemo(StemMethod):
    """Tokens of the shared stems, the unified encoder, a linear head on the mean of all tokens."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder = run.method, run.encoder
        sizes = encoder.width, encoder.heads, own.layers, encoder.dropout
        self.core = UnifiedEncoder(self.modalities, *sizes)
        self.head = nn.Linear(encoder.width, len(run.protocol.classes))
        for stem in self.encoders.values():  # only a clip without any modality would read it
            stem.missing.requires_grad_(False)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`.

        Returns:
            `logits` (B, C); in training, where the contrast has a weight, `alone`: modality → its tokens
            (B, T_m, W), encoded without the others.
        """
        frames, masks = self.encode(batch)
        anything = torch.stack([batch.present[m] for m in self.modalities]).any(dim=0)
        read = {m: masks[m] & (batch.present[m] | ~anything)[:, None] for m in self.modalities}
        outputs = {"logits": self.head(masked_mean(*self.core(frames, read)))}
        if self.training and self.settings.weights.contrast > 0:
            outputs["alone"] = {m: self.core({m: frames[m]}, masks)[0] for m in self.modalities}
        return outputs

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`contrast`: mean over pairs of modalities, of the clips that have both."""
        if self.settings.weights.contrast == 0:
            return {}
        losses = []
        for a, b in itertools.combinations(self.modalities, 2):
            here = both(batch.present, a, b)
            tokens = [outputs["alone"][m][here] for m in (a, b)]
            masks = [batch.masks[m][here] for m in (a, b)]
            scores = clip_similarities(*tokens, *masks, self.settings.temperature)
            losses.append(contrast(scores, scores.T))
        return {"contrast": torch.stack(losses).mean()}
