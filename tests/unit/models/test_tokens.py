"""The codebook: sparsemax, pooling over any length, agreement with FDT."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
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


def test_segments_are_the_clips_of_their_own_frames():
    torch.manual_seed(0)
    tokens = UnifiedGranularityTokens({"audio": 6}, 9, 5)
    mask = torch.arange(10) < torch.tensor([10, 5, 2])[:, None]
    frames = torch.randn(3, 10, 6)
    z, valid = tokens.segments(tokens.score("audio", frames), mask, 3)
    # By hand: the frames of segment s of L are those with ⌊3t / L⌋ = s.
    members = [[[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]], [[0, 1], [2, 3], [4]], [[0], [1], []]]
    for clip, segments in enumerate(members):
        for number, inside in enumerate(segments):
            assert valid[clip, number] == bool(inside)
            if inside:
                whole = torch.ones(1, len(inside), dtype=torch.bool)
                torch.testing.assert_close(
                    z[clip, number], tokens("audio", frames[[clip]][:, inside], whole)[0][0]
                )
    assert z.isfinite().all()


def test_a_frame_is_a_clip_of_one_frame_and_all_granularities_agree_on_it():
    torch.manual_seed(0)
    tokens = UnifiedGranularityTokens({"audio": 6}, 9, 5, "sparsemax")
    frames, mask = torch.randn(4, 1, 6), torch.ones(4, 1, dtype=torch.bool)
    scores = tokens.score("audio", frames)
    clip = tokens("audio", frames, mask)[0]
    torch.testing.assert_close(tokens.frames(scores)[:, 0], clip)
    segments, valid = tokens.segments(scores, mask, 4)
    assert valid.tolist() == [[True, False, False, False]] * 4
    torch.testing.assert_close(segments[:, 0], clip)


def test_the_temperature_cools_on_a_geometric_path_and_sharpens_the_weights():
    def made(*temperatures):
        torch.manual_seed(0)
        return UnifiedGranularityTokens({"audio": 6}, 9, 5, "softmax", "max", *temperatures)

    frames, mask = torch.randn(3, 7, 6), torch.ones(3, 7, dtype=torch.bool)
    cooled = made(4.0, 0.01)
    for progress, temperature in ((0.0, 4.0), (0.5, 0.2), (1.0, 0.01)):
        cooled.advance(progress)
        weights = cooled("audio", frames, mask)[1]
        torch.testing.assert_close(weights, made(temperature)("audio", frames, mask)[1])
    assert weights.amax(dim=1).min() > 0.9, "cold tokens choose"
    constant = made(4.0)
    constant.advance(1.0)
    assert torch.equal(constant("audio", frames, mask)[1], made(4.0)("audio", frames, mask)[1])
    assert "cooling" not in constant.state_dict() and "cooling" in cooled.state_dict()


def test_without_a_codebook_a_clip_is_the_mean_of_its_query_maps():
    torch.manual_seed(0)
    tokens = UnifiedGranularityTokens({"audio": 6}, 9, 5, "none", "mean")
    assert all(name.startswith("queries.") for name, _ in tokens.named_parameters())
    frames, mask = torch.randn(2, 4, 6), torch.arange(4) < torch.tensor([[4], [3]])
    z, weights = tokens("audio", frames, mask)
    expected = tokens.queries["audio"](frames[1, :3]).mean(dim=0)
    torch.testing.assert_close(z[1], expected / expected.norm())
    assert weights.shape == (2, 0)
