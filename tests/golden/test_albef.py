"""With every clip a class of its own, similar negatives are drawn and chosen as in ALBEF (Li et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl.losses.matching import similar_negatives

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

DIRECTIONS = {"t2i": ("text_proj", "vision_proj_m", "image"), "i2t": ("vision_proj", "text_proj_m", "text")}
"""Of a table of weights: its anchors, its candidates (of the momentum encoder), and what they are."""


@pytest.fixture(scope="module")
def golden(peer: Callable[[str], Golden]) -> Golden:
    return peer("albef_itm")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_negatives(golden: Golden, direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values, drawn = golden.part("activation."), []
    *projections, candidate = DIRECTIONS[direction]
    anchors, others = (F.normalize(values[name], dim=-1) for name in projections)
    temperature, classes = float(values["temp"]), torch.arange(len(anchors))

    def draw(weights: Tensor, count: int) -> Tensor:
        drawn.append(weights)
        return weights.argmax(dim=1, keepdim=True)

    monkeypatch.setattr(torch, "multinomial", draw)
    everyone, chosen = similar_negatives(anchors @ others.T, classes, temperature)
    assert torch.equal(everyone, classes)
    assert torch.equal(chosen, golden.tensors[f"output.negative_{candidate}_index_argmax"])
    assert torch.equal(similar_negatives(anchors @ others.T, classes)[1], chosen)
    weights = golden.tensors[f"output.weights_{direction}"]  # draws are by weights of any sum
    torch.testing.assert_close(drawn[0], weights / weights.sum(dim=1, keepdim=True), rtol=0, atol=1e-5)
