"""Audio-video transformer fusion with cross attention (AVT-CA).

Joe Dhanith et al., arXiv 2407.18552; code shravan-18/AVTCA@eae3646 (MIT), after Chumachenko et al. 2022.

    x_a ─ convolutions ─┐            ┌─ + ─ convolutions ─ self-attention ─ mean ─┐
                        ├ attention ─┤   (`it`)                                   ├─ linear ─ logits
    x_v ─ convolutions ─┘ both ways  └─ + ─ convolutions ─ self-attention ─ mean ─┘

`ia` multiplies each stream by the attention that its frames receive; `lt` attends after all convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.layers.normalisation import MaskedBatchNorm
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class ConvolutionBlock(nn.Module):
    """Convolution of three frames, batch norm, ReLU and, if `pool`, the larger of two neighbouring frames."""

    def __init__(self, size: int, width: int, pool: bool, shorten: bool = False) -> None:
        """Make the block; `shorten` convolves and pools whole windows alone, which takes three frames."""
        super().__init__()
        self.convolution = nn.Conv1d(size, width, 3, padding=0 if shorten else 1)
        self.norm, self.pool, self.shorten = MaskedBatchNorm(width), pool, shorten

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, size) with valid frames (B, T) → (B, T, W) and its valid frames."""
        h = self.convolution(x.masked_fill(~mask[..., None], 0.0).mT).mT
        h = self.norm(h, mask[:, 2:] if self.shorten else mask).relu()
        if self.shorten:
            return torch.maximum(h[:, :-1], h[:, 1:]), mask[:, 3:]
        if self.pool:  # what is not valid is below any ReLU
            following = F.pad(h.masked_fill(~mask[..., None], 0.0), (0, 0, 0, 1))[:, 1:]
            h = torch.maximum(h, following)
        return h, mask


class CrossAttention(nn.Module):
    """Shares of the keys for each query, (B, H, T, S), without biases."""

    def __init__(self, width: int, context: int, heads: int, single: bool = False) -> None:
        """Make the layer; where keys are a `single` frame, the shares are 1 and nothing is learnt."""
        super().__init__()
        self.query, self.key = nn.Linear(width, width, bias=False), nn.Linear(context, width, bias=False)
        self.heads = heads
        self.requires_grad_(not single)

    def forward(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """Queries (B, T, W) and keys (B, S, V), of which `mask` (B, S) are valid → (B, H, T, S)."""
        q, k = (f(z).unflatten(-1, (self.heads, -1)) for f, z in ((self.query, x), (self.key, y)))
        scores = torch.einsum("bthd,bshd->bhts", q, k) / q.shape[-1] ** 0.5
        return scores.masked_fill(~mask[:, None, None], -torch.inf).softmax(dim=-1)


class AttentionBlock(nn.Module):
    """z = P·attention(LN(x), LN(y)), without a residual; z + perceptron(LN(z))."""

    def __init__(self, width: int, context: int, heads: int, single: bool = False) -> None:
        super().__init__()
        self.query_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.key_norm = nn.LayerNorm(context)
        self.query_norm.requires_grad_(not single)
        self.attention = CrossAttention(width, context, heads, single)
        self.value, self.out = nn.Linear(context, width, bias=False), nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """Queries (B, T, W) read y (B, S, V), of which `mask` (B, S) are valid → (B, T, W)."""
        y = self.key_norm(y)
        shares = self.attention(self.query_norm(x), y, mask)
        value = self.value(y).unflatten(-1, (self.attention.heads, -1))
        z = self.out(torch.einsum("bhts,bshd->bthd", shares, value).flatten(2))
        return z + self.perceptron(self.norm(z))


class CrossFusion(nn.Module):
    """Two sequences → one vector, (B, 2 · channels[-1])."""

    def __init__(
        self,
        widths: Sequence[int],
        channels: Sequence[Sequence[int]],
        heads: int,
        fusion: str = "it",
        shorten: Sequence[bool] = (False, False),
        single: Sequence[bool] = (False, False),
    ) -> None:
        """Make the network; `channels` are those of the four convolutions of each sequence.

        `shorten` (see :class:`ConvolutionBlock`) and `single` (one frame in every clip) are by sequence.
        """
        super().__init__()
        self.fusion = fusion
        self.convolutions = nn.ModuleList()
        for size, own, first, short in zip(widths, channels, (True, False), shorten, strict=True):
            sizes = zip([size, *own], own, strict=False)
            self.convolutions.append(nn.ModuleList(ConvolutionBlock(a, b, first, short) for a, b in sizes))
        at = 3 if fusion == "lt" else 1  # convolution after which streams meet
        meeting = [own[at] for own in channels]
        part = CrossAttention if fusion == "ia" else AttentionBlock
        self.crossing = nn.ModuleList(
            part(meeting[i], meeting[1 - i], heads, single[1 - i]) for i in range(2)
        )
        last = channels[0][-1]
        self.final = nn.MultiheadAttention(last, heads, batch_first=True) if fusion == "it" else None

    def forward(self, streams: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Two (B, T_m, W_m) with valid frames (B, T_m) → (B, 2 · channels[-1])."""
        x = [self.convolved(i, 0, *stream) for i, stream in enumerate(zip(streams, masks, strict=True))]
        x = x if self.fusion == "lt" else self.crossed(x)
        x = [self.convolved(i, 1, *stream) for i, stream in enumerate(x)]
        x = self.crossed(x) if self.fusion == "lt" else x
        if self.final is not None:
            x = [(self.final(h, h, h, key_padding_mask=~m, need_weights=False)[0], m) for h, m in x]
        return torch.cat([masked_mean(h, m) for h, m in x], dim=-1)

    def convolved(self, stream: int, stage: int, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """A stream after two of its convolutions."""
        for block in self.convolutions[stream][2 * stage : 2 * stage + 2]:
            x, mask = block(x, mask)
        return x, mask

    def crossed(self, streams: Sequence[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
        """Both streams after they have read each other."""
        (x, x_mask), (y, y_mask) = streams
        read = self.crossing[0](x, y, y_mask), self.crossing[1](y, x, x_mask)
        if self.fusion == "ia":  # what the queries of the other stream give to each frame
            masses = received(read[1], y_mask), received(read[0], x_mask)
            return [(x * masses[0][..., None], x_mask), (y * masses[1][..., None], y_mask)]
        if self.fusion == "it":
            return [(x + read[0], x_mask), (y + read[1], y_mask)]
        return [(read[0], x_mask), (read[1], y_mask)]


def received(shares: Tensor, mask: Tensor) -> Tensor:
    """Shares (B, H, T, S) of valid queries (B, T) → what each key receives, mean over heads, (B, S)."""
    return (shares * mask[:, None, :, None]).mean(dim=1).sum(dim=1)


class AVTCA(EncodedMethod):
    """The shared encoders, then AVT-CA."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width = run.method, run.encoder.width
        single = [infos[m].rate == 0 for m in self.modalities]
        sizes = [width] * 2, [[width] * 4] * 2
        self.fusion = CrossFusion(*sizes, own.heads, own.fusion, single=single)
        self.classifier = nn.Linear(2 * width, len(run.protocol.classes))

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        frames, masks = self.encode(batch)
        return {"logits": self.classifier(self.fusion(list(frames.values()), list(masks.values())))}
