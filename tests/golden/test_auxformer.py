"""AuxFormer gives the numbers of the released code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F

from ugcl.methods.audiovisual.auxformer import AuxiliaryFusion

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}
PARTS = {
    "cross.0": "trans_a_with_v",
    "cross.1": "trans_v_with_a",
    "memory.0": "trans_a_mem",
    "memory.1": "trans_v_mem",
    "auxiliary.0": "a_mem",
    "auxiliary.1": "v_mem",
    "proj1": "proj1",
    "proj2": "proj2",
    "out": "out_layer",
    "head.0": "proj_aux1",
    "head.3": "proj_aux2",
    "head.6": "proj_aux3",
    "head_out": "out_layer_aux",
}
"""Our names and the released ones."""


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("full", [True, False], ids=["full", "zero-frames"])
def test_logits_and_losses(peer: Callable[[str], Golden], causal: bool, full: bool) -> None:
    golden = peer("auxformer")
    have, sizes, weights = golden.tensors, golden.arguments, golden.part("weight.")
    width, classes = weights["conv_1d_a.weight"].shape[0], sizes["output_dim"]
    hidden = len(weights["proj_aux1.weight"]), len(weights["proj_aux2.weight"])
    options = sizes["layers"], 3, causal, () if full else ("zero_positions",)
    network = AuxiliaryFusion(width, sizes["num_heads"], classes, hidden, *options).eval()
    state, taken = {}, {"conv_1d_a.weight"}
    for name in network.state_dict():
        ours = next(part for part in PARTS if name.startswith(f"{part}."))
        theirs = PARTS[ours] + name.removeprefix(ours)
        state[name] = weights[theirs]
        taken.add(theirs)
    network.load_state_dict(state)
    assert weights.keys() == taken

    seen = {}
    for name in list(PARTS)[:6]:
        part, i = name.split(".")
        getattr(network, part)[int(i)].register_forward_hook(
            lambda _, __, output, name=name: seen.setdefault(name, []).append(output)
        )
    audio = have["input.x_aud"] @ weights["conv_1d_a.weight"][..., 0].T
    video = have["input.x_vid_full" if full else "input.x_vid"]
    masks = [torch.ones(x.shape[:2], dtype=torch.bool) for x in (audio, video)]
    logits, (first, second) = network([audio, video], masks)

    labels = have["input.labels"].argmax(dim=1)
    losses = [F.cross_entropy(x, labels) for x in (logits, first, second)]
    mean = torch.stack([logits, first, second]).mean(dim=0)
    found = {"output": logits, "output_a_aux": first, "output_v_aux": second, "eval_pred": mean}
    found |= dict(zip(("loss_va", "loss_a", "loss_v"), losses, strict=True))
    found["loss"] = 0.3333 * sum(losses)
    prefix = ("full_" if full else "") + ("" if causal else "nomask_")
    expected = {k: v for k, v in golden.part("output.").items() if k == prefix + k.removeprefix(prefix)}
    for name, value in found.items():
        torch.testing.assert_close(value, expected[prefix + name], **CLOSE, msg=name)
    if causal and not full:
        torch.testing.assert_close(audio.mT, have["activation.conv_1d_a"], **CLOSE)
        for name in list(PARTS)[:4]:
            torch.testing.assert_close(seen[name][0], have[f"activation.{PARTS[name]}"], **CLOSE, msg=name)
        for name, number in (("a_mem_pass1", 0), ("a_mem_pass3", 2), ("v_mem_pass3", 2)):
            ours = "auxiliary.0" if name[0] == "a" else "auxiliary.1"
            torch.testing.assert_close(seen[ours][number], have[f"activation.{name}"], **CLOSE, msg=name)
        placed = (network.placed(video.transpose(0, 1)) - video.transpose(0, 1)).transpose(0, 1)
        torch.testing.assert_close(placed * width**0.5, have["activation.positions_v"], **CLOSE)
