"""Transformer layers against their formulae, with attention from PyTorch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ugcl.models.attention import Attention
from ugcl.models.layers.blocks import CrossRead, CrossSelfBlock, PostNormLayer, SelfBlock

MASK = torch.tensor([[True] * 5, [True, True, True, False, False]])
OTHER = torch.tensor([[True, True, False, False], [True] * 4])


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def attended(layer: Attention, x: torch.Tensor, keys: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """PyTorch's own attention with the layer's weights."""
    width, context = layer.query.in_features, layer.key.in_features
    theirs = nn.MultiheadAttention(width, layer.heads, batch_first=True, kdim=context, vdim=context)
    bias = torch.cat([layer.query.bias, torch.zeros(width), layer.value.bias])
    state = {"in_proj_bias": bias, "out_proj.weight": layer.out.weight, "out_proj.bias": layer.out.bias}
    weights = [linear.weight for linear in (layer.query, layer.key, layer.value)]
    if context == width:
        state["in_proj_weight"] = torch.cat(weights)
    else:
        state |= dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), weights, strict=True))
    theirs.load_state_dict(state)
    return theirs(x, keys, keys, key_padding_mask=~mask)[0]


def normed(norm: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
    x = (x - x.mean(dim=-1, keepdim=True)) / (x.var(dim=-1, keepdim=True, unbiased=False) + norm.eps).sqrt()
    return x * norm.weight + norm.bias


def test_a_block_reads_the_other_stream_then_itself_then_a_perceptron() -> None:
    block, x, y = CrossSelfBlock(8, 2, factor=3, context=6), torch.randn(2, 5, 8), torch.randn(2, 4, 6)
    for p in block.parameters():
        nn.init.normal_(p, std=0.3)
    read, own = block.read, block.block
    h = x + attended(read.attention, normed(read.norm, x), normed(read.norm_other, y), OTHER)
    h = h + attended(own.attention, normed(own.norm, h), normed(own.norm, h), MASK)
    norm, first, _, second, _ = own.feed_forward
    assert first.out_features == 3 * 8
    h = h + second(F.gelu(first(normed(norm, h))))
    torch.testing.assert_close(block(x, y, MASK, OTHER), h, rtol=1e-5, atol=1e-5)


def test_a_post_norm_layer_is_pytorchs() -> None:
    layer, x = PostNormLayer(8, 2, 12), torch.randn(2, 5, 8)
    theirs = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
    a = layer.attention
    theirs.load_state_dict(
        {
            "self_attn.in_proj_weight": torch.cat([a.query.weight, a.key.weight, a.value.weight]),
            "self_attn.in_proj_bias": torch.cat([a.query.bias, torch.zeros(8), a.value.bias]),
            "self_attn.out_proj.weight": a.out.weight,
            "self_attn.out_proj.bias": a.out.bias,
            "linear1.weight": layer.feed_forward[0].weight,
            "linear1.bias": layer.feed_forward[0].bias,
            "linear2.weight": layer.feed_forward[3].weight,
            "linear2.bias": layer.feed_forward[3].bias,
            "norm1.weight": layer.norm.weight,
            "norm1.bias": layer.norm.bias,
            "norm2.weight": layer.norm_after.weight,
            "norm2.bias": layer.norm_after.bias,
        }
    )
    expected = theirs(x, src_key_padding_mask=~MASK)
    torch.testing.assert_close(layer(x, MASK)[MASK], expected[MASK], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "layer", [lambda: SelfBlock(8, 2), lambda: CrossSelfBlock(8, 2), lambda: PostNormLayer(8, 2, 16)]
)
def test_what_stands_in_the_padding_does_not_matter(layer) -> None:
    layer, x, y = layer(), torch.randn(2, 5, 8), torch.randn(2, 4, 8)
    filled, other = x.masked_fill(~MASK[..., None], 7.0), y.masked_fill(~OTHER[..., None], 7.0)
    found = [
        layer(a, b, MASK, OTHER) if isinstance(layer, CrossSelfBlock) else layer(a, MASK)
        for a, b in ((x, y), (filled, other))
    ]
    torch.testing.assert_close(found[0][MASK], found[1][MASK])


def test_reading_keeps_the_stream_where_attention_gives_nothing() -> None:
    read, x = CrossRead(8, 2, context=6), torch.randn(2, 5, 8)
    nn.init.zeros_(read.attention.out.weight)
    nn.init.zeros_(read.attention.out.bias)
    torch.testing.assert_close(read(x, torch.randn(2, 4, 6), OTHER), x)
