"""AVT-CA and its two other fusions give the numbers of the released code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch

from ugcl.methods.audiovisual.avt_ca import CrossFusion

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}
CROSSING = {"it": ("av1", "va1"), "ia": ("av1", "va1"), "lt": ("av", "va")}
ATTENTION = {
    "query_norm": "norm1_q",
    "key_norm": "norm1_k",
    "norm": "norm2",
    "attention.query": "attn.q",
    "out": "attn.proj",
    "perceptron.0": "mlp.fc1",
    "perceptron.2": "mlp.fc2",
}


def released(name: str, fusion: str) -> tuple[str, int | None]:
    """The released name of a weight, and the half of it that is meant where it holds keys and values."""
    part, number, own = name.split(".", 2) if not name.startswith("final") else (name, "", "")
    if part == "convolutions":
        block, layer, kind = own.split(".")
        model = ("audio_model", "visual_model")[int(number)]
        return f"{model}.conv1d_{block}.{0 if layer == 'convolution' else 1}.{kind}", None
    if part == "crossing":
        place = CROSSING[fusion][int(number)]
        inner = "" if fusion == "ia" else "attn."
        if own.endswith(("key.weight", "value.weight")):
            return f"{place}.{inner}kv.weight", int(own.endswith("value.weight"))
        if fusion == "ia":
            return f"{place}.q.weight", None
        ours = next(key for key in ATTENTION if own.startswith(f"{key}."))
        return f"{place}.{ATTENTION[ours]}{own.removeprefix(ours)}", None
    return name.replace("final.", "finalAttention."), None


@pytest.mark.parametrize("fusion", CROSSING)
def test_logits_and_activations(peer: Callable[[str], Golden], fusion: str) -> None:
    golden = peer(f"avt_ca_{fusion}")
    have, sizes, weights = golden.tensors, golden.arguments, golden.part("weight.")
    channels = [
        [len(weights[f"{model}.conv1d_{i}.0.bias"]) for i in range(4)]
        for model in ("audio_model", "visual_model")
    ]
    audio = have["input.x_audio"].mT
    video = have["input.x_visual"].unflatten(0, (-1, sizes["seq_length"]))
    widths = audio.shape[2], video.shape[2]
    network = CrossFusion(widths, channels, 8, fusion, shorten=(True, False)).eval()
    state, taken = {}, {"classifier_1.0.weight", "classifier_1.0.bias"}
    for name, value in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = value
            continue
        theirs, half = released(name, fusion)
        taken.add(theirs)
        state[name] = weights[theirs] if half is None else weights[theirs].chunk(2)[half]
    network.load_state_dict(state)
    assert weights.keys() == taken

    seen = {}

    def keep(module: torch.nn.Module, name: str) -> None:
        module.register_forward_hook(lambda _, __, output: seen.__setitem__(name, output))

    for stream, name in enumerate(("audio", "visual")):
        for number, stage in ((0, "block0"), (1, "stage1"), (3, "stage2")):
            keep(network.convolutions[stream][number], f"{name}_{stage}")
    for module, name in zip(network.crossing, CROSSING[fusion], strict=True):
        keep(module, f"attn_{name[:2]}" if fusion == "ia" else name)
    attended = []
    if fusion == "it":
        network.final.register_forward_hook(lambda _, __, output: attended.append(output[0].transpose(0, 1)))
    masks = [torch.ones(x.shape[:2], dtype=torch.bool) for x in (audio, video)]
    pooled = network([audio, video], masks)
    logits = pooled @ weights["classifier_1.0.weight"].T + weights["classifier_1.0.bias"]
    torch.testing.assert_close(logits, have["output.logits"], **CLOSE)
    torch.testing.assert_close(pooled, have["activation.pooled"], **CLOSE)
    found = {name: value[0].mT if isinstance(value, tuple) else value for name, value in seen.items()}
    found |= dict(zip(("final_attention_audio", "final_attention_visual"), attended, strict=False))
    expected = golden.part("activation.")
    assert expected.keys() <= found.keys() | {"pooled"}
    for name in expected.keys() - {"pooled"}:
        torch.testing.assert_close(found[name], expected[name], **CLOSE, msg=name)
