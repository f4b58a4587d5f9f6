"""AuxFormer: cross-modal transformers with an auxiliary network per modality.

Goncalves and Busso, *AuxFormer: robust approach to audiovisual emotion recognition*, ICASSP 2022; code
ilucasgoncalves/AuxFormer@708ba72 (MIT), whose cross-modal stacks are those of `models.crossmodal`.

    a ─┬─ a reads v ─ memory ─ last ─┐
       │                             ├─ residual perceptron ─ classifier ─ logits_av
    v ─┼─ v reads a ─ memory ─ last ─┘
       └─ auxiliary stack of each ─ last ─ shared head ─ logits_a, logits_v
    loss = ⅓ (CE_av + CE_a + CE_v),   prediction = mean of the three logits
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.crossmodal import CrossmodalStack, hidden_keys_of_clips, positions
from ugcl.models.layers.pooling import last_valid

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class AuxiliaryFusion(nn.Module):
    """Two sequences of one width → three logits."""

    def __init__(
        self,
        width: int,
        heads: int,
        classes: int,
        hidden: Sequence[int],
        layers: int = 1,
        passes: int = 3,
        causal: bool = True,
        faults: Sequence[str] = (),
        dropout: float = 0.0,
    ) -> None:
        """Make the network; `hidden` are the two hidden sizes of the auxiliary head, `dropout` is theirs."""
        super().__init__()
        self.passes, self.causal, self.faults = passes, causal, faults

        def stacks(**options: bool | float) -> nn.ModuleList:
            return nn.ModuleList(CrossmodalStack(width, heads, layers, **options) for _ in range(2))

        self.cross, self.memory = stacks(attention_dropout=0.0), stacks(mixed=True)
        self.auxiliary = stacks()
        self.proj1, self.proj2 = nn.Linear(2 * width, 2 * width), nn.Linear(2 * width, 2 * width)
        self.out = nn.Linear(2 * width, classes)
        self.dropout, (first, second) = nn.Dropout(dropout), hidden
        self.head = nn.Sequential(
            *(nn.Linear(width, first), nn.ReLU(), nn.Dropout(dropout)),
            *(nn.Linear(first, second), nn.ReLU(), nn.Dropout(dropout)),
            nn.Linear(second, width),
        )
        self.head_out = nn.Linear(width, classes)

    def forward(self, streams: Sequence[Tensor], masks: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Two (B, T_m, W) with valid frames (B, T_m) → logits (B, C), and those of each modality."""
        x = [stream.transpose(0, 1) for stream in streams]  # (T, B, W)
        placed = [self.placed(stream) for stream in x]
        fused, alone = [], []
        for i, mask in enumerate(masks):
            own, across = self.unseen(mask, mask), self.unseen(mask, masks[1 - i])
            h = self.cross[i](placed[i], placed[1 - i], across)
            fused.append(last_valid(self.memory[i](h, None, own).transpose(0, 1), mask))
            h = x[i]
            for _ in range(self.passes):
                h = self.auxiliary[i](h, None, own)
            alone.append(last_valid(h.transpose(0, 1), mask))
        h = torch.cat(fused, dim=-1)
        logits = self.out(self.proj2(self.dropout(self.proj1(h).relu())) + h)
        return logits, [self.head_out(self.head(h) + h) for h in alone]

    def placed(self, x: Tensor) -> Tensor:
        """(T, B, W) with the code of frame numbers, which stacks meet after scaling by √W."""
        code = positions(len(x), x.shape[-1], x.device)[:, None] / math.sqrt(x.shape[-1])
        return x + (code * (x[..., :1] != 0) if "zero_positions" in self.faults else code)

    def unseen(self, queries: Tensor, keys: Tensor) -> Tensor:
        """What queries (B, T) may not see of keys (B, S): padding and, if causal, the future: (B, T, S)."""
        if self.causal:
            lengths = queries.sum(dim=1), keys.sum(dim=1)
            return hidden_keys_of_clips(*lengths, queries.shape[1], keys.shape[1])
        return ~keys[:, None].expand(-1, queries.shape[1], -1)


class AuxFormer(EncodedMethod):
    """The shared encoders, then AuxFormer."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width, classes = run.method, run.encoder.width, len(run.protocol.classes)
        options = own.layers, own.passes, own.causal, own.faults, run.encoder.dropout
        self.fusion = AuxiliaryFusion(width, run.encoder.heads, classes, (2 * width, width), *options)
        if own.weights.auxiliary == 0:
            for part in (self.fusion.auxiliary, self.fusion.head, self.fusion.head_out):
                part.requires_grad_(False)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), at inference the mean of all; `alone`, modality → (B, C)."""
        frames, masks = self.encode(batch)
        logits, alone = self.fusion(list(frames.values()), list(masks.values()))
        if not self.training and self.settings.weights.auxiliary > 0:
            logits = torch.stack([logits, *alone]).mean(dim=0)
        return {"logits": logits, "alone": dict(zip(frames, alone, strict=True))}

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`auxiliary`: the sum of the modalities' losses, each of the clips that have it."""
        if self.settings.weights.auxiliary == 0:
            return {}
        return {"auxiliary": self.losses_of(outputs["alone"], batch).sum()}
