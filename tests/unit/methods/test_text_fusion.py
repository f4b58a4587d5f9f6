"""The fusions of systems that were published for speech and text, against their formulae."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ugcl.methods.text.deepmsi import CompressedFusion
from ugcl.methods.text.gban import Alignment, GroupGatedFusion
from ugcl.methods.text.gia_mic import GatedInteraction, InteractiveFusion, dissimilarity
from ugcl.methods.text.m2fnet import FusionAttention, LeaderAttention
from ugcl.methods.text.mcihn import GatedPairs
from ugcl.methods.text.mcn_cl import JOINT, TripleQuery

NAMES = ["audio", "video", "text"]
LENGTHS = {"audio": [5, 3], "video": [4, 1], "text": [2, 6]}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def streams(names=NAMES, width=8):
    masks = {m: torch.arange(7) < torch.tensor(LENGTHS[m])[:, None] for m in names}
    return {m: torch.randn(2, 7, width) for m in names}, masks


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def test_alignment_reads_each_sequence_by_the_other():
    (x, y), (x_mask, y_mask) = (list(part.values()) for part in streams(NAMES[:2]))
    layer = Alignment(8)
    for scale in layer.scales:
        torch.nn.init.normal_(scale)
    found = layer(x, y, x_mask, y_mask)
    for i in range(2):
        a, b = x[i][x_mask[i]].numpy(), y[i][y_mask[i]].numpy()
        for read, scale, queries, keys in zip(found, layer.scales, (a, b), (b, a), strict=True):
            scores = np.tanh(queries[:, None] + keys[None]) @ scale.detach().numpy()
            expected = (softmax(scores) @ keys).mean(axis=0)
            np.testing.assert_allclose(read[i].detach(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["ggf", "gmu", "tfl", "concat", "concat_attention", "concat_all"])
def test_a_clip_fused_in_a_padded_batch_is_as_alone(kind):
    x, masks = streams(NAMES[:2])
    fusion = GroupGatedFusion([8, 8], 3, 5, kind)
    found = fusion(list(x.values()), list(masks.values()))
    assert found.shape == (2, fusion.size)
    for i in range(2):
        alone = [v[i : i + 1, : LENGTHS[m][i]] for m, v in x.items()]
        torch.testing.assert_close(
            found[i : i + 1], fusion(alone, [torch.ones(v.shape[:2], dtype=torch.bool) for v in alone])
        )


def test_the_backward_half_has_seen_the_clip_unless_it_is_read_as_released():
    (x, _), (mask, _) = (list(part.values()) for part in streams(NAMES[:2]))
    changed = x.clone()
    changed[:, 0] += 1.0
    for faults, depends in (((), True), (("last_step",), False)):
        fusion = GroupGatedFusion([8, 8], 3, 5, faults=faults)
        lstm = fusion.recurrent[0]
        before, after = (fusion.last(lstm(v, mask), mask)[:, 3:] for v in (x, changed))
        assert bool((before - after).abs().max() > 1e-3) is depends


def test_an_open_gate_leaves_a_stream_as_it_was():
    x, masks = streams(NAMES[:2])
    layer = GatedInteraction(8, 2, 0.0)
    torch.nn.init.zeros_(layer.gate.gate.weight)
    torch.nn.init.constant_(layer.gate.gate.bias, 100.0)
    torch.testing.assert_close(layer(x["audio"], x["video"], masks["video"]), x["audio"])


def test_interactions_of_three_streams_are_means_over_pairs():
    x, masks = streams()
    fusion = InteractiveFusion(NAMES, 8, 2, 0.0)
    found = fusion(x, masks)
    pair = fusion.interactions
    expected = pair["text_audio"](x["text"], x["audio"], masks["audio"])
    expected = (expected + pair["text_video"](x["text"], x["video"], masks["video"])) / 2
    torch.testing.assert_close(found["text"], expected)


def test_dissimilarity_is_none_between_equals_and_two_between_opposites():
    x = torch.randn(4, 3)
    assert dissimilarity(x, 2 * x).item() == pytest.approx(0, abs=1e-6)
    assert dissimilarity(x, -x).item() == pytest.approx(2)
    assert dissimilarity(x[:0], x[:0]).item() == 0


def test_the_leader_is_query_and_value():
    x, masks = streams(NAMES[:2])
    layer, mask = LeaderAttention(8, 2), masks["audio"]
    found = layer(x["audio"], x["video"], mask).detach()
    q, k, v, out = (
        (part.weight.detach().numpy(), part.bias) for part in (layer.query, layer.key, layer.value, layer.out)
    )
    for i in range(2):
        leader, other = (x[m][i, : LENGTHS["audio"][i]].numpy() for m in NAMES[:2])
        queries, keys, values = leader @ q[0].T + q[1].detach().numpy(), other @ k[0].T, leader @ v[0].T
        values = values + v[1].detach().numpy()
        heads = [softmax(queries[:, h] @ keys[:, h].T / 2) @ values[:, h] for h in (slice(0, 4), slice(4, 8))]
        expected = np.concatenate(heads, axis=-1) @ out[0].T + out[1].detach().numpy()
        np.testing.assert_allclose(found[i, : len(leader)], expected, rtol=1e-4, atol=1e-5)


def test_fusion_attention_of_three_streams_reads_valid_frames_alone():
    x, masks = streams()
    layer, mask = FusionAttention(NAMES[1:], 8, 2), masks["audio"]
    leader = x.pop("audio")
    read = dict.fromkeys(x, mask)
    found = layer(leader, x, read)
    filled = layer(
        leader.masked_fill(~mask[..., None], 9.0),
        {m: v.masked_fill(~mask[..., None], 9.0) for m, v in x.items()},
        read,
    )
    torch.testing.assert_close(found[mask], filled[mask])
    assert (found >= 0).all()
    for m in x:
        moved = layer(leader, x | {m: x[m].roll(1, dims=1)}, read)
        assert (moved - found)[mask].abs().max() > 1e-4


@pytest.mark.parametrize("count", [2, 3])
def test_queries_read_the_streams_of_before_the_layer(count):
    names = NAMES[:count]
    x, masks = streams(names)
    fusion = TripleQuery(names, 1, 8, 2, 0.0)
    found, valid = fusion(x, masks)
    assert list(found) == [*names, *([JOINT] if count == 2 else [])]
    for m in names:
        keys, mask = (torch.cat([part[o] for o in names if o != m], dim=1) for part in (x, masks))
        torch.testing.assert_close(found[m], fusion.layers[0][m](x[m], keys, mask))
    if count == 2:
        whole = torch.cat(list(x.values()), dim=1)
        assert valid[JOINT].sum(dim=1).tolist() == [9, 4]
        torch.testing.assert_close(found[JOINT], fusion.layers[0][JOINT](whole, whole, valid[JOINT]))


def test_gated_pairs_of_three_codes():
    codes = {m: torch.randn(2, 8) for m in NAMES}
    fusion = GatedPairs(NAMES, 8, 2)
    found = fusion(codes).unflatten(1, (6, 8))
    torch.nn.init.zeros_(fusion.attention.out.weight)
    torch.nn.init.zeros_(fusion.attention.out.bias)
    alone = fusion(codes).unflatten(1, (6, 8))
    assert found.shape == (2, 6, 8) and (found - alone).abs().max() > 1e-3
    torch.testing.assert_close(alone[:, 3:], torch.stack(list(codes.values()), dim=1))
    for i, (a, b) in enumerate((("audio", "video"), ("audio", "text"), ("video", "text"))):
        torch.testing.assert_close(alone[:, i], fusion.gates[f"{a}_{b}"](codes[a], codes[b]))


@pytest.mark.parametrize("taught", [True, False])
def test_the_query_is_taught_unless_it_only_chooses_frames(taught):
    x, masks = streams(NAMES[:1])
    fusion = CompressedFusion(8, {"text": 4}, [6], [5], 3, [7, 2], taught=taught).train()
    out = fusion(x["audio"], masks["audio"], {"text": torch.randn(2, 4)}, 3, (0.0, 0.9))
    (out["logits"].sum() + sum(p.square().sum() for p in out["projections"].values())).backward()
    assert (fusion.query.linears[0].weight.grad is not None) is taught


def test_compression_merges_what_it_drops_and_reads_the_kept_frames_in_time_order():
    x, masks = streams(NAMES[:1])
    fusion = CompressedFusion(8, {"text": 4}, [6], [5, 5], 3, [7, 2], taught=False).eval()
    vectors = {"text": torch.randn(2, 4)}
    run = lambda keep, merge: fusion(x["audio"], masks["audio"], vectors, keep, merge)["logits"]  # noqa: E731
    assert (run(2, (-1.0, 0.5)) - run(2, None)).abs().max() > 1e-4
    torch.testing.assert_close(run(2, (1.0, 0.5)), run(2, None), msg="no frame is alike")
    torch.testing.assert_close(run(7, (-1.0, 0.5)), run(50, None), msg="none is dropped")
    mask = masks["audio"]
    plain = fusion.tcn(x["audio"])[torch.arange(2), mask.sum(dim=1) - 1]
    whole = fusion.projections["video"](plain)
    found = fusion(x["audio"], mask, vectors, 50, None)["projections"]["video"]
    torch.testing.assert_close(found, whole)
