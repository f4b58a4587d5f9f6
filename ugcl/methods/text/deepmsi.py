"""DeepMSI-MER: visual sequence compression and contrast of classes across modalities.

Dai, Zheng, Yu, Zhang and Hou, *A novel approach for multimodal emotion recognition: multimodal semantic
information fusion*, arXiv 2502.08573; code ZMW-DW/DeepMSI-MER@edd9546 (MIT).

    text, speech ─ pool ─┬─ perceptron: query t ──────┐ chooses frames
                         │                            ▼
    video  ──────────────│── k frames most like mean(x) + t, others merged ─ causal TCN ─ last ─┐
                         └─────────────────────────────────────── projection head ──────────────┴─ classifier

With text or speech alone, t is made from that one; without video, speech is compressed by the text.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.negatives import cross_supervised
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, both
from ugcl.models.layers.convolution import CausalTCN
from ugcl.models.layers.normalisation import MaskedBatchNorm
from ugcl.models.layers.pooling import frames_at, last_valid, merged, most_similar

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class Perceptron(nn.Module):
    """[Linear, batch norm, LeakyReLU, dropout] × hidden, Linear: (B, sizes[0]) → (B, sizes[-1])."""

    def __init__(self, sizes: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.norms = nn.ModuleList(MaskedBatchNorm(size) for size in sizes[1:-1])
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, sizes[0]) → (B, sizes[-1])."""
        for linear, norm in zip(self.linears, self.norms, strict=False):
            x = self.dropout(F.leaky_relu(norm(linear(x))))
        return self.linears[-1](x)


class ProjectionHead(nn.Module):
    """p = W₁x, LN(W₂ GELU(p) + p): (B, width) → (B, size)."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.projection, self.fc = nn.Linear(width, size), nn.Linear(size, size)
        self.layer_norm = nn.LayerNorm(size)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width) → (B, size)."""
        p = self.projection(x)
        return self.layer_norm(self.fc(F.gelu(p)) + p)


class CompressedFusion(nn.Module):
    """Frames of one modality and one vector of each other → projections and logits."""

    def __init__(
        self,
        width: int,
        vectors: Mapping[str, int],
        query: Sequence[int],
        channels: Sequence[int],
        projection: int,
        classifier: Sequence[int],
        kernel: int = 3,
        dropout: float = 0.0,
        taught: bool = True,
        compressed: str = "video",
    ) -> None:
        """Make the network.

        Args:
            width: of the frames.
            vectors: other modality → its columns.
            query: hidden sizes of the query's perceptron.
            channels: of the layers of the TCN.
            projection: columns of the projections.
            classifier: hidden sizes of the classifier, then the number of classes.
            kernel: frames that a layer of the TCN spans.
            dropout: of perceptrons and TCN.
            taught: whether the classifier reads the query too.
            compressed: modality of the frames.
        """
        super().__init__()
        self.taught, self.compressed = taught, compressed
        self.query = Perceptron([sum(vectors.values()), *query, width], dropout)
        self.tcn = CausalTCN(width, channels, kernel, dropout, slope=0.0)
        sizes = {compressed: channels[-1], **vectors}
        self.projections = nn.ModuleDict({m: ProjectionHead(size, projection) for m, size in sizes.items()})
        self.classifier = Perceptron([len(sizes) * projection + taught * width, *classifier], dropout)

    def forward(
        self,
        x: Tensor,
        mask: Tensor,
        vectors: Mapping[str, Tensor],
        keep: int,
        merge: tuple[float, float] | None,
    ) -> Outputs:
        """Compress, project, classify.

        Args:
            x: (B, T, W) frames of the compressed modality.
            mask: (B, T), True = valid.
            vectors: other modality → (B, D_m).
            keep: frames that are kept.
            merge: threshold and share of :func:`merged`, None = dropped frames are lost.

        Returns:
            `logits` (B, C) and `projections`, modality → (B, P).
        """
        query = self.query(torch.cat(list(vectors.values()), dim=-1))
        places = most_similar(x, mask, query, keep)[1].sort(dim=1).values  # padding comes last
        kept = frames_at(x, places) if merge is None else merged(x, mask, places, *merge)
        here = mask.gather(1, places)
        found = {self.compressed: last_valid(self.tcn(kept), here), **vectors}
        projections = {m: head(found[m]) for m, head in self.projections.items()}
        read = [*projections.values(), *([query] if self.taught else [])]
        return {"logits": self.classifier(torch.cat(read, dim=-1)), "projections": projections}


class DeepMSI(EncodedMethod):
    """The shared encoders; every modality but the compressed one is pooled to a vector."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        width, self.compressed = run.encoder.width, run.method.compresses(self.modalities)
        others = [m for m in self.modalities if m != self.compressed]
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in others})
        self.fusion = CompressedFusion(
            width,
            dict.fromkeys(others, width),
            query=[width],
            channels=[width] * 2,
            projection=width,
            classifier=[width, len(run.protocol.classes)],
            dropout=run.encoder.dropout,
            taught="untaught_query" not in run.method.faults,
            compressed=self.compressed,
        )

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C) and `projections`, modality → (B, W)."""
        own, (frames, masks) = self.settings, self.encode(batch)
        vectors = {m: pool(frames[m], masks[m]) for m, pool in self.pools.items()}
        merge = None if "no_compression" in own.faults else (own.threshold, own.retain)
        return self.fusion(frames[self.compressed], masks[self.compressed], vectors, own.keep, merge)

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`contrast` of the compressed modality's projections with each other's, mean over these."""
        losses = []
        for m in self.pools if self.settings.weights.contrast > 0 else ():
            here = both(batch.present, self.compressed, m)
            u, v = (outputs["projections"][name][here] for name in (self.compressed, m))
            losses.append(
                cross_supervised(u, v, batch.labels[here], self.settings.temperature, own_pair=False)
            )
        return {"contrast": torch.stack(losses).mean()} if losses else {}
