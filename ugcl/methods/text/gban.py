"""Gated bidirectional alignment network (GBAN).

Liu, Li and Meng, *Group gated fusion on attention-based bidirectional alignment for multimodal emotion
recognition*, Interspeech 2020, arXiv 2201.06309, §2; code ppfliu/emotion-recognition@45addf9 (Apache-2.0).

    first  ─ BiLSTM ─┬─ last state h_1 ───────────────────┐
                     ├─ attention both ways: a_12, a_21 ──┼─ group gated fusion ─ classifier ─ logits
    second ─ BiLSTM ─┴─ last state h_2 ───────────────────┘

The first is speech and the second text there; here they are the modalities in their order. Of three, each
pair is aligned and has its gates.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.base import EncodedMethod, Outputs, Statistics
from ugcl.models.layers.gates import GatedUnit, GroupGate, TensorLayer
from ugcl.models.layers.pooling import last_valid, masked_mean
from ugcl.models.layers.recurrent import BiLSTM

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class Alignment(nn.Module):
    """Additive attention of each two sequences on each other, averaged over the queries.

    e_ij = Σ_d s_d tanh(x_i + y_j)_d, softmax over the keys, mean over the queries; a scale s per direction.
    Takes B · T · S · D numbers for a pair, which both directions share.
    """

    def __init__(self, width: int, single: Sequence[bool] = (False, False)) -> None:
        """Make the scales.

        Args:
            width: D.
            single: which sequences have one frame in every clip; a scale of such keys moves nothing: frozen.
        """
        super().__init__()
        self.scales = nn.ParameterList(
            nn.Parameter(torch.ones(width), not single[keys])
            for i, j in itertools.combinations(range(len(single)), 2)
            for keys in (j, i)
        )

    def forward(self, streams: Sequence[Tensor], masks: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Sequences (B, T_m, D) with valid frames (B, T_m).

        Returns:
            For each pair i < j, what i reads in j and j in i, (B, D) and (B, D).
        """
        read = []
        for n, (i, j) in enumerate(itertools.combinations(range(len(streams)), 2)):
            x, y = streams[i], streams[j]
            pairs = (x[:, :, None] + y[:, None]).tanh()  # (B, T, S, D)
            back = (pairs @ self.scales[2 * n + 1]).transpose(1, 2)
            there = _attended(pairs @ self.scales[2 * n], y, masks[i], masks[j])
            read.append((there, _attended(back, x, masks[j], masks[i])))
        return read


def _attended(scores: Tensor, keys: Tensor, query_mask: Tensor, key_mask: Tensor) -> Tensor:
    """Scores (B, T, S) → the mean over queries of the attended keys, (B, D)."""
    shares = scores.masked_fill(~key_mask[:, None], -torch.inf).softmax(dim=-1)
    return torch.einsum("bs,bsd->bd", masked_mean(shares, query_mask), keys)


class GroupGatedFusion(nn.Module):
    """Two or three sequences → one vector (B, `size`).

    ggf: h = z_p ⊙ tanh(W₁a_12) + (1 − z_p) ⊙ tanh(W₂a_21) + z_q ⊙ tanh(W₃h_2) + (1 − z_q) ⊙ tanh(W₄h_1),
    z_p = σ(W₅[a_12; a_21]), z_q = σ(W₆[h_2; h_1]); a_12 is what the first modality reads in the second. The
    other kinds are its ablations: gmu and tfl of h_1 and h_2, and concatenations. Of three sequences, ggf and
    gmu are sums over pairs; tfl takes two.
    """

    def __init__(
        self,
        widths: Sequence[int],
        hidden: int,
        width: int,
        kind: str = "ggf",
        faults: Sequence[str] = (),
        single: Sequence[bool] = (False, False),
    ) -> None:
        """Make the network.

        Args:
            widths: columns of the sequences.
            hidden: of each direction of an LSTM.
            width: columns of the gated units.
            kind: see `config.methods.text.gban.Gban.fusion`.
            faults: see `config.methods.text.gban.Gban.faults`.
            single: which sequences have one frame in every clip; what moves nothing there is frozen.
        """
        super().__init__()
        self.kind, self.faults, size = kind, faults, 2 * hidden
        self.recurrent = nn.ModuleList(BiLSTM(w, hidden) for w in widths)
        for lstm, one in zip(self.recurrent, single, strict=True):
            lstm.weight_hh_l0.requires_grad_(not one)
            lstm.weight_hh_l0_reverse.requires_grad_(not one)
        attends = kind in ("ggf", "concat_attention", "concat_all")
        self.alignment = Alignment(size, single) if attends else None
        count, pairs = len(widths), len(widths) * (len(widths) - 1) // 2
        groups = [(size, size)] * pairs
        self.mix, self.size = {
            "ggf": (GroupGate(2 * groups, width), width),
            "gmu": (GatedUnit(size, size, width) if pairs == 1 else GroupGate(groups, width), width),
            "tfl": (TensorLayer(float("zero_pad" not in faults)), (size + 1) ** 2),
            "concat": (None, count * size),
            "concat_attention": (None, 2 * pairs * size),
            "concat_all": (None, (2 * pairs + count) * size),
        }[kind]

    def forward(self, streams: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Sequences (B, T_m, W_m) with masks of valid frames → (B, `size`)."""
        states = [lstm(x, mask) for lstm, x, mask in zip(self.recurrent, streams, masks, strict=True)]
        last = [self.last(x, mask) for x, mask in zip(states, masks, strict=True)]
        pairs = list(itertools.combinations(last, 2))
        if self.kind in ("gmu", "tfl"):
            return self.mix(*last) if len(pairs) == 1 else self.mix(pairs)
        if self.kind == "concat":
            return torch.cat(last, dim=-1)
        read = self.alignment(states, masks)
        if self.kind == "ggf":
            return self.mix([*read, *((second, first) for first, second in pairs)])
        vectors = [] if self.kind == "concat_attention" else last
        return torch.cat([*vectors, *itertools.chain.from_iterable(read)], dim=-1)

    def last(self, states: Tensor, mask: Tensor) -> Tensor:
        """Last state of each direction, (B, T, 2H) → (B, 2H); the backward one's is at the first frame."""
        forward, backward = last_valid(states, mask), states[:, 0]
        if "last_step" in self.faults:
            return forward
        half = states.shape[-1] // 2
        return torch.cat([forward[:, :half], backward[:, half:]], dim=-1)


class GBAN(EncodedMethod):
    """The shared encoders, then GBAN; classification alone."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, width = run.method, run.encoder.width
        single = [infos[m].rate == 0 for m in self.modalities]
        self.fusion = GroupGatedFusion(
            [width] * len(single), width // 2, width, own.fusion, own.faults, single
        )
        self.classifier = classifier(self.fusion.size, width, len(run.protocol.classes), own.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C)."""
        frames, masks = self.encode(batch)
        fused = self.fusion([frames[m] for m in self.modalities], [masks[m] for m in self.modalities])
        return {"logits": self.classifier(fused)}


def classifier(size: int, hidden: int, classes: int, dropout: float) -> nn.Sequential:
    """The head, (B, size) → (B, classes)."""
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes))
