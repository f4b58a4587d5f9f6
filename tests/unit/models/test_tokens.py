"""The codebook: sparsemax, pooling over any length, agreement with FDT."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file
from scipy.optimize import minimize

from ugcl.models.tokens import UnifiedGranularityTokens, sparsemax


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6))
@settings(max_examples=40, deadline=None)
def test_sparsemax_is_the_projection_on_the_simplex(scores):
    z = np.array(scores)
    p = sparsemax(torch.tensor(z)).numpy()
    assert p.min() >= 0 and p.sum() == pytest.approx(1)
    found = minimize(
        lambda q: ((q - z) ** 2).sum(),
        np.full(len(z), 1 / len(z)),
        bounds=[(0, 1)] * len(z),
        constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
    )
    assert ((p - z) ** 2).sum() <= found.fun + 1e-6


def test_sparsemax_by_hand():
    torch.testing.assert_close(sparsemax(torch.tensor([3.0, 1.0, 0.0])), torch.tensor([1.0, 0.0, 0.0]))
    torch.testing.assert_close(sparsemax(torch.tensor([0.5, 0.5, -1.0])), torch.tensor([0.5, 0.5, 0.0]))


@pytest.mark.parametrize("pool", ["max", "mean"])
@pytest.mark.parametrize("assignment", ["softmax", "sparsemax"])
def test_a_sequence_of_any_length_becomes_weights_over_the_same_tokens(assignment, pool):
    torch.manual_seed(0)
    tokens = UnifiedGranularityTokens({"audio": 6, "video": 4}, 9, 5, assignment, pool)
    mask = torch.arange(7) < torch.tensor([7, 3, 1])[:, None]
    frames = torch.randn(3, 7, 6)
    z, weights = tokens("audio", frames, mask)
    assert z.shape == (3, 5) and weights.shape == (3, 9)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
    cut, _ = tokens("audio", frames[1:2, :3], mask[1:2, :3])
    torch.testing.assert_close(cut[0], z[1])


def test_modalities_share_the_codebook_and_have_their_own_queries():
    tokens = UnifiedGranularityTokens({"audio": 6, "video": 4}, 9, 5)
    names = [name for name, _ in tokens.named_parameters()]
    assert names.count("codebook") == 1 and {n.split(".")[1] for n in names if "." in n} == {"audio", "video"}


def test_agreement_with_finite_discrete_tokens(mirror):
    path = mirror.parent / "reference" / "fdt.safetensors"
    if not path.is_file():
        pytest.skip(f"no reference values at {path}")
    golden = load_file(path)
    with safe_open(path, "pt") as file:
        arguments = json.loads(file.metadata()["kwargs"])
    tokens = UnifiedGranularityTokens(
        {"image": arguments["raw_img_ft_dim"], "text": arguments["raw_txt_ft_dim"]},
        arguments["sd_num"],
        arguments["sd_dim"],
        arguments["att_func_type"],
        arguments["pool_type"],
        arguments["sd_temperature"],
    )
    weights = {"codebook": golden["weight.space_dict"]}
    for ours, theirs in (("image", "img"), ("text", "txt")):
        for i in (0, 1, 3, 4):
            for kind in ("weight", "bias"):
                weights[f"queries.{ours}.{i}.{kind}"] = golden[
                    f"weight.{theirs}_query_model.q_map.{i}.{kind}"
                ]
    tokens.load_state_dict(weights)
    patches = golden["input.patch_tokens"]
    z, assigned = tokens("image", patches, torch.ones(patches.shape[:2], dtype=torch.bool))
    torch.testing.assert_close(assigned, golden["output.img_att_weight"], rtol=1e-5, atol=1e-5)
    expected = torch.nn.functional.normalize(golden["output.img_sd_ft"], dim=-1)
    torch.testing.assert_close(z, expected, rtol=1e-5, atol=1e-5)

    # FDT gives padded words the score 0, here they have none: rows agree where a clip has no padding.
    words, lengths = golden["input.word_tokens"], golden["input.lengths"]
    mask = torch.arange(words.shape[1]) < lengths[:, None]
    _, assigned = tokens("text", words, mask)
    full = lengths == words.shape[1]
    assert full.any()
    torch.testing.assert_close(assigned[full], golden["output.txt_att_weight"][full], rtol=1e-5, atol=1e-5)
