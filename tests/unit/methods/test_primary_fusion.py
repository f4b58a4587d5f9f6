"""Fusion around a primary modality (HCT-DMG, MODS) and a leading one (WavFusion), by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.unit.models.made_systems import FRAMES, make_batch, resolve, without
from ugcl.methods.build import build
from ugcl.methods.text.hct_dmg import PrimaryFusion
from ugcl.methods.text.mods import SampleFusion
from ugcl.methods.text.wavfusion import LearntCentres

MASK = torch.tensor([[True, True, True], [True, True, False]])


def streams(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 8, generator=generator), torch.randn(2, 3, 8, generator=generator)


def joint(model, first, second):
    """K of the formula, with the attention as it is."""
    a = model.norms[0](first + model.cross(first, second, MASK))
    b = model.norms[1](second + model.cross(second, first, MASK))
    c = torch.cat([a, b], dim=-1)
    return F.layer_norm(model.feed_forward(c) + c, (16,), model.norm.weight, model.norm.bias)


@pytest.mark.parametrize(("w", "x_leads"), [((0.0, 0.0), True), ((2.0, -1.0), True), ((-1.0, 0.5), False)])
def test_the_larger_scalar_decides_the_roles_of_two_streams(w, x_leads):
    torch.manual_seed(0)
    model, (x, y) = PrimaryFusion(2, 8, 2, 0.0), streams()
    with torch.no_grad():
        model.roles.copy_(torch.tensor(w))
        model.shares.copy_(torch.tensor([0.3, -0.2, 1.0]))
    a, b = torch.tensor(w).softmax(dim=0)
    u = torch.tensor([0.3, -0.2, 1.0]).softmax(dim=0)
    parts = [a * x, b * joint(model, x, y)] if x_leads else [a * joint(model, y, x), b * y]
    whole = torch.cat(parts, dim=-1)
    expected = torch.cat([u[0] * x, u[1] * y, u[2] * model.attention(whole, whole, MASK)], dim=-1)
    torch.testing.assert_close(model([x, y], MASK), expected)


def three_streams():
    return [*streams(), streams(seed=1)[0]]


@pytest.mark.parametrize(
    ("w", "leader"),
    [((0.0, 0.0, 0.0), 0), ((1.0, 0.2, -1.0), 0), ((0.0, 0.7, 0.7), 1), ((-1.0, 0.5, 2.0), 2)],
)
def test_two_auxiliary_streams_read_the_primary_one_and_then_it_reads_their_weighted_mean(w, leader):
    torch.manual_seed(0)
    model, found = PrimaryFusion(3, 8, 2, 0.0), three_streams()
    with torch.no_grad():
        model.roles.copy_(torch.tensor(w))
        model.shares.copy_(torch.tensor([0.3, -0.2, 1.0, 0.5]))
    g, x, (b, c) = torch.tensor(w).softmax(dim=0), found[leader], [i for i in range(3) if i != leader]
    read = {i: found[i] + model.first(found[i], x, MASK) for i in (b, c)}
    read = {i: F.layer_norm(r, (8,), model.norm_first.weight, model.norm_first.bias) for i, r in read.items()}
    y = (g[b] * read[b] + g[c] * read[c]) / (g[b] + g[c])
    parts = [g[leader] * x, (g[b] + g[c]) * joint(model, x, y)]
    whole = torch.cat(parts if leader == 0 else parts[::-1], dim=-1)
    u = torch.tensor([0.3, -0.2, 1.0, 0.5]).softmax(dim=0)
    expected = torch.cat(
        [*(u[i] * found[i] for i in range(3)), u[3] * model.attention(whole, whole, MASK)], dim=-1
    )
    assert model.size == expected.shape[-1] == 48
    torch.testing.assert_close(model(found, MASK), expected)


def test_the_order_of_auxiliary_streams_decides_their_place_alone():
    torch.manual_seed(0)
    model, (x, y, z) = PrimaryFusion(3, 8, 2, 0.0), three_streams()
    with torch.no_grad():
        model.roles.copy_(torch.tensor([1.0, 0.4, -0.3]))
        found = model([x, y, z], MASK)
        model.roles.copy_(torch.tensor([1.0, -0.3, 0.4]))
        turned = model([x, z, y], MASK)
        model.roles.copy_(torch.tensor([-0.3, 1.0, 0.4]))
        other = model([x, z, y], MASK)
    torch.testing.assert_close(turned, found[..., [*range(8), *range(16, 24), *range(8, 16), *range(24, 48)]])
    assert (other - turned)[..., 24:].abs().max() > 1e-3, "another stream is primary"


def test_at_the_start_the_first_modality_is_primary():
    for order in (["text", "audio", "video"], ["video", "text", "audio"]):
        run = resolve("demo_peers", "hct_dmg:text-audio-video")
        run = run.model_copy(update={"input": run.input.model_copy(update={"modalities": order})})
        model, seen = build(run, FRAMES).eval(), []
        model.fusion.cross.register_forward_pre_hook(lambda _, read, seen=seen: seen.append(read[0]))
        streams = []
        model.fusion.register_forward_pre_hook(lambda _, read, streams=streams: streams.extend(read[0]))
        model(make_batch(run, FRAMES))
        assert torch.equal(seen[0], streams[0]), "it is the query of the first attention"
        assert not torch.equal(seen[1], streams[0])


def sample_fusion(layers, names=("audio", "video")):
    torch.manual_seed(1)
    return SampleFusion(dict.fromkeys(names, True), layers, True, 8, 2, 0.0)


def choose(model, number):
    """Make the selector prefer a modality for all clips."""
    last = model.selector[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(F.one_hot(torch.tensor(number), len(last.bias)))


def test_each_clip_is_fused_around_its_own_primary_modality():
    model, (a, v) = sample_fusion(2), streams()
    masks, short = {"audio": MASK, "video": MASK[:, :2]}, v[:, :2]
    found = {}
    for first in (True, False):
        choose(model, 0 if first else 1)
        found[first], others = model({"audio": a, "video": short}, masks)
        assert (others["weights"].argmax(dim=1) == (0 if first else 1)).all()
    assert (found[True] - found[False]).abs().max() > 1e-3
    del model.selector
    model.selector = lambda pooled: torch.eye(2)  # the first clip around audio, the second around video
    mixed, _ = model({"audio": a, "video": short}, masks)
    torch.testing.assert_close(mixed, torch.stack([found[True][0], found[False][1]]))


def test_one_layer_around_the_primary_stream_by_hand():
    model, (a, v) = sample_fusion(1), streams()
    choose(model, 1)
    alpha = torch.tensor([0.0, 1.0]).softmax(dim=0)
    layer, p, o = model.layers[0], alpha[1] * v, alpha[0] * a
    q, k = layer.norm(p), layer.norm_other(o)
    p = p + layer.own(q, q, MASK) + layer.read(q, k, MASK)
    p = model.norm(p + layer.feed_forward(p))
    scores = (p @ model.pool.score / 8**0.5).masked_fill(~MASK, -torch.inf).softmax(dim=1)
    expected = (scores[..., None] * p).sum(dim=1)
    fused, others = model({"audio": a, "video": v}, {"audio": MASK, "video": MASK})
    torch.testing.assert_close(fused, expected)
    torch.testing.assert_close(others["predicted"], model.predictor(expected))


def test_one_layer_around_the_primary_of_three_streams_reads_both_others():
    model, found = sample_fusion(1, ("text", "audio", "video")), three_streams()
    masks = dict.fromkeys(("text", "audio", "video"), MASK)
    choose(model, 1)
    alpha = torch.tensor([0.0, 1.0, 0.0]).softmax(dim=0)
    layer, (t, p, v) = model.layers[0], (share * x for share, x in zip(alpha, found, strict=True))
    q = layer.norm(p)
    p = p + layer.own(q, q, MASK) + sum(layer.read(q, layer.norm_other(o), MASK) for o in (t, v))
    p = model.norm(p + layer.feed_forward(p))
    scores = (p @ model.pool.score / 8**0.5).masked_fill(~MASK, -torch.inf).softmax(dim=1)
    fused, others = model(dict(zip(masks, found, strict=True)), masks)
    torch.testing.assert_close(fused, (scores[..., None] * p).sum(dim=1))
    torch.testing.assert_close(others["weights"], alpha.expand(2, 3))


def test_centres_gate_frames_by_the_mean_weighted_residual():
    torch.manual_seed(0)
    model, x = LearntCentres(4, 3), torch.randn(2, 3, 4)
    found = model(x, MASK)
    for clip in range(2):
        residual = torch.zeros(4)
        length = int(MASK[clip].sum())
        for t in range(length):
            r = [x[clip, t] - c for c in model.centres]
            w = torch.stack([-s * (d**2).sum() for s, d in zip(model.scales, r, strict=True)]).softmax(dim=0)
            residual = residual + sum(w[k] * r[k] for k in range(3)) / length
        expected = x[clip] * (1 + torch.sigmoid(model.gate(residual)))
        torch.testing.assert_close(found[clip], expected)


def test_the_share_of_clips_around_each_modality_is_reported():
    torch.manual_seed(0)
    run = resolve("demo_peers", "mods")
    model, batch = build(run, FRAMES).train(), make_batch(run, FRAMES, clips=4)
    outputs = model(batch)
    outputs["weights"] = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.7, 0.3]])
    model.terms(outputs, batch)
    facts = model.facts()
    assert (facts["primary_audio"], facts["primary_video"]) == (0.75, 0.25)


def test_the_contrast_sets_the_primary_vector_against_each_modality():
    torch.manual_seed(0)
    run = resolve("demo_peers", "mods")
    model, batch = build(run, FRAMES).train(), make_batch(run, FRAMES, clips=5)
    batch = without(batch, "video", [1])
    outputs = model(batch)
    losses = []
    for m, here in (("audio", [0, 1, 2, 3, 4]), ("video", [0, 2, 3, 4])):
        s = F.cosine_similarity(outputs["predicted"][here][:, None], outputs["pooled"][m][here][None], dim=2)
        ways = [-(x / 0.1).log_softmax(dim=1).diagonal().mean() for x in (s, s.T)]
        losses.append(sum(ways) / 2)
    torch.testing.assert_close(model.terms(outputs, batch)["contrast"], sum(losses) / 2)
