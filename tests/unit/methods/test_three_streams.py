"""Systems published for text, speech and video on three modalities: which pairs, gates and roles."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from tests.unit.models.made_systems import FRAMES, VECTOR, make_batch, resolve, with_changes, without
from ugcl.losses.distributions import mmd
from ugcl.losses.negatives import cross_supervised
from ugcl.methods.build import build
from ugcl.methods.text.gia_mic import InteractiveFusion
from ugcl.methods.text.mcihn import GatedPairs

ALL = ("text", "audio", "video")


def made(method, modalities=ALL, **changes):
    run = with_changes("demo_peers", method={"name": method, **changes}, input={"modalities": [*modalities]})
    torch.manual_seed(0)
    return run, build(run, FRAMES).eval()


@pytest.mark.parametrize(
    ("modalities", "chosen", "leader"),
    [
        (ALL, None, "audio"),
        (("video", "text", "audio"), None, "audio"),
        (("video", "audio"), None, "audio"),
        (("text", "video"), None, "text"),
        (("video", "text"), None, "video"),
        (ALL, "text", "text"),
    ],
)
def test_speech_leads_wavfusion_whatever_the_order(modalities, chosen, leader):
    _, model = made("wavfusion", modalities, leader=chosen)
    assert model.leader == leader
    assert list(model.readers) == [m for m in modalities if m != leader]
    assert (model.attention is None) is (len(modalities) == 3)


def test_wavfusion_gates_what_speech_reads_in_text_and_in_video():
    run, model = made("wavfusion")
    batch = make_batch(run, FRAMES)
    frames, masks = model.encode(batch)
    text = model.followers["text"]
    states = text.recurrent(frames["text"], masks["text"])
    texts = text.attention(states, masks["text"])
    video = model.followers["video"]
    states = video.recurrent(frames["video"], masks["video"])
    videos = video.centres(video.attention(states, masks["video"]), masks["video"])
    first = model.readers["text"](frames["audio"], texts, masks["text"])
    second = model.readers["video"](frames["audio"], videos, masks["video"])
    gate = model.gate.gate(torch.cat([first, second], dim=-1)).sigmoid()
    fused = gate * first + (1 - gate) * second
    logits = model.classifier(model.pool(fused, masks["audio"]))
    torch.testing.assert_close(model(batch)["logits"], logits)


def test_centres_are_of_video_alone():
    _, model = made("wavfusion")
    assert model.followers["text"].centres is None and model.followers["video"].centres is not None
    run = resolve("demo_peers", "wavfusion:text-audio")
    follower = build(run, VECTOR).followers["text"]
    assert not list(follower.parameters()), "a text of one vector is read as it is"


def test_a_leader_that_is_not_read_is_refused():
    with pytest.raises(ValueError, match=r"method\.leader text is not among input\.modalities; change one"):
        made("wavfusion", ("audio", "video"), leader="text")


def test_the_early_fused_query_is_made_from_text_and_speech_and_chooses_frames_of_video():
    run, model = made("deepmsi", keep=2, threshold=0.2)
    batch, given = make_batch(run, FRAMES), []
    model.fusion.query.register_forward_pre_hook(lambda _, read: given.append(read[0]))
    found = model(batch)
    frames, masks = model.encode(batch)
    pooled = [model.pools[m](frames[m], masks[m]) for m in ("text", "audio")]
    torch.testing.assert_close(given[0], torch.cat(pooled, dim=-1))
    query, merges = model.fusion.query(given[0]), 0
    for i in range(len(batch)):
        x = frames["video"][i][masks["video"][i]]
        scores = F.cosine_similarity((x.mean(dim=0) + query[i])[None], x)
        best = scores.topk(2).indices.sort().values
        kept = []
        for place in best.tolist():
            cosines = F.cosine_similarity(x[place][None], x)
            near = [n for n in range(len(x)) if n not in best.tolist() and cosines[n] > 0.2]
            merges += len(near)
            shares = cosines[near].softmax(dim=0)
            kept.append(0.9 * x[place] + 0.1 * shares @ x[near] if near else x[place])
        last = model.fusion.tcn(torch.stack(kept)[None])[0, -1]
        expected = model.fusion.projections["video"](last[None])[0]
        torch.testing.assert_close(found["projections"]["video"][i], expected, rtol=1e-4, atol=1e-5)
    assert merges


@pytest.mark.parametrize(
    ("modalities", "compressed"),
    [
        (ALL, "video"),
        (("video", "text"), "video"),
        (("text", "audio"), "audio"),
        (("audio", "text"), "audio"),
    ],
)
def test_deepmsi_compresses_video_and_without_it_speech(modalities, compressed):
    run, model = made("deepmsi", modalities)
    batch = make_batch(run, FRAMES)
    labels = batch.labels = torch.tensor([0, 0, 1, 1, 2, 2])
    batch = without(batch, compressed, [5])
    found = model(batch)
    assert list(found["projections"]) == [compressed, *(m for m in modalities if m != compressed)]
    losses = [
        cross_supervised(found["projections"][compressed][:5], other[:5], labels[:5], 0.5, own_pair=False)
        for m, other in found["projections"].items()
        if m != compressed
    ]
    assert len(losses) == len(modalities) - 1
    torch.testing.assert_close(model.terms(found, batch)["contrast"], sum(losses) / len(losses))


def test_invariance_is_the_mean_over_three_pairs_of_the_clips_that_have_both():
    run, model = made("gia_mic")
    batch = without(without(make_batch(run, FRAMES), "text", [0]), "video", [1])
    shared = {m: F.normalize(torch.randn(6, 4), dim=-1) for m in ALL}
    pairs = {
        ("text", "audio"): [1, 2, 3, 4, 5],
        ("text", "video"): [2, 3, 4, 5],
        ("audio", "video"): [0, *range(2, 6)],
    }
    expected = [1 - (shared[a] * shared[b])[here].sum(dim=-1).mean() for (a, b), here in pairs.items()]
    torch.testing.assert_close(model.terms({"shared": shared}, batch)["invariance"], sum(expected) / 3)


def test_streams_of_interactions_do_not_depend_on_the_order_of_modalities():
    torch.manual_seed(0)
    fusions = [InteractiveFusion(list(names), 8, 2, 0.0) for names in (ALL, ALL[::-1])]
    fusions[1].load_state_dict(fusions[0].state_dict())
    assert {*fusions[0].interactions} == {f"{a}_{b}" for a, b in itertools.permutations(ALL, 2)}
    x, masks = {m: torch.randn(2, 5, 8) for m in ALL}, dict.fromkeys(ALL, torch.ones(2, 5, dtype=torch.bool))
    found, turned = (fusion(x, masks) for fusion in fusions)
    for m in ALL:
        torch.testing.assert_close(found[m], turned[m])
        swapped = {**x, m: x[m] + 1.0}
        moved = fusions[0](swapped, masks)
        assert all((moved[o] - found[o]).abs().max() > 1e-3 for o in ALL), "each reads each"


def test_each_pair_of_codes_has_a_gate_of_its_own_and_a_discrepancy():
    run, model = made("mcihn")
    assert list(model.fusion.gates) == ["text_audio", "text_video", "audio_video"]
    assert model.fusion.size == 6 * run.encoder.width // 2
    batch = without(make_batch(run, FRAMES, clips=8), "audio", [3])
    found = model(batch)
    here = [0, 1, 2, 4, 5, 6, 7]
    t, a, v = (found["codes"][m] for m in ALL)
    expected = mmd(t[here], a[here]) + mmd(t, v) + mmd(a[here], v[here])
    torch.testing.assert_close(model.terms(found, batch)["discrepancy"], expected / 3)


def test_tokens_of_gated_pairs_are_read_by_attention_as_a_set():
    torch.manual_seed(0)
    fusion, codes = GatedPairs(ALL, 8, 2), {m: torch.randn(3, 8) for m in ALL}
    tokens = [fusion.gates[f"{a}_{b}"](codes[a], codes[b]) for a, b in itertools.combinations(ALL, 2)]
    tokens = torch.stack([*tokens, *codes.values()], dim=1)
    everywhere = torch.ones(3, 6, dtype=torch.bool)
    order = [5, 2, 0, 4, 3, 1]
    read = fusion.attention(tokens[:, order], tokens[:, order], everywhere)
    found = fusion(codes).unflatten(1, (6, 8))
    torch.testing.assert_close(found[:, order], tokens[:, order] + read)
