"""GBAN and its ablations give the numbers of the released code, from its inputs to its probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl.methods.text.gban import GroupGatedFusion, classifier

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}
FAULTS = ["last_step", "zero_pad"]
KINDS = ["ggf", "gmu", "tfl", "concat", "concat_attention", "concat_all"]
GATES = {
    "ggf": {
        "Wv": "units.0.first",
        "Wt": "units.0.second",
        "Wz_xv": "units.0.gate",
        "Wfv": "units.1.first",
        "Wft": "units.1.second",
        "Wz_fv": "units.1.gate",
    },
    "gmu": {"Wv": "first", "Wt": "second", "Wz": "gate"},
}
"""Names of the released weights and ours, which are transposed."""


@pytest.fixture(scope="module")
def golden(peer: Callable[[str], Golden]) -> Golden:
    return peer("gban")


def convolved(x: Tensor, trunk: dict[str, Tensor], name: str, same: bool = False) -> Tensor:
    """The released convolution, which comes before what this project has: (B, T, V) → (B, S, W)."""
    kernel = trunk[f"{name}.kernel"].permute(2, 1, 0)
    if same:  # an even kernel has one zero more on the right
        spare = kernel.shape[-1] - 1
        x = F.pad(x, (0, 0, spare // 2, spare - spare // 2))
    x = F.conv1d(x.transpose(1, 2), kernel, trunk[f"{name}.bias"]).relu()
    return F.max_pool1d(x, 2).transpose(1, 2)


@pytest.fixture(scope="module")
def streams(golden: Golden) -> tuple[list[Tensor], list[Tensor]]:
    trunk = golden.part("weight.trunk.")
    audio = golden.tensors["input.audio"]
    for name in sorted({k.split(".")[0] for k in trunk if k.startswith("audio_conv")}):
        audio = convolved(audio, trunk, name)
    words = trunk["embedding.embeddings"][golden.tensors["input.text"]]
    kernels = sorted({k.split(".")[0] for k in trunk if k.startswith("text_conv")})
    text = torch.cat([convolved(words, trunk, name, same=True) for name in kernels], dim=-1)
    return [audio, text], [torch.ones(x.shape[:2], dtype=torch.bool) for x in (audio, text)]


def state(golden: Golden, kind: str) -> dict[str, Tensor]:
    """The released weights by our names; its LSTMs have one bias, gates in our order."""
    found, trunk = {}, golden.part("weight.trunk.")
    for i, modality in enumerate(("audio", "text")):
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            theirs, ours = f"{modality}_bilstm.{direction}", f"recurrent.{i}"
            found[f"{ours}.weight_ih_l0{suffix}"] = trunk[f"{theirs}.kernel"].T
            found[f"{ours}.weight_hh_l0{suffix}"] = trunk[f"{theirs}.recurrent_kernel"].T
            found[f"{ours}.bias_ih_l0{suffix}"] = trunk[f"{theirs}.bias"]
            found[f"{ours}.bias_hh_l0{suffix}"] = torch.zeros_like(trunk[f"{theirs}.bias"])
    own = golden.part(f"weight.{kind.replace('_', '-')}.")
    for i, name in enumerate(("scale_at", "scale_ta")):
        if name in own:
            found[f"alignment.scales.{i}"] = own[name]
    for theirs, ours in GATES.get(kind, {}).items():
        found[f"mix.{ours}.weight"] = own[theirs].T
    return found


def network(golden: Golden, kind: str, streams: tuple[list[Tensor], list[Tensor]]) -> GroupGatedFusion:
    hidden = len(golden.tensors["weight.trunk.audio_bilstm.forward.recurrent_kernel"])
    own = golden.part(f"weight.{kind}.")
    width = own["Wv"].shape[1] if "Wv" in own else 1
    made = GroupGatedFusion([x.shape[-1] for x in streams[0]], hidden, width, kind, FAULTS)
    made.load_state_dict(state(golden, kind))
    return made.eval()


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities(golden: Golden, kind: str, streams: tuple[list[Tensor], list[Tensor]]) -> None:
    own = golden.part(f"weight.{kind.replace('_', '-')}.")
    sizes = *own["dense.kernel"].shape, own["output.kernel"].shape[1]
    head = classifier(*sizes, dropout=0.5).eval()
    head[0].load_state_dict({"weight": own["dense.kernel"].T, "bias": own["dense.bias"]})
    head[3].load_state_dict({"weight": own["output.kernel"].T, "bias": own["output.bias"]})
    with torch.no_grad():
        fused = network(golden, kind, streams)(*streams)
        if kind == "ggf":
            torch.testing.assert_close(fused, golden.tensors["activation.ggf_out"], **CLOSE)
        found = head(fused).softmax(dim=-1)
    torch.testing.assert_close(found, golden.tensors[f"output.prob_{kind}"], **CLOSE)


def test_states_and_attended_vectors(golden: Golden, streams: tuple[list[Tensor], list[Tensor]]) -> None:
    made, expected = network(golden, "ggf", streams), golden.part("activation.")
    with torch.no_grad():
        states = [lstm(x, mask) for lstm, x, mask in zip(made.recurrent, *streams, strict=True)]
        (read,) = made.alignment(states, streams[1])
    for name, x, mask in zip(("audio", "text"), states, streams[1], strict=True):
        torch.testing.assert_close(x, expected[f"{name}_seq"], **CLOSE)
        torch.testing.assert_close(made.last(x, mask), expected[f"x_{name}_vector"], **CLOSE)
    for name, x in zip(("at", "ta"), read, strict=True):
        torch.testing.assert_close(x, expected[f"att_{name}_pool"], **CLOSE)


def test_every_stored_weight_is_read(golden: Golden) -> None:
    kinds = {kind.replace("_", "-") for kind in KINDS}
    assert {name.split(".")[0] for name in golden.part("weight.")} == {"trunk", *kinds}
    read = {name for kind in KINDS for name in GATES.get(kind, {})} | {"scale_at", "scale_ta"}
    for kind in kinds:
        own = golden.part(f"weight.{kind}.")
        assert {name for name in own if not name.startswith(("dense.", "output."))} <= read
