"""Gates: learnt mixtures of vectors or frames of two streams."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ConvexGate(nn.Module):
    """σ(W[a; b]) ⊙ a + (1 − σ(W[a; b])) ⊙ b, (…, W) and (…, W) → (…, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(2 * width, width)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(…, W) and (…, W) → (…, W), between a and b in every column."""
        return torch.lerp(b, a, self.gate(torch.cat([a, b], dim=-1)).sigmoid())


class TwoSigmoidGate(nn.Module):
    """σ(W₁[a; b]) ⊙ a + σ(W₂[a; b]) ⊙ b: the weights need not sum to 1 (AVF-MAE++, Wu et al. 2025)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(2 * width, width)
        self.second = nn.Linear(2 * width, width)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(…, W) and (…, W) → (…, W)."""
        both = torch.cat([a, b], dim=-1)
        return self.first(both).sigmoid() * a + self.second(both).sigmoid() * b


class GatedUnit(nn.Module):
    """Gated multimodal unit: z ⊙ tanh(W₁a) + (1 − z) ⊙ tanh(W₂b), z = σ(W₃[a; b]) (Arevalo et al. 2017, §3).

    Linear maps have no bias, as in the equations.
    """

    def __init__(self, first: int, second: int, width: int) -> None:
        """Make the unit for vectors of widths `first` and `second`; the output has `width` columns."""
        super().__init__()
        self.first = nn.Linear(first, width, bias=False)
        self.second = nn.Linear(second, width, bias=False)
        self.gate = nn.Linear(first + second, width, bias=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(…, first) and (…, second) → (…, width)."""
        share = self.gate(torch.cat([a, b], dim=-1)).sigmoid()
        return torch.lerp(self.second(b).tanh(), self.first(a).tanh(), share)


class GroupGate(nn.Module):
    """Group gated fusion: the sum of one gated unit a group of two vectors (GBAN, Liu et al. 2020, §2.3)."""

    def __init__(self, groups: Sequence[tuple[int, int]], width: int) -> None:
        """Make a unit for each group, given the widths of its two vectors."""
        super().__init__()
        self.units = nn.ModuleList(GatedUnit(first, second, width) for first, second in groups)

    def forward(self, groups: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Pairs of (…, first) and (…, second), in the order of the units → (…, width)."""
        return torch.stack([unit(a, b) for unit, (a, b) in zip(self.units, groups, strict=True)]).sum(dim=0)


class TensorLayer(nn.Module):
    """Tensor fusion: the flattened outer product of [a; p] and [b; p] (Zadeh et al. 2017, eq. 2, with p = 1).

    With p = 1 it holds a, b and all products; with p = 0, the products alone.
    """

    def __init__(self, pad: float = 1.0) -> None:
        super().__init__()
        self.pad = pad

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(B, V) and (B, W) → (B, (V + 1) · (W + 1)), a's column outermost."""
        a, b = (torch.nn.functional.pad(x, (0, 1), value=self.pad) for x in (a, b))
        return torch.einsum("bi,bj->bij", a, b).flatten(1)
