"""The released network, loaded from a state of its own code, gives that code's numbers.

The file is named by UGCL_GOLDEN, or lies in the folder `reference` beside the mirror.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ugcl.errors import UgclError
from ugcl.losses.classification import double_softmax_focal
from ugcl.methods.released import from_released_state
from ugcl.models.released_fusion import ReleasedFusion

NAME = "ugcl_as_released.safetensors"


@pytest.fixture(scope="module")
def golden(reference: Callable[[str, str], Path]) -> dict[str, Tensor]:
    return load_file(reference(NAME, "UGCL_GOLDEN"))


def part(golden: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): v for name, v in golden.items() if name.startswith(prefix)}


@pytest.fixture(scope="module")
def model(golden: dict[str, Tensor]) -> ReleasedFusion:
    return from_released_state(part(golden, "weight."), classes=golden["output.logits"].shape[1])


def total(model: nn.Module, golden: dict[str, Tensor]) -> dict[str, Tensor]:
    out = model(golden["input.audio"], golden["input.video"])
    focal = double_softmax_focal(out.logits, golden["input.label"])
    return {
        "logits": out.logits,
        "loss_alignment": out.contrast,
        "loss_matching": out.matching,
        "loss_focal": focal,
        "loss_total": 0.15 * out.contrast + 0.15 * out.matching + 0.7 * focal,
    }


def test_outputs(golden: dict[str, Tensor], model: ReleasedFusion) -> None:
    found, expected = total(model, golden), part(golden, "output.")
    assert expected.keys() <= found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value.reshape(found[name].shape), atol=1e-5, rtol=0, msg=name)


def test_activations(golden: dict[str, Tensor], model: ReleasedFusion) -> None:
    seen: dict[str, Tensor] = {}

    def keep(name: str):
        def hook(module: nn.Module, inputs: tuple, output: Tensor | tuple[Tensor, ...]) -> None:
            outputs = output if isinstance(output, tuple) else (output,)
            for i, value in enumerate(outputs):
                seen[f"{name}.{i}" if isinstance(output, tuple) else name] = value.detach()

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in model.named_children()]
    total(model, golden)
    for handle in handles:
        handle.remove()
    for name, value in part(golden, "activation.").items():
        torch.testing.assert_close(seen[name], value, atol=1e-5, rtol=0, msg=name)


def test_gradient_norms(golden: dict[str, Tensor], model: ReleasedFusion) -> None:
    model.zero_grad()
    total(model, golden)["loss_total"].backward()
    found = {name: p.grad.norm() for name, p in model.named_parameters()}
    expected = part(golden, "gradnorm.")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-8, rtol=1e-4, msg=name)


def test_a_state_that_does_not_fit_is_refused(golden: dict[str, Tensor]) -> None:
    state = part(golden, "weight.")
    classes = golden["output.logits"].shape[1]
    with pytest.raises(UgclError, match="classes"):
        from_released_state(state, classes + 1)
    with pytest.raises(UgclError, match=r"lacks proj1\.bias"):
        from_released_state({k: v for k, v in state.items() if k != "proj1.bias"}, classes)
    with pytest.raises(UgclError, match="unknown surprise"):
        from_released_state(state | {"surprise": torch.zeros(1)}, classes)
    with pytest.raises(UgclError, match="no parameter"):
        from_released_state({}, classes)
