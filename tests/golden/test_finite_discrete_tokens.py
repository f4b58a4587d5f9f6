"""Tokens and contrast give the numbers of Finite Discrete Tokens (Chen et al. 2023) where they agree."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl.losses.contrast import contrast
from ugcl.models.tokens import UnifiedGranularityTokens

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
QUERIES = {"image": "img", "text": "txt"}
"""Our modality names and that code's."""
ACTIVATIONS, POOLS = ("softmax", "sparsemax"), ("max", "mean")


@pytest.fixture(scope="module")
def golden(peer: Callable[[str], Golden]) -> Golden:
    return peer("fdt")


@pytest.fixture(scope="module")
def tokens(golden: Golden) -> UnifiedGranularityTokens:
    arguments = golden.arguments
    return made(golden, *(arguments[name] for name in ("att_func_type", "pool_type", "sd_temperature")))


def made(golden: Golden, *settings: str | float) -> UnifiedGranularityTokens:
    values, arguments = golden.tensors, golden.arguments
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


def test_patches_without_padding(golden: Golden, tokens: UnifiedGranularityTokens) -> None:
    values, patches = golden.tensors, golden.tensors["input.patch_tokens"]
    z, weights = tokens("image", patches, torch.ones(patches.shape[:2], dtype=torch.bool))
    torch.testing.assert_close(weights, values["output.img_att_weight"], **CLOSE)
    torch.testing.assert_close(z, F.normalize(values["output.img_sd_ft"], dim=-1), **CLOSE)


def like_theirs(tokens: UnifiedGranularityTokens, scores: Tensor, mask: Tensor) -> Tensor:
    """Pooled scores as its mask has them: padded words offer 0 to the maximum and count in the mean."""
    own = tokens.gather(scores, mask)
    if tokens.pool == "mean":
        return own * mask.float().mean(dim=1, keepdim=True)
    return torch.where(mask.all(dim=1, keepdim=True), own, own.clamp(min=0))


def test_words_with_its_mask(golden: Golden, tokens: UnifiedGranularityTokens) -> None:
    values, mask = golden.tensors, lengths(golden.tensors)
    assert mask.all(dim=1).any() and not mask.all()
    scores = tokens.score("text", values["input.word_tokens"])
    z, weights = tokens.express(like_theirs(tokens, scores, mask))
    torch.testing.assert_close(weights, values["output.txt_att_weight"], **CLOSE)
    torch.testing.assert_close(z, F.normalize(values["output.txt_sd_ft"], dim=-1), **CLOSE)


def test_its_other_settings(golden: Golden) -> None:
    values, mask = golden.tensors, lengths(golden.tensors)
    names = re.compile(r"(output\.txt_variant_(softmax|sparsemax)_(max|mean)_T(.+))_att_weight")
    found = [match.groups() for match in map(names.fullmatch, values) if match]
    assert {(activation, pool) for _, activation, pool, _ in found} == set(product(ACTIVATIONS, POOLS))
    for name, activation, pool, temperature in found:
        tokens = made(golden, activation, pool, float(temperature))
        scores = tokens.score("text", values["input.word_tokens"])
        z, weights = tokens.express(like_theirs(tokens, scores, mask))
        torch.testing.assert_close(weights, values[f"{name}_att_weight"], **CLOSE)
        torch.testing.assert_close(z, F.normalize(values[f"{name}_sd_ft"], dim=-1), **CLOSE)


def test_contrast(golden: Golden) -> None:
    values = golden.tensors
    scale = values["weight.logit_scale"].exp()
    u, v = (F.normalize(values[f"output.{name}_sd_ft"], dim=-1) for name in QUERIES.values())
    scores = scale * u @ v.T
    torch.testing.assert_close(scores, values["output.logits_per_image"], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(contrast(scores, scores.T).squeeze(), values["output.loss_infonce"].squeeze())
