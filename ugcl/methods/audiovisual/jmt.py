"""JMT: joint multimodal transformer.

Waligora et al., CVPR Workshops 2024, arXiv 2403.10488, §3; both modalities on one grid, the T frames of the
first of them that has a frame rate:

    j = W[v; a];   v, a, j ← a transformer layer of each
    six reads, the weights of one query stream shared:  v←a, a←v, j←v, v←j, j←a, a←j, each (B, T, W)
    a transformer layer and attention over the six of each frame; the last of them, mean over frames → logits

Variant `linear`: a linear map of the six, concatenated, in place of layer and attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.attention import Attention
from ugcl.models.layers.blocks import PostNormLayer
from ugcl.models.layers.grid import on_grid
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.layers.single import freeze_scores

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos

READS = ("va", "av", "jv", "vj", "ja", "aj")
"""Query stream and stream that it reads; the last one is what is classified."""


class JointFusion(nn.Module):
    """Two streams on one grid, their joint stream, and six reads."""

    def __init__(self, width: int, heads: int, last: str = "attention", dropout: float = 0.0) -> None:
        """Make the layers; `last` is `attention` over the six reads, or `linear`."""
        super().__init__()
        self.joint = nn.Linear(2 * width, width)
        self.alone = nn.ModuleDict({s: PostNormLayer(width, heads, width, dropout) for s in "vaj"})
        self.reads = nn.ModuleDict({s: Attention(width, heads) for s in "vaj"})
        self.linear = nn.Linear(len(READS) * width, width) if last == "linear" else None
        if self.linear is None:
            self.six, self.attention = PostNormLayer(width, heads, width, dropout), Attention(width, heads)

    def forward(self, v: Tensor, a: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) and (B, T, W) with valid frames (B, T) → (B, T, W)."""
        streams = {"v": v, "a": a, "j": self.joint(torch.cat([v, a], dim=-1))}
        streams = {s: self.alone[s](x, mask) for s, x in streams.items()}
        read = torch.stack([self.reads[q](streams[q], streams[k], mask) for q, k in READS], dim=2)
        if self.linear is not None:
            return self.linear(read.flatten(2))
        everything = torch.ones_like(read[..., 0], dtype=torch.bool).flatten(0, 1)
        six = self.six(read.flatten(0, 1), everything)  # (B · T, 6, W)
        return self.attention(six[:, -1:], six, everything).view(v.shape)


class Jmt(EncodedMethod):
    """The shared encoders, one grid, joint fusion, a perceptron on the mean frame."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        width, classes = run.encoder.width, len(run.protocol.classes)
        self.clocks = {m: (infos[m].rate, infos[m].offset) for m in self.modalities}
        timed = [m for m in self.modalities if infos[m].rate > 0]
        self.grid = next(iter(timed), self.modalities[0])
        self.video = "video" if "video" in self.modalities else self.modalities[-1]
        self.audio = next(m for m in self.modalities if m != self.video)
        self.fusion = JointFusion(width, run.encoder.heads, run.method.last, run.encoder.dropout)
        self.head = nn.Sequential(nn.Linear(width, width // 4), nn.ReLU(), nn.Linear(width // 4, classes))
        for stream, m in (("v", self.video), ("a", self.audio)):
            if m not in timed:  # the same frame throughout
                freeze_scores(self.fusion.alone[stream])
        if not timed:
            freeze_scores(nn.ModuleList([self.fusion.alone["j"], self.fusion.reads]))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        frames, masks = self.encode(batch)
        here = masks[self.grid]
        for m, x in frames.items():
            if m != self.grid:
                frames[m] = on_grid(x, masks[m], *self.clocks[m], here, *self.clocks[self.grid])
        fused = self.fusion(frames[self.video], frames[self.audio], here)
        return {"logits": self.head(masked_mean(fused, here))}
