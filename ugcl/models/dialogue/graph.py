"""A graph of the turns of a dialogue: nodes are turns, edges lead to those that stand near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from ugcl.models.dialogue.turns import Turns


@dataclass
class Edges:
    """Which turns each turn reads.

    Attributes:
        near: (G, N, N), True = turn i reads turn j; never itself.
        same: (G, N, N), True = both turns are of one speaker.
        distance: (N, N), j − i.
    """

    near: Tensor
    same: Tensor
    distance: Tensor

    @classmethod
    def within(cls, turns: Turns, reach: int) -> Edges:
        """Those of a dialogue at most `reach` turns apart; none after it where only the past is read."""
        near = (turns.distance != 0) & (turns.distance.abs() <= reach)
        return cls(turns.sees & near & turns.mask[:, None, :], turns.same, turns.distance)

    @classmethod
    def none(cls, nodes: Tensor) -> Edges:
        """Of B nodes (B, 1, W) that are dialogues by themselves."""
        nothing = torch.zeros(len(nodes), 1, 1, dtype=torch.bool, device=nodes.device)
        return cls(nothing, nothing, nothing[0].long())


class GraphLayer(nn.Module):
    """A turn and its neighbours, by speaker (same, other) and direction (before, after).

    h_i ← h_i + ReLU(W₀ h_i + Σ_r Σ_j a_ij W_r h_j), j the neighbours N_r(i) of relation r: a relational graph
    convolution (Schlichtkrull et al. 2018, arXiv 1703.06103, eq. 2) with a residual and the relations of
    DialogueGCN (Ghosal et al. 2019, arXiv 1908.11540, section 3.2). a_ij is 1 / |N_r(i)| (mean), or
    softmax_j(q_i · k_j / √W + b_{j−i}) over the neighbours of all relations (attention).
    """

    def __init__(
        self, width: int, reach: int, aggregation: Literal["attention", "mean"], dropout: float, past: bool
    ) -> None:
        super().__init__()
        self.reach, self.own = reach, nn.Linear(width, width)
        names = [
            f"{who}_{when}" for when in ("before", "after")[: 1 if past else 2] for who in ("same", "other")
        ]
        self.relations = nn.ModuleDict({name: nn.Linear(width, width, bias=False) for name in names})
        attends = aggregation == "attention"
        self.query = nn.Linear(width, width) if attends else None
        self.key = nn.Linear(width, width, bias=False) if attends else None
        self.place = nn.Parameter(torch.zeros(reach if past else 2 * reach + 1)) if attends else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, edges: Edges) -> Tensor:
        """Nodes (G, N, W) → (G, N, W)."""
        read, before = self.own(x), edges.distance < 0
        shares = None if self.query is None else self._shares(x, edges)
        for name, weight in self.relations.items():
            who, when = name.split("_")
            relation = edges.near & (edges.same if who == "same" else ~edges.same)
            relation = relation & (before if when == "before" else ~before)
            mean = relation / relation.sum(dim=-1, keepdim=True).clamp_min(1)
            read = read + (mean if shares is None else shares * relation).to(x.dtype) @ weight(x)
        return x + self.dropout(read.relu())

    def _shares(self, x: Tensor, edges: Edges) -> Tensor:
        """What of each neighbour is read, (G, N, N); 0 for a turn that has none."""
        scores = self.query(x) @ self.key(x).transpose(1, 2) / x.shape[-1] ** 0.5
        scores = scores + self.place[(edges.distance + self.reach).clamp(0, len(self.place) - 1)]
        lowest = torch.finfo(scores.dtype).min  # not −∞: a turn without neighbours would be NaN
        return scores.masked_fill(~edges.near, lowest).softmax(dim=-1)
