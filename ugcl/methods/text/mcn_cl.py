"""MCN-CL: multimodal cross-attention network and contrastive learning.

Li, Wu and Li, arXiv 2511.10892. A reconstruction from the abstract:

    video ─ pyramid squeeze attention ─┐
    other modalities ──────────────────┴─ layers of cross-attention, each modality a query on all others
                                          (of two modalities, a third query: both, on both) ─ pool ─ logits

and a contrast, across each pair of modalities, of the pooled vectors before cross-attention, whose negatives
are the most similar clips of other classes.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.losses.negatives import hard_negative_info_nce
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, Tensors, both
from ugcl.models.attention import AttentionPool, CrossAttentionLayer
from ugcl.models.heads import Classifier
from ugcl.models.layers.convolution import PyramidConvolution
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos

JOINT = "joint"


class TripleQuery(nn.Module):
    """Each stream reads all others, layer by layer; of two streams, their joint sequence is a third query."""

    def __init__(self, names: list[str], layers: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.names = names
        queries = [*names, JOINT] if len(names) == 2 else names
        self.layers = nn.ModuleList(
            nn.ModuleDict({q: CrossAttentionLayer(width, heads, dropout) for q in queries})
            for _ in range(layers)
        )

    def forward(self, streams: Tensors, masks: Tensors) -> tuple[Tensors, Tensors]:
        """Streams (B, T_m, W) and their masks (B, T_m) → the same of each query.

        The layers read the streams of before the layer; the joint query keeps its own state.
        """
        whole = torch.cat([masks[m] for m in self.names], dim=1)
        joint = torch.cat([streams[m] for m in self.names], dim=1)
        for layer in self.layers:
            both_streams = torch.cat([streams[m] for m in self.names], dim=1)
            read = {}
            for m in self.names:
                others = [o for o in self.names if o != m]
                keys, valid = (torch.cat([x[o] for o in others], dim=1) for x in (streams, masks))
                read[m] = layer[m](streams[m], keys, valid)
            if JOINT in layer:
                joint = layer[JOINT](joint, both_streams, whole)
            streams = read
        if len(self.names) > 2:
            return streams, masks
        return {**streams, JOINT: joint}, {**masks, JOINT: whole}


class McnCl(EncodedMethod):
    """The shared encoders, pyramid attention on video, the queries, a classifier of the pooled queries."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        encoder, width = run.encoder, run.encoder.width
        timed = {m: infos[m].rate > 0 for m in self.modalities}
        self.pyramid = PyramidConvolution(width) if timed.get("video") else None
        self.fusion = TripleQuery(self.modalities, run.method.layers, width, encoder.heads, encoder.dropout)
        for layer, m in itertools.product(self.fusion.layers, self.modalities):
            if len(timed) == 2 and not any(timed[o] for o in timed if o != m):
                freeze_scores(layer[m])
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in self.modalities})
        if len(timed) == 2:
            self.pools[JOINT] = AttentionPool(width)
        self.classifier = Classifier(
            len(self.pools) * width, width, len(run.protocol.classes), encoder.dropout
        )

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `pooled`, modality → (B, W) before cross-attention."""
        frames, masks = self.encode(batch)
        if self.pyramid is not None:
            frames["video"] = self.pyramid(frames["video"], masks["video"])
        fused, valid = self.fusion(frames, masks)
        read = torch.cat([pool(fused[q], valid[q]) for q, pool in self.pools.items()], dim=-1)
        pooled = {m: self.pools[m](x, masks[m]) for m, x in frames.items()}
        return {"logits": self.classifier(read), "pooled": pooled}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`contrast`: mean over pairs of modalities, of the clips that have both."""
        own, losses = self.settings, []
        if own.weights.contrast == 0:
            return {}
        for a, b in itertools.combinations(self.modalities, 2):
            here = both(batch.present, a, b)
            u, v = (outputs["pooled"][m][here] for m in (a, b))
            losses.append(hard_negative_info_nce(u, v, batch.labels[here], own.temperature, own.hardest))
        return {"contrast": torch.stack(losses).mean()}
