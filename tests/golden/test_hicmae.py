"""HiCMAE gives the numbers of the released code: fine-tuning to its logits, pre-training to its contrast."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tests.golden.released_blocks import Weights, eps_as, patches
from ugcl.losses.contrast import contrast
from ugcl.methods.pretrained.hicmae import (
    HierarchicalFusion,
    LayeredEncoder,
    PairedFusion,
    clip_similarities,
)

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}
SUFFIX = {"video": "", "audio": "_audio"}
"""Our modalities and the ends of the released names, in the released order."""


def encoder_state(weights: Weights, ours: str, m: str, layers: int) -> dict[str, Tensor]:
    theirs, state = f"encoder{SUFFIX[m]}", weights.pair(f"{ours}norm", f"encoder{SUFFIX[m]}.norm")
    for i in range(layers):
        state |= weights.self_block(f"{ours}layers.{i}", f"{theirs}.blocks.{i}")
    return state


def fusion_state(weights: Weights, ours: str, layers: int) -> dict[str, Tensor]:
    state = {}
    for m, end in SUFFIX.items():
        state |= weights.pair(f"{ours}norms.{m}", f"encoder_fusion.norm{end}")
        for i in range(layers):
            theirs = f"encoder_fusion.blocks{end}.{i}"
            state |= weights.cross_self_block(f"{ours}layers.{i}.{m}", theirs)
    return state


def everything(streams: dict[str, Tensor]) -> dict[str, Tensor]:
    return {m: torch.ones(x.shape[:2], dtype=torch.bool) for m, x in streams.items()}


def test_fine_tuning(peer: Callable[[str], Golden]) -> None:
    golden = peer("hicmae_finetune")
    have, sizes, weights = golden.tensors, golden.arguments, Weights(golden.part("weight."))
    factor, encoders, state, streams = int(sizes["mlp_ratio"]), {}, {}, {}
    for m, end in SUFFIX.items():
        width, heads, layers = (sizes[f"{name}{end}"] for name in ("embed_dim", "num_heads", "depth"))
        encoders[m] = LayeredEncoder(width, heads, layers, factor)
        state |= encoder_state(weights, f"encoders.{m}.", m, layers)
        state[f"mix.{m}"] = weights(f"{m}_layer_weights")
        tokens = patches(have[f"input.{m}"], weights, f"encoder{end}.patch_embed.proj")
        torch.testing.assert_close(tokens, have[f"activation.patch_embed_{m}"], **CLOSE)
        streams[m] = tokens + have[f"activation.pos_embed_{m}"]
    depth = sizes["fusion_depth"]
    fusion = PairedFusion({m: e.width for m, e in encoders.items()}, sizes["fusion_num_heads"], depth, factor)
    state |= fusion_state(weights, "fusion.", depth)
    core = HierarchicalFusion(encoders, fusion, sizes["num_classes"])
    core.load_state_dict(state | weights.pair("norm", "fc_norm") | weights.pair("head", "head"))
    eps_as(core, sizes)
    assert weights.taken == set(weights.tensors)

    found, masks = core(streams, everything(streams)), everything(streams)
    torch.testing.assert_close(found["logits"], have["output.logits"], **CLOSE)
    torch.testing.assert_close(found["feature"], have["output.feature"], **CLOSE)
    for m, x in streams.items():
        other = "audio" if m == "video" else "video"
        last = {name: layers[:, :, -1] for name, layers in found["layers"].items()}
        pair = fusion.layers[0][m](last[m], last[other], masks[m], masks[other])
        for name, value in {
            f"encoder_{m}_block0": encoders[m].layers[0](x, masks[m]),
            f"encoder_{m}_all_layers": found["layers"][m],
            f"fusion_{m}_block0": pair,
            f"fusion_{m}": found["fused"][m],
        }.items():
            torch.testing.assert_close(value, have[f"activation.{name}"], **CLOSE, msg=name)


def visible(weights: Weights, golden: Golden, m: str) -> Tensor:
    """Tokens of the frames that are not masked, in their order."""
    have, seen = golden.tensors, ~golden.tensors[f"input.mask_{m}"]
    tokens = patches(have[f"input.{m}"], weights, f"encoder{SUFFIX[m]}.patch_embed.proj")
    place = have.get(f"activation.pos_embed_{m}")
    tokens = tokens + (positions(*tokens.shape[1:]) if place is None else place)
    return tokens[seen].reshape(len(tokens), -1, tokens.shape[-1])


def positions(count: int, width: int) -> Tensor:
    """The released table: sin at even and cos at odd columns of place / 10000^(2 ⌊j/2⌋ / W)."""
    column = torch.arange(width)
    angle = torch.arange(count)[:, None] / 10000 ** (2 * (column // 2) / width)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())


def test_pre_training_as_far_as_the_contrast(peer: Callable[[str], Golden]) -> None:
    golden = peer("hicmae_pretrain")
    have, sizes, weights = golden.tensors, golden.arguments, Weights(golden.part("weight."))
    factor, levels, layers, last = int(sizes["mlp_ratio"]), sizes["return_intermediate_features"], {}, {}
    for m, end in SUFFIX.items():
        names = (f"encoder_{name}{end}" for name in ("embed_dim", "num_heads", "depth"))
        width, heads, depth = (sizes[name] for name in names)
        encoder = LayeredEncoder(width, heads, depth, factor)
        encoder.load_state_dict(encoder_state(weights, "", m, depth))
        x = visible(weights, golden, m)
        layers[m] = eps_as(encoder, sizes)(x, everything({m: x})[m])
        last[m] = layers[m][:, :, -1]
        torch.testing.assert_close(last[m], have[f"activation.encoder_{m}_vis"], **CLOSE)
        for k, level in enumerate(levels):
            inter = have[f"activation.encoder_{m}_inter_{k}"]
            torch.testing.assert_close(layers[m][:, :, level], inter, **CLOSE)
    masks = everything(last)
    widths, depth = {m: x.shape[-1] for m, x in last.items()}, sizes["encoder_fusion_depth"]
    fusion = PairedFusion(widths, sizes["encoder_fusion_num_heads"], depth, factor)
    fusion.load_state_dict(fusion_state(weights, "", depth))
    for m, x in eps_as(fusion, sizes)(last, masks).items():
        torch.testing.assert_close(x, have[f"activation.fusion_{m}"], **CLOSE)

    losses = []
    for k, level in enumerate(levels):
        u, v = (layers[m][:, :, level] for m in SUFFIX)
        scores = clip_similarities(u, v, *masks.values(), sizes["inter_contrastive_temperature"])
        torch.testing.assert_close(scores, have[f"output.hcmcl_logits_per_video_{k}"], rtol=1e-5, atol=1e-5)
        losses.append(contrast(scores, scores.T))
        torch.testing.assert_close(losses[-1], have[f"output.loss_hcmcl_{k}"], **CLOSE)
    total = torch.stack(losses).sum()
    torch.testing.assert_close(total, have["output.loss_hcmcl"], **CLOSE)
    parts = have["output.loss_video_framediff"] + have["output.loss_audio"]
    expected = have["output.loss_total_framediff"]
    torch.testing.assert_close(parts + sizes["loss_weight"] * total, expected, **CLOSE)

    # The decoders reconstruct pixels, which this project does not have.
    unused = {
        name for name in weights.tensors if name.startswith(("decoder", "encoder_to_decoder", "mask_token"))
    }
    assert weights.taken == set(weights.tensors) - unused
