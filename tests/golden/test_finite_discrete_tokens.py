"""Tokens and contrast give the numbers of Finite Discrete Tokens (Chen et al. 2023), where both are defined.

The file is named by UGCL_FDT_GOLDEN, or lies in the folder `reference` beside the project's `shared` data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from ugcl.losses.contrast import contrast
from ugcl.models.tokens import UnifiedGranularityTokens

NAME = "fdt.safetensors"
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
QUERIES = {"image": "img", "text": "txt"}
"""Our modality names and that code's."""


@pytest.fixture(scope="module")
def golden(reference: Callable[[str, str], Path]) -> tuple[dict[str, Tensor], dict]:
    with safe_open(reference(NAME, "UGCL_FDT_GOLDEN"), "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["kwargs"])  # noqa: SIM118


@pytest.fixture(scope="module")
def tokens(golden: tuple[dict[str, Tensor], dict]) -> UnifiedGranularityTokens:
    arguments = golden[1]
    return made(golden, *(arguments[name] for name in ("att_func_type", "pool_type", "sd_temperature")))


def made(golden: tuple[dict[str, Tensor], dict], *settings: str | float) -> UnifiedGranularityTokens:
    values, arguments = golden
    widths = {"image": arguments["raw_img_ft_dim"], "text": arguments["raw_txt_ft_dim"]}
    made = UnifiedGranularityTokens(widths, arguments["sd_num"], arguments["sd_dim"], *settings)
    state = {"codebook": values["weight.space_dict"]}
    for ours, theirs in QUERIES.items():
        for i in (0, 1, 3, 4):
            for kind in ("weight", "bias"):
                state[f"queries.{ours}.{i}.{kind}"] = values[f"weight.{theirs}_query_model.q_map.{i}.{kind}"]
    made.load_state_dict(state)
    return made


def lengths(values: dict[str, Tensor]) -> Tensor:
    return torch.arange(values["input.word_tokens"].shape[1]) < values["input.lengths"][:, None]


def test_patches_without_padding(golden: tuple, tokens: UnifiedGranularityTokens) -> None:
    values, patches = golden[0], golden[0]["input.patch_tokens"]
    z, weights = tokens("image", patches, torch.ones(patches.shape[:2], dtype=torch.bool))
    torch.testing.assert_close(weights, values["output.img_att_weight"], **CLOSE)
    torch.testing.assert_close(z, F.normalize(values["output.img_sd_ft"], dim=-1), **CLOSE)


def like_theirs(tokens: UnifiedGranularityTokens, scores: Tensor, mask: Tensor) -> Tensor:
    """Pooled scores as its mask has them: padded words offer 0 to the maximum and count in the mean."""
    own = tokens.gather(scores, mask)
    if tokens.pool == "mean":
        return own * mask.float().mean(dim=1, keepdim=True)
    return torch.where(mask.all(dim=1, keepdim=True), own, own.clamp(min=0))


def test_words_with_its_mask(golden: tuple, tokens: UnifiedGranularityTokens) -> None:
    values, mask = golden[0], lengths(golden[0])
    assert mask.all(dim=1).any() and not mask.all()
    scores = tokens.score("text", values["input.word_tokens"])
    z, weights = tokens.express(like_theirs(tokens, scores, mask))
    torch.testing.assert_close(weights, values["output.txt_att_weight"], **CLOSE)
    torch.testing.assert_close(z, F.normalize(values["output.txt_sd_ft"], dim=-1), **CLOSE)


@pytest.mark.parametrize(
    "settings",
    [
        ("softmax", "max", 0.5),
        ("softmax", "mean", 0.5),
        ("sparsemax", "max", 0.5),
        ("sparsemax", "mean", 0.5),
        ("sparsemax", "max", 1000),
    ],
)
def test_its_other_settings(golden: tuple, settings: tuple[str, str, float]) -> None:
    values, mask, tokens = golden[0], lengths(golden[0]), made(golden, *settings)
    name = "output.txt_variant_{}_{}_T{}".format(*settings)
    z, weights = tokens.express(like_theirs(tokens, tokens.score("text", values["input.word_tokens"]), mask))
    torch.testing.assert_close(weights, values[f"{name}_att_weight"], **CLOSE)
    torch.testing.assert_close(z, F.normalize(values[f"{name}_sd_ft"], dim=-1), **CLOSE)


def test_contrast(golden: tuple) -> None:
    values = golden[0]
    scale = values["weight.logit_scale"].exp()
    u, v = (F.normalize(values[f"output.{name}_sd_ft"], dim=-1) for name in QUERIES.values())
    scores = scale * u @ v.T
    torch.testing.assert_close(scores, values["output.logits_per_image"], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(contrast(scores, scores.T).squeeze(), values["output.loss_infonce"].squeeze())
