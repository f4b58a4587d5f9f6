"""MMA-DFER: two encoders with progressive prompts, which exchange means through bottlenecks.

Chumachenko, Iosifidis and Gabbouj, CVPR Workshops 2024, arXiv 2404.09010, §3. Sound is [CLS; x_a; prompts],
the picture [x_v; prompts]. After each pair of layers, with a = LN(W_a x_a) and v = LN(W_v x_v) of width r,

    x_v ← x_v + tanh(γ_v) GELU(W'_v (v + mean_t a)),    x_a ← x_a + tanh(γ_a) GELU(W'_a (a + mean_t v))

where γ starts at 0. The first half of the prompts gets a learnt addition after the first layer, the second
half after the middle one. With both streams normalised, logits = Linear(layer([CLS'; W(x_v,t + CLS)])[0]).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.base import Outputs, Statistics, Tensors
from ugcl.methods.pretrained.stem import StemMethod
from ugcl.models.layers.blocks import SelfBlock
from ugcl.models.layers.pooling import masked_mean

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class Bottleneck(nn.Module):
    """What two streams add to each other: each reads the mean of the other at a small width."""

    def __init__(self, names: list[str], width: int, rank: int) -> None:
        super().__init__()
        self.down = nn.ModuleDict(
            {m: nn.Sequential(nn.Linear(width, rank), nn.LayerNorm(rank)) for m in names}
        )
        self.up = nn.ModuleDict({m: nn.Linear(rank, width) for m in names})
        self.gates = nn.ParameterDict({m: torch.zeros(()) for m in names})

    def forward(self, streams: Tensors, masks: Tensors) -> Tensors:
        """Streams (B, T_m, W) and valid tokens (B, T_m) → the same, after both have read."""
        low = {m: down(streams[m]) for m, down in self.down.items()}
        mean = {m: masked_mean(x, masks[m])[:, None] for m, x in low.items()}
        a, b = streams
        given = {a: low[a] + mean[b], b: low[b] + mean[a]}
        return {m: x + self.gates[m].tanh() * F.gelu(self.up[m](given[m])) for m, x in streams.items()}


class PromptedEncoders(nn.Module):
    """Layers of two streams with prompts, and a bottleneck after each pair."""

    def __init__(
        self, names: list[str], width: int, heads: int, layers: int, prompts: int, dropout: float = 0.0
    ) -> None:
        """Make `layers` layers per stream; `prompts`, an even number, stand at the end of each."""
        super().__init__()
        # Where nothing reads the prompts afterwards, nothing is added to them.
        half, self.middle = prompts // 2, min(layers // 2, layers - 2)
        self.prompts = nn.ParameterDict({m: 0.02 * torch.randn(prompts, width) for m in names})
        self.late = nn.ParameterDict(
            {m: 0.02 * torch.randn(2, half, width) for m in names} if layers > 1 else {}
        )
        self.layers = nn.ModuleList(
            nn.ModuleDict({m: SelfBlock(width, heads, dropout=dropout) for m in names}) for _ in range(layers)
        )
        self.bottlenecks = nn.ModuleList(Bottleneck(names, width, width // 4) for _ in range(layers))
        self.norms = nn.ModuleDict({m: nn.LayerNorm(width) for m in names})

    def forward(self, streams: Tensors, masks: Tensors) -> Tensors:
        """Streams (B, T_m, W) and valid tokens (B, T_m) → (B, T_m, W), without the prompts."""
        sizes = {m: x.shape[1] for m, x in streams.items()}
        streams = {
            m: torch.cat([x, self.prompts[m].to(x.dtype).expand(len(x), -1, -1)], dim=1)
            for m, x in streams.items()
        }
        masks = {m: F.pad(mask, (0, len(self.prompts[m])), value=True) for m, mask in masks.items()}
        for i, (layer, bottleneck) in enumerate(zip(self.layers, self.bottlenecks, strict=True)):
            streams = bottleneck({m: layer[m](x, masks[m]) for m, x in streams.items()}, masks)
            for m, late in self.late.items():
                added = torch.cat([late[0] * (i == 0), late[1] * (i == self.middle)])
                streams[m] = streams[m] + F.pad(added, (0, 0, sizes[m], 0))
        return {m: norm(streams[m][:, : sizes[m]]) for m, norm in self.norms.items()}


class BottleneckFusion(nn.Module):
    """From tokens of sound and picture to logits."""

    def __init__(
        self,
        sound: str,
        picture: str,
        width: int,
        heads: int,
        classes: int,
        *,
        layers: int = 2,
        prompts: int = 6,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sound, self.picture = sound, picture
        self.encoders = PromptedEncoders([sound, picture], width, heads, layers, prompts, dropout)
        self.summary = nn.Parameter(0.02 * torch.randn(width))  # of sound
        self.project = nn.Linear(width, width)
        self.verdict = nn.Parameter(0.02 * torch.randn(width))  # of both
        self.temporal = SelfBlock(width, heads, dropout=dropout)
        self.head = nn.Linear(width, classes)

    def forward(self, streams: Tensors, masks: Tensors) -> Tensor:
        """Tokens (B, T_m, W) and valid ones (B, T_m) of both → logits (B, C)."""
        streams, masks = dict(streams), dict(masks)
        streams[self.sound], masks[self.sound] = self._first(
            self.summary, streams[self.sound], masks[self.sound]
        )
        encoded = self.encoders(streams, masks)
        frames = self.project(encoded[self.picture] + encoded[self.sound][:, :1])
        x, mask = self._first(self.verdict, frames, masks[self.picture])
        return self.head(self.temporal(x, mask)[:, 0])

    @staticmethod
    def _first(token: Tensor, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """A learnt token (W,) before the others (B, T, W)."""
        first = token.to(x.dtype).expand(len(x), 1, -1)
        return torch.cat([first, x], dim=1), F.pad(mask, (1, 0), value=True)


class MmaDfer(StemMethod):
    """Tokens of the shared stems, prompted encoders and a temporal layer."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, encoder = run.method, run.encoder
        picture = "video" if "video" in self.modalities else self.modalities[-1]
        sound = next(m for m in self.modalities if m != picture)
        self.core = BottleneckFusion(
            sound,
            picture,
            encoder.width,
            encoder.heads,
            len(run.protocol.classes),
            layers=own.layers,
            prompts=own.prompts,
            dropout=encoder.dropout,
        )

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        return {"logits": self.core(*self.encode(batch))}
