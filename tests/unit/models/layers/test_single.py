"""Of attention to one key, only what moves the output is learnt."""

from __future__ import annotations

import pytest
import torch

from ugcl.models.attention import Attention, CrossAttentionLayer
from ugcl.models.layers.blocks import CrossRead
from ugcl.models.layers.single import freeze_scores


@pytest.mark.parametrize("kind", [CrossAttentionLayer, CrossRead])
def test_what_is_frozen_is_what_one_key_makes_idle(kind):
    torch.manual_seed(0)
    layer = kind(8, 2, 0.0)
    x, key = torch.randn(3, 5, 8), torch.randn(3, 1, 8)
    layer(x, key, torch.ones(3, 1, dtype=torch.bool)).square().sum().backward()
    idle = {name for name, p in layer.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-6}
    freeze_scores(layer)
    assert {name for name, p in layer.named_parameters() if not p.requires_grad} == idle
    assert any(name.startswith("attention.query") for name in idle)


def test_attention_within_other_modules_is_found():
    layers = torch.nn.ModuleList([Attention(8, 2), torch.nn.Linear(8, 8)])
    freeze_scores(layers)
    assert [name for name, p in layers.named_parameters() if p.requires_grad] == [
        *(f"0.{part}.{kind}" for part in ("value", "out") for kind in ("weight", "bias")),
        "1.weight",
        "1.bias",
    ]
