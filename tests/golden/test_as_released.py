"""The released network, loaded from a state of its own code, gives that code's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from ugcl.errors import UgclError
from ugcl.losses.classification import double_softmax_focal
from ugcl.methods.released import from_released_state
from ugcl.models.released_fusion import ReleasedFusion

if TYPE_CHECKING:
    from tests.golden.conftest import Golden


@pytest.fixture(scope="module")
def golden(peer: Callable[[str], Golden]) -> Golden:
    return peer("ugcl_as_released_small")


def state(golden: Golden) -> dict[str, Tensor]:
    """The weights, which are stored in few bits."""
    return {name: x.float() for name, x in golden.part("weight.").items()}


@pytest.fixture(scope="module")
def model(golden: Golden) -> ReleasedFusion:
    return from_released_state(state(golden), classes=golden.arguments["output_dim"])


def total(model: nn.Module, golden: Golden) -> dict[str, Tensor]:
    given = golden.part("input.")
    out = model(given["audio"], given["video"])
    focal = double_softmax_focal(out.logits, given["label"])
    return {
        "logits": out.logits,
        "loss_alignment": out.contrast,
        "loss_matching": out.matching,
        "loss_focal": focal,
        "loss_total": 0.15 * out.contrast + 0.15 * out.matching + 0.7 * focal,
    }


def test_outputs(golden: Golden, model: ReleasedFusion) -> None:
    found, expected = total(model, golden), golden.part("output.")
    assert expected.keys() <= found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value.reshape(found[name].shape), atol=1e-5, rtol=0, msg=name)


def test_activations(golden: Golden, model: ReleasedFusion) -> None:
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
    for name, value in golden.part("activation.").items():
        torch.testing.assert_close(seen[name], value, atol=1e-5, rtol=0, msg=name)


def test_gradient_norms(golden: Golden, model: ReleasedFusion) -> None:
    model.zero_grad()
    total(model, golden)["loss_total"].backward()
    found = {name: p.grad.norm() for name, p in model.named_parameters()}
    expected = golden.part("gradnorm.")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-8, rtol=1e-4, msg=name)


def test_a_state_that_does_not_fit_is_refused(golden: Golden) -> None:
    given, classes = state(golden), golden.arguments["output_dim"]
    with pytest.raises(UgclError, match="classes"):
        from_released_state(given, classes + 1)
    with pytest.raises(UgclError, match=r"lacks proj1\.bias"):
        from_released_state({k: v for k, v in given.items() if k != "proj1.bias"}, classes)
    with pytest.raises(UgclError, match="unknown surprise"):
        from_released_state(given | {"surprise": torch.zeros(1)}, classes)
    with pytest.raises(UgclError, match="no parameter"):
        from_released_state({}, classes)
