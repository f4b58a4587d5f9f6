"""VAVL gives the numbers of the released code, over the clips of the batch as released and over frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.methods.audiovisual.vavl import Conformer, Head, Shared

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}
FEED_FORWARD = {"0": "0", "1": "1.linear", "4": "4.linear"}
BLOCK = {
    **{f"first.{ours}": f"0.module.sequential.{theirs}" for ours, theirs in FEED_FORWARD.items()},
    **{f"second.{ours}": f"3.module.sequential.{theirs}" for ours, theirs in FEED_FORWARD.items()},
    "attention_norm": "1.module.layer_norm",
    "attention.query": "1.module.attention.query_proj.linear",
    "attention.key": "1.module.attention.key_proj.linear",
    "attention.value": "1.module.attention.value_proj.linear",
    "attention.out": "1.module.attention.out_proj.linear",
    "attention.position": "1.module.attention.pos_proj.linear",
    "attention.u": "1.module.attention.u_bias",
    "attention.v": "1.module.attention.v_bias",
    "convolution.norm": "2.module.sequential.0",
    "convolution.expand": "2.module.sequential.2.conv",
    "convolution.depthwise": "2.module.sequential.4.conv",
    "convolution.batch_norm": "2.module.sequential.5",
    "convolution.contract": "2.module.sequential.7.conv",
    "norm": "4",
}
"""Our names and the released ones within a block."""


class Weights:
    """The released weights, and which of them were taken."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors, self.taken = tensors, set()

    def load(self, module: nn.Module, rename: Callable[[str], str]) -> None:
        own, state = module.state_dict(), {}
        for name, value in own.items():
            if name.endswith("num_batches_tracked"):
                state[name] = value
                continue
            theirs = rename(name)
            self.taken.add(theirs)
            state[name] = self.tensors[theirs].reshape(value.shape)
        module.load_state_dict(state)
        module.eval()

    def conformer(self, place: str, faults: tuple[str, ...]) -> Conformer:
        size = self.tensors[f"{place}.encoder.input_projection.0.linear.weight"].shape
        layers = {name.split(".")[4] for name in self.tensors if name.startswith(f"{place}.encoder.layers.")}
        block = f"{place}.encoder.layers.0.sequential"
        heads = len(self.tensors[f"{block}.{BLOCK['attention.u']}"])
        kernel = self.tensors[f"{block}.{BLOCK['convolution.depthwise']}.weight"].shape[-1]
        network = Conformer(size[1], size[0], heads, len(layers), kernel, faults=faults)

        def rename(name: str) -> str:
            if name.startswith("project."):
                return f"{place}.encoder.input_projection.0.linear.{name.removeprefix('project.')}"
            _, number, own = name.split(".", 2)
            part = next(part for part in BLOCK if own == part or own.startswith(f"{part}."))
            return f"{place}.encoder.layers.{number}.sequential.{BLOCK[part]}{own.removeprefix(part)}"

        self.load(network, rename)
        return network

    def head(self, place: str) -> Head:
        names = {"0": "projav1", "3": "projav2", "4": "out_layer"}
        shapes = [self.tensors[f"{place}.{name}.weight"].shape for name in names.values()]
        head = Head(shapes[0][1], *(shape[0] for shape in shapes))
        self.load(head, lambda name: f"{place}.{names[name.split('.')[0]]}.{name.split('.')[1]}")
        return head


@pytest.mark.parametrize("released", [True, False], ids=["over-clips", "over-frames"])
def test_heads_losses_and_activations(peer: Callable[[str], Golden], released: bool) -> None:
    golden = peer("vavl")
    have, weights = golden.tensors, Weights(golden.part("weight."))
    faults = ("relative_shift", "batch_axis") if released else ("relative_shift",)
    prefix = "" if released else "intime_"
    labels = have["input.labels"].argmax(dim=1)
    shared = weights.conformer("shared.x_shared", faults)
    pool = Shared(shared, shared.project.out_features)
    weights.taken |= {"shared.layer_norm.weight", "shared.layer_norm.bias"}
    pool.norm.load_state_dict({k: weights.tensors[f"shared.layer_norm.{k}"] for k in ("weight", "bias")})
    clips, found, seen = {}, {}, {}
    for m, name, conv in (("a", "acoustic", "conv_1d_a"), ("v", "visual", "conv_1d_v")):
        features = have["input.x_aud" if m == "a" else "input.x_vid"]
        narrow = weights.tensors[f"{name}.{conv}.weight"]
        weights.taken.add(f"{name}.{conv}.weight")
        mask = torch.ones(features.shape[:2], dtype=torch.bool)
        frames = weights.conformer(f"{name}.x_{name}", faults)(features @ narrow[..., 0].T, mask)
        clips[m] = pool(frames, mask)
        seen |= {f"{name}_feats": frames.transpose(0, 1), f"rep_{m}": clips[m]}
        found[f"pred_{m}"] = weights.head(f"MLP_{m}")(clips[m])
        found[f"rec_{m}"] = weights.head(f"MLP_rec_{m}")(clips[m])
        found[f"loss_rec_{m}"] = F.mse_loss(found[f"rec_{m}"], features.mean(dim=1))
        found[f"loss_{name}"] = F.cross_entropy(found[f"pred_{m}"], labels) + 2 * found[f"loss_rec_{m}"]
        if m == "a" and released:
            alone = weights.conformer("acoustic.x_acoustic", faults)(
                features[:1] @ narrow[..., 0].T, mask[:1]
            )
            seen["rep_a_sample0_alone"] = pool(alone, mask[:1])
    found["pred"] = weights.head("weights")(torch.cat([clips["a"], clips["v"]], dim=1))
    found["loss_fusion"] = F.cross_entropy(found["pred"], labels)
    for name, value in found.items():
        torch.testing.assert_close(value, have[f"output.{prefix}{name}"], **CLOSE, msg=name)
    for name, value in seen.items():
        torch.testing.assert_close(value, have[f"activation.{prefix}{name}"], **CLOSE, msg=name)
    unused = {name for name in weights.tensors if name.endswith("key_proj.linear.bias")}
    assert weights.taken | unused == weights.tensors.keys(), "a bias of keys cancels in the softmax"
