"""AVF-MAE++ gives the numbers of the released code, from its inputs to its logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor

from tests.golden.released_blocks import Weights, eps_as, patches
from ugcl.methods.pretrained.avf_mae import IterativeFusion, RegionFusion
from ugcl.methods.pretrained.regions import LocalGlobalEncoder

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}
SUFFIX = {"video": "", "audio": "_audio"}
"""Our modalities and the ends of the released names of encoders and arguments, in the released order."""
STAGE = {
    "video": "attn norm1 norm_vsa mlp_vsa cross_attn cross_norm1 cross_norm2 norm_vcma mlp_vcma"
    " lv1 lv2 norm3",
    "audio": "attn_new norm_new norm_asa mlp_asa cross_attn_a cross_norm1_a cross_norm2_a norm_acma mlp_acma"
    " la1 la2 norm3_1",
}
"""Released names within a stage, in the order of our parts."""
AFTER = {
    "video": "norm vadaptiveinteraction norm_att_v mlp_att_v vselectfusion cross_norm_1 norm_att_v_IR"
    " mlp_att_video_IR",
    "audio": "norm_audio aadaptiveinteraction norm_att_a mlp_att_a aselectfusion cross_norm_3 norm_att_a_IR"
    " mlp_att_audio_IR",
}
"""Released names after the stages."""


def encoder_state(weights: Weights, ours: str, theirs: str, layers: int) -> dict[str, Tensor]:
    state = {f"{ours}.messengers": weights(f"{theirs}.lg_region_tokens")}
    state |= weights.pair(f"{ours}.norm", f"{theirs}.norm")
    for i in range(layers):
        mine, block = f"{ours}.layers.{i}", f"{theirs}.blocks.{i}"
        for part, name in {"within": "first", "among": "second"}.items():
            state |= weights.pair(f"{mine}.{part}.norm", f"{block}.{name}_attn_norm0")
            state |= weights.attention(f"{mine}.{part}.attention", f"{block}.{name}_attn")
        for part, name in {"spread": "third_attn", "collect": "fourth_attn"}.items():
            attention, norms = f"{block}.{name}", (f"{block}.{name}_norm{k}" for k in (0, 1))
            state |= weights.cross_read(f"{mine}.{part}", attention, *norms)
        state |= weights.feed_forward(f"{mine}.feed_forward", f"{block}.norm2", f"{block}.mlp")
    return state


def fusion_state(weights: Weights, ours: str, theirs: str, stages: int) -> dict[str, Tensor]:
    state = weights.pair(f"{ours}.start", f"{theirs}.Iterative_Refinement_Module.post_extract_proj")
    state |= weights.pair(f"{ours}.joint_norm", f"{theirs}.Iterative_Refinement_Module.layer_norm")
    state |= weights.attention(f"{ours}.read", f"{theirs}.cross_attn")
    state |= weights.pair(f"{ours}.read_norm", f"{theirs}.cross_norm_2")
    for m in SUFFIX:
        conv, mine = f"{theirs}.Iterative_Refinement_Module.conv_{m}", f"{ours}.readings.{m}"
        state[f"{mine}.linear.weight"] = weights(f"{conv}.0.weight").squeeze(-1)
        state[f"{mine}.linear.bias"] = weights(f"{conv}.0.bias")
        for name in ("weight", "bias", "running_mean", "running_var"):
            state[f"{mine}.norm.{name}"] = weights(f"{conv}.1.{name}")
        state[f"{mine}.activation.weight"] = weights(f"{conv}.2.weight")
        for i in range(stages):
            mine, block = (
                f"{ours}.stages.{i}.{m}",
                [f"{theirs}.blocks.{i}.{name}" for name in STAGE[m].split()],
            )
            attention, norm, *mlp = block[:4]
            state |= weights.attention(f"{mine}.alone.attention", attention)
            state |= weights.pair(f"{mine}.alone.norm", norm)
            state |= weights.feed_forward(f"{mine}.alone.feed_forward", *mlp)
            state |= weights.cross_read(f"{mine}.read", *block[4:7])
            state |= weights.feed_forward(f"{mine}.feed_forward", *block[7:9])
            state |= weights.pair(f"{mine}.gate.first", block[9])
            state |= weights.pair(f"{mine}.gate.second", block[10])
            state |= weights.pair(f"{mine}.norm", block[11])
        norm, attention, after, mlp, score, read, last, last_mlp = (
            f"{theirs}.{name}" for name in AFTER[m].split()
        )
        state |= weights.pair(f"{ours}.across.{m}.norm", norm)
        state |= weights.attention(f"{ours}.across.{m}.attention", attention)
        state |= weights.feed_forward(f"{ours}.across.{m}.feed_forward", after, mlp)
        state |= weights.pair(f"{ours}.scores.{m}", score)
        state |= weights.pair(f"{ours}.norms.{m}", read)
        state |= weights.feed_forward(f"{ours}.feed_forward.{m}", last, last_mlp)
    return state


def in_regions(x: Tensor, sizes: dict, m: str) -> Tensor:
    """Patches in the order of the grid (B, N, W) → blocks of them, (B, n, S, W)."""
    patch, block = sizes[f"patch_size{SUFFIX[m]}"], sizes[f"lg_region_size{SUFFIX[m]}"]
    if m == "video":
        side = sizes["img_size"] // patch
        t, h, w = block
        return rearrange(
            x,
            "b (nt t nh h nw w) c -> b (nt nh nw) (t h w) c",
            **{"t": t, "h": h, "w": w, "nh": side // h, "nw": side // w},
        )
    h, w = block
    width = sizes["img_size_audio"][1] // patch
    return rearrange(x, "b (nh h nw w) c -> b (nh nw) (h w) c", h=h, w=w, nw=width // w)


def test_fine_tuning(peer: Callable[[str], Golden]) -> None:
    golden = peer("avf_mae_finetune")
    have, sizes, weights = golden.tensors, golden.arguments, Weights(golden.part("weight."))
    factor, encoders, state, local = int(sizes["mlp_ratio"]), {}, {}, {}
    for m, end in SUFFIX.items():
        width, heads, layers = (sizes[f"{name}{end}"] for name in ("embed_dim", "num_heads", "depth"))
        tokens = patches(have[f"input.{m}"], weights, f"encoder{end}.patch_embed.proj")
        torch.testing.assert_close(tokens, have[f"activation.patch_embed_{m}"], **CLOSE)
        local[m] = in_regions(tokens + have[f"activation.pos_embed_{m}"], sizes, m)
        encoders[m] = LocalGlobalEncoder(width, heads, layers, local[m].shape[1], factor)
        state |= encoder_state(weights, f"encoders.{m}", f"encoder{end}", layers)
        state[f"mix.{m}"] = weights(f"layer_weights_{m}")
    stages = sizes["fusion_depth"]
    fusion = IterativeFusion(list(SUFFIX), width, sizes["fusion_num_heads"], stages, factor)
    core = RegionFusion(encoders, fusion, sizes["num_classes"])
    state |= fusion_state(weights, "fusion", "encoder_fusion", stages)
    state |= weights.pair("norm", "fc_norm") | weights.pair("head", "head")
    core.load_state_dict(state)
    assert weights.taken == set(weights.tensors)
    eps_as(core, sizes, lambda name: name != "fusion.joint_norm")

    masks = {m: torch.ones(x.shape[:3], dtype=torch.bool) for m, x in local.items()}
    found = core(local, masks)
    for m, x in local.items():
        first = encoders[m].messengers.expand(len(x), -1, -1)[:, :, None]
        first = torch.cat([first, x], dim=2)
        after = encoders[m].layers[0](first, torch.ones(first.shape[:3], dtype=torch.bool))
        values = {
            f"block0_{m}_in": first.flatten(0, 1),
            f"block0_{m}_out": after.flatten(0, 1),
            f"encoder_{m}_all_layers": found["layers"][m],
            f"fusion_in_{m}": found["layers"][m][:, :, -1],
            "fusion_in_joint": found["joint"],
            **{f"fusion_stage{i}_{m}": stage[m] for i, stage in enumerate(found["stages"])},
            **{f"refined_{i + 1}": joint for i, joint in enumerate(found["refined"])},
            f"stage_logit_{m}": fusion.weighed(m, [stage[m] for stage in found["stages"]])[1],
            f"fused_{m}": found["fused"][m],
        }
        for name, value in values.items():
            torch.testing.assert_close(
                value, have[f"activation.{name}"], **CLOSE, msg=lambda s, n=name: n + s
            )
    torch.testing.assert_close(found["feature"], have["output.feature"], **CLOSE)
    torch.testing.assert_close(found["logits"], have["output.logits"], **CLOSE)
