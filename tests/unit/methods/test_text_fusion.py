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


@pytest.mark.parametrize("count", [2, 3])
def test_alignment_reads_each_sequence_by_each_other(count):
    x, masks = (list(part.values()) for part in streams(NAMES[:count]))
    layer = Alignment(8, [False] * count)
    for scale in layer.scales:
        torch.nn.init.normal_(scale)
    found, pairs = layer(x, masks), [(0, 1), (0, 2), (1, 2)] if count == 3 else [(0, 1)]
    assert len(found) == len(pairs) and len(layer.scales) == 2 * len(pairs)
    scales = [scale.detach().numpy() for scale in layer.scales]
    for clip in range(2):
        frames = [v[clip][mask[clip]].numpy() for v, mask in zip(x, masks, strict=True)]
        for n, (i, j) in enumerate(pairs):
            for read, scale, queries, keys in (
                (found[n][0], scales[2 * n], frames[i], frames[j]),
                (found[n][1], scales[2 * n + 1], frames[j], frames[i]),
            ):
                scores = np.tanh(queries[:, None] + keys[None]) @ scale
                expected = (softmax(scores) @ keys).mean(axis=0)
                np.testing.assert_allclose(read[clip].detach(), expected, rtol=1e-5, atol=1e-6)


def test_scales_of_single_keys_are_frozen():
    layer = Alignment(8, [False, True, False])  # pairs 0–1, 0–2, 1–2; each way
    assert [scale.requires_grad for scale in layer.scales] == [False, True, True, True, True, False]


def test_gates_of_three_streams_are_sums_over_pairs():
    x, masks = (list(part.values()) for part in streams())
    for kind, parts in (("ggf", 2), ("gmu", 1)):
        fusion = GroupGatedFusion([8] * 3, 3, 5, kind, single=[False] * 3)
        states = [lstm(v, mask) for lstm, v, mask in zip(fusion.recurrent, x, masks, strict=True)]
        h = [fusion.last(v, mask) for v, mask in zip(states, masks, strict=True)]
        units, pairs = fusion.mix.units, [(0, 1), (0, 2), (1, 2)]
        assert len(units) == 3 * parts
        if kind == "ggf":
            read = fusion.alignment(states, masks)
            expected = sum(unit(*vectors) for unit, vectors in zip(units[:3], read, strict=True))
            expected = expected + sum(u(h[j], h[i]) for u, (i, j) in zip(units[3:], pairs, strict=True))
        else:
            expected = sum(unit(h[i], h[j]) for unit, (i, j) in zip(units, pairs, strict=True))
        torch.testing.assert_close(fusion(x, masks), expected)


OF_THREE = ["ggf", "gmu", "concat", "concat_attention", "concat_all"]


@pytest.mark.parametrize(("kind", "count"), [(kind, n) for kind in OF_THREE for n in (2, 3)] + [("tfl", 2)])
def test_a_clip_fused_in_a_padded_batch_is_as_alone(kind, count):
    x, masks = streams(NAMES[:count])
    fusion = GroupGatedFusion([8] * count, 3, 5, kind, single=[False] * count)
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
