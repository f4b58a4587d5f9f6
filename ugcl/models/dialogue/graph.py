"""A graph of the turns of a dialogue: nodes are turns, edges lead to those that stand near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from ugcl.models.dialogue.turns import Turns


def window_edges(turns: Turns, reach: int) -> Tensor:
    """Edges between turns of a dialogue that are at most `reach` turns apart.

    Returns:
        (G, N, N), True = turn i reads turn j; never itself, and none after it where only the past is read.
    """
    near = (turns.distance != 0) & (turns.distance.abs() <= reach)
    return turns.sees & near & turns.mask[:, None, :]


class GraphLayer(nn.Module):
    """A turn and its neighbours, those of the same speaker and of others by weights of their own.

    h_i ← h_i + ReLU(W₀ h_i + Σ_r Σ_j a_ij W_r h_j), j the neighbours N_r(i) of relation r ∈ {same, other}:
    relational graph convolution (Schlichtkrull et al. 2018, arXiv 1703.06103, eq. 2) with a residual. a_ij is
    1 / |N_r(i)| (mean), or softmax_j(q_i · k_j / √W) over the neighbours of both (attention).
    """

    def __init__(self, width: int, aggregation: Literal["attention", "mean"], dropout: float) -> None:
        super().__init__()
        self.own = nn.Linear(width, width)
        self.same = nn.Linear(width, width, bias=False)
        self.other = nn.Linear(width, width, bias=False)
        attends = aggregation == "attention"
        self.query = nn.Linear(width, width) if attends else None
        self.key = nn.Linear(width, width, bias=False) if attends else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, edges: Tensor, same: Tensor) -> Tensor:
        """Nodes (G, N, W), edges (G, N, N) and whether both ends are of one speaker (G, N, N) → (G, N, W)."""
        read = self.own(x)
        shares = None if self.query is None else self._shares(x, edges)
        for relation, weight in ((edges & same, self.same), (edges & ~same, self.other)):
            mean = relation / relation.sum(dim=-1, keepdim=True).clamp_min(1)
            read = read + (mean if shares is None else shares * relation).to(x.dtype) @ weight(x)
        return x + self.dropout(read.relu())

    def _shares(self, x: Tensor, edges: Tensor) -> Tensor:
        """What of each neighbour is read, (G, N, N); 0 for a turn that has none."""
        scores = self.query(x) @ self.key(x).transpose(1, 2) / x.shape[-1] ** 0.5
        lowest = torch.finfo(scores.dtype).min  # not −∞: a turn without neighbours would be NaN
        return scores.masked_fill(~edges, lowest).softmax(dim=-1)


class TurnGraph(nn.Module):
    """Some :class:`GraphLayer`."""

    def __init__(
        self, layers: int, width: int, aggregation: Literal["attention", "mean"], dropout: float
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(GraphLayer(width, aggregation, dropout) for _ in range(layers))

    def forward(self, x: Tensor, edges: Tensor, same: Tensor) -> Tensor:
        """See `GraphLayer.forward`."""
        for layer in self.layers:
            x = layer(x, edges, same)
        return x

    def alone(self, x: Tensor) -> Tensor:
        """Nodes without edges, (B, W) → (B, W)."""
        none = torch.zeros(len(x), 1, 1, dtype=torch.bool, device=x.device)
        return self(x[:, None], none, none)[:, 0]
