"""The networks of systems with transformer layers of their own, against their formulae."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ugcl.methods.audiovisual.jmt import JointFusion
from ugcl.methods.pretrained.avf_mae import IterativeFusion
from ugcl.methods.pretrained.hicmae import (
    HierarchicalFusion,
    LayeredEncoder,
    PairedFusion,
    clip_similarities,
)
from ugcl.methods.pretrained.mma_dfer import Bottleneck, PromptedEncoders
from ugcl.methods.pretrained.regions import LocalGlobalBlock, LocalGlobalEncoder, regions
from ugcl.methods.pretrained.vaemo import UnifiedEncoder

LENGTHS = {"audio": [5, 3], "video": [4, 1], "text": [2, 6]}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def streams(*names, width=8):
    masks = {m: torch.arange(6) < torch.tensor(LENGTHS[m])[:, None] for m in names}
    return {m: torch.randn(2, 6, width) for m in names}, masks


def filled(x, masks):
    """The same streams with something else in the padding."""
    return {m: x[m].masked_fill(~masks[m][..., None], 5.0) for m in x}


def mean(x, mask):
    return torch.stack([clip[: int(n)].mean(dim=0) for clip, n in zip(x, mask.sum(dim=1), strict=True)])


def hierarchical(names):
    encoders = {m: LayeredEncoder(8, 2, 3) for m in names}
    return HierarchicalFusion(encoders, PairedFusion(dict.fromkeys(names, 8), 2, 2), 4)


def test_hicmae_mixes_layers_by_their_weights_and_joins_them_with_the_fused_streams():
    core, (x, masks) = hierarchical(["audio", "video"]), streams("audio", "video")
    with torch.no_grad():
        core.mix["audio"].copy_(torch.tensor([0.0, 1.0, 2.0]).log().nan_to_num(neginf=-1e9))
        core.mix["video"].copy_(torch.tensor([3.0, 1.0, 0.0]).log().nan_to_num(neginf=-1e9))
    found = core(filled(x, masks), masks)
    layers = found["layers"]
    expected = [
        mean(layers["audio"][:, :, 1] / 3 + layers["audio"][:, :, 2] * 2 / 3, masks["audio"]),
        mean(layers["video"][:, :, 0] * 3 / 4 + layers["video"][:, :, 1] / 4, masks["video"]),
        *(mean(found["fused"][m], masks[m]) for m in x),
    ]
    torch.testing.assert_close(found["feature"], core.norm(torch.cat(expected, dim=-1)))
    torch.testing.assert_close(found["logits"], core(x, masks)["logits"])


def test_hicmae_streams_read_the_others_as_they_were_before_the_layer():
    fusion, (x, masks) = PairedFusion({"audio": 8, "video": 8}, 2, 2), streams("audio", "video")
    a, v, (here, there) = x["audio"], x["video"], masks.values()
    for layer in fusion.layers:
        a, v = layer["audio"](a, v, here, there), layer["video"](v, a, there, here)
    torch.testing.assert_close(fusion(x, masks)["video"], fusion.norms["video"](v))
    torch.testing.assert_close(fusion(x, masks)["audio"], fusion.norms["audio"](a))


@pytest.mark.parametrize("changed", ["audio", "video", "text"])
def test_of_three_streams_each_reads_both_others(changed):
    fusion, (x, masks) = PairedFusion(dict.fromkeys(LENGTHS, 8), 2, 1), streams(*LENGTHS)
    before, after = fusion(x, masks), fusion({**x, changed: x[changed] + torch.randn(8)}, masks)
    assert all((before[m] - after[m]).abs().max() > 1e-3 for m in x)


def test_similarities_of_mean_tokens_by_hand():
    u = torch.tensor([[[3.0, 0.0], [9.0, 9.0]], [[1.0, 1.0], [1.0, 3.0]]])
    v = torch.tensor([[[0.0, 2.0]], [[1.0, 0.0]]])
    u_mask, v_mask = torch.tensor([[True, False], [True, True]]), torch.ones(2, 1, dtype=torch.bool)
    found = clip_similarities(u, v, u_mask, v_mask, temperature=0.5)
    expected = [[0.0, 2.0], [2 * 2 / np.sqrt(5), 2 / np.sqrt(5)]]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_regions_are_parts_of_a_clips_own_length_and_short_clips_repeat_frames():
    x = torch.arange(7.0).expand(3, 7)[..., None]
    mask = torch.arange(7) < torch.tensor([7, 4, 1])[:, None]
    local, valid = regions(x, mask, 3)
    found = [
        [x[here].flatten().tolist() for x, here in zip(*clip, strict=True)]
        for clip in zip(local, valid, strict=True)
    ]
    assert found == [[[0, 1], [2, 3], [4, 5, 6]], [[0], [1], [2, 3]], [[0], [0], [0]]]


def test_every_frame_is_in_one_region_and_no_region_is_empty():
    for length in range(1, 20):
        mask = (torch.arange(23) < length)[None]
        local, valid = regions(torch.arange(23.0)[None, :, None], mask, 8)
        frames = local[valid].flatten().tolist()
        assert sorted(set(frames)) == list(range(length))
        assert frames == sorted(frames)
        assert valid.any(dim=2).all()
        assert length < 8 or len(frames) == length


def test_regions_meet_through_their_messengers_alone():
    encoder = LocalGlobalEncoder(8, 2, 1, count=3)
    x, mask = torch.randn(2, 3, 4, 8), torch.ones(2, 3, 4, dtype=torch.bool)
    mask[0, 1, 2:] = False
    other = x.clone()
    other[:, 1, 1] += torch.randn(8)
    changed = (encoder(x, mask) - encoder(other, mask)).abs().amax(dim=(0, 2, 3))
    assert (changed > 1e-4).all()
    block = encoder.layers[0]
    for part in (block.among, block.collect):  # messengers no longer read each other or the clip
        nn.init.zeros_(part.attention.out.weight)
    changed = (encoder(x, mask) - encoder(other, mask)).abs().amax(dim=(0, 2, 3))
    assert changed[1] > 1e-4
    assert changed[[0, 2]].max() == 0
    hidden = torch.where(mask[..., None], x, 7.0)
    torch.testing.assert_close(encoder(hidden, mask), encoder(x, mask))


def test_local_tokens_read_messengers_before_these_collect_them():
    block, x, mask = LocalGlobalBlock(8, 2), torch.randn(1, 2, 4, 8), torch.ones(1, 2, 4, dtype=torch.bool)
    y = torch.stack([block.within(x[:, r], mask[:, r]) for r in range(2)], dim=1)
    here = mask[:, :, 0]
    messengers = block.among(y[:, :, 0], here)
    local = block.spread(torch.cat([y[:, 0, 1:], y[:, 1, 1:]], dim=1), messengers, here)
    messengers = block.collect(messengers, local, torch.ones(1, 6, dtype=torch.bool))
    expected = messengers + block.feed_forward(messengers)
    torch.testing.assert_close(block(x, mask)[:, :, 0], expected)


def test_joint_tokens_are_refined_by_what_they_read_in_both_streams():
    fusion = IterativeFusion(["audio", "video"], 8, 2, stages=1).eval()
    x, joint = {m: torch.randn(2, 3, 8) for m in ("audio", "video")}, torch.randn(2, 3, 16)
    _, stages, refined = fusion(x, joint)
    expected = g = fusion.start(joint)
    for m, y in stages[0].items():
        reading = fusion.readings[m]
        read = ((g @ y.transpose(1, 2)) / 8**0.5).softmax(dim=-1) @ y
        expected = expected + F.prelu(
            reading.linear(read) / (1 + reading.norm.eps) ** 0.5, reading.activation.weight
        )
    torch.testing.assert_close(refined[0], fusion.joint_norm(expected), rtol=1e-4, atol=1e-5)


def test_bottlenecks_add_nothing_until_their_gates_open():
    layer, (x, masks) = Bottleneck(["audio", "video"], 8, 2), streams("audio", "video")
    assert all(torch.equal(y, x[m]) for m, y in layer(x, masks).items())
    with torch.no_grad():
        layer.gates["video"].fill_(0.7)
    found = layer(filled(x, masks), masks)
    low = {m: layer.down[m](x[m]) for m in x}
    read = low["video"] + mean(low["audio"], masks["audio"])[:, None]
    expected = x["video"] + np.tanh(0.7) * F.gelu(layer.up["video"](read))
    torch.testing.assert_close(found["video"][masks["video"]], expected[masks["video"]])
    assert torch.equal(found["audio"][masks["audio"]], x["audio"][masks["audio"]])


def test_prompts_get_their_additions_after_the_first_and_the_middle_layer():
    network, (x, masks) = (
        PromptedEncoders(["audio", "video"], 8, 2, layers=5, prompts=4),
        streams("audio", "video"),
    )
    y, here = x["audio"], F.pad(masks["audio"], (0, 4), value=True)
    y = torch.cat([y, network.prompts["audio"].expand(2, -1, -1)], dim=1)
    for i, layer in enumerate(network.layers):  # gates are shut
        y = layer["audio"](y, here)
        if i == 0:
            y = torch.cat([y[:, :6], y[:, 6:8] + network.late["audio"][0], y[:, 8:]], dim=1)
        if i == 2:
            y = torch.cat([y[:, :8], y[:, 8:] + network.late["audio"][1]], dim=1)
    torch.testing.assert_close(network(x, masks)["audio"], network.norms["audio"](y[:, :6]))


def test_a_unified_encoder_knows_tokens_by_their_modality():
    encoder, (x, masks) = UnifiedEncoder(["audio", "video"], 8, 2, 2), streams("audio", "video")
    z, mask = encoder(filled(x, masks), masks)
    assert mask.sum(dim=1).tolist() == [9, 4]
    torch.testing.assert_close(z[mask], encoder(x, masks)[0][mask])
    swapped = dict(zip(("video", "audio"), x.values(), strict=True))
    other = encoder(swapped, dict(zip(("video", "audio"), masks.values(), strict=True)))[0]
    assert (z - other).abs().max() > 1e-3


@pytest.mark.parametrize("last", ["attention", "linear"])
def test_the_six_reads_of_jmt(last):
    fusion, x = JointFusion(8, 2, last), streams("video", "audio")[0]
    v, a = x.values()
    mask = torch.arange(6) < torch.tensor([6, 4])[:, None]
    alone, reads = fusion.alone, fusion.reads
    j = alone["j"](fusion.joint(torch.cat([v, a], dim=-1)), mask)
    y, b = alone["v"](v, mask), alone["a"](a, mask)
    six = [
        *(reads["v"](y, b, mask), reads["a"](b, y, mask), reads["j"](j, y, mask)),
        *(reads["v"](y, j, mask), reads["j"](j, b, mask), reads["a"](b, j, mask)),
    ]
    if last == "linear":
        expected = fusion.linear(torch.cat(six, dim=-1))
    else:
        here = torch.ones(2, 6, dtype=torch.bool)
        steps = [fusion.six(torch.stack([x[:, t] for x in six], dim=1), here) for t in range(6)]
        expected = torch.stack([fusion.attention(x, x, here)[:, -1] for x in steps], dim=1)
    found = fusion(v, a, mask)
    torch.testing.assert_close(found, expected)
    for changed in (fusion(v + torch.randn(8), a, mask), fusion(v, a + torch.randn(8), mask)):
        assert (changed - found).abs().max() > 1e-3
