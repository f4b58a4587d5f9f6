"""Made codes of CBERL and mixed clips of DRKF: what is drawn, when, and what the losses read."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.models.made_systems import FRAMES, make_batch, resolve, without
from ugcl.methods.build import build
from ugcl.methods.text import cberl
from ugcl.methods.text.drkf import BertLayer, JointTransformer
from ugcl.models.dialogue.graph import Edges


def network(system, counts=None):
    torch.manual_seed(0)
    run = resolve("demo_peers", system)
    return build(run, FRAMES, counts=counts).train(), make_batch(run, FRAMES, clips=12)


def test_rare_classes_are_made_more_often():
    counts = torch.tensor([10.0, 20.0, 40.0, 40.0, 40.0, 40.0])
    model, batch = network("cberl-like", counts)
    shares = (1 / counts) / (1 / counts).sum()
    torch.testing.assert_close(model.criterion.rarity, shares)
    drawn = sum(model(batch)["chosen"].sum(dim=0) for _ in range(150)) / (150 * 12)
    torch.testing.assert_close(drawn, shares, atol=0.03, rtol=0)


def test_evaluation_makes_no_codes_and_draws_nothing():
    model, batch = network("cberl-like")
    state = torch.get_rng_state()
    outputs = model.eval()(batch)
    assert torch.equal(torch.get_rng_state(), state)
    assert outputs.keys() == {"logits", "pooled"}


def test_the_generator_is_taught_against_the_discriminator():
    model, batch = network("cberl-like")
    outputs = model(batch)
    outputs["code"].retain_grad()
    terms = model.terms(outputs, batch)
    terms["adversarial"].backward(retain_graph=True)
    assert outputs["code"].grad is None, "clips' codes are given"
    parameter = model.generator.body[-1].bias
    logits = (model.discriminator(outputs["made"]) * outputs["chosen"]).sum(dim=1)
    plain = torch.autograd.grad(F.softplus(logits).mean(), parameter)[0]
    torch.testing.assert_close(parameter.grad, -plain)


def test_terms_of_cberl_by_hand():
    model, batch = network("cberl-like")
    batch = without(batch, "video", [0, 3])
    outputs = model(batch)
    terms = model.terms(outputs, batch)
    errors = []
    for m in ("audio", "video"):
        here = batch.present[m].nonzero().flatten().tolist()
        gaps = [((outputs["decoded"][m][i] - outputs["pooled"][m][i]) ** 2).mean() for i in here]
        errors.append(sum(gaps) / len(gaps))
    torch.testing.assert_close(terms["reconstruction"], sum(errors) / 2)
    real = torch.stack([model.discriminator(outputs["code"])[i, y] for i, y in enumerate(batch.labels)])
    made = model.discriminator(outputs["made"])[outputs["chosen"].bool()]
    expected = F.binary_cross_entropy_with_logits(real, torch.ones(12))
    expected = expected + F.binary_cross_entropy_with_logits(made, torch.zeros(12))
    torch.testing.assert_close(terms["adversarial"], expected)


@pytest.mark.parametrize(("context", "counted"), [("dialogue", [1, 4, 7]), ("past", [1])])
def test_hidden_turns_are_reconstructed_where_a_neighbour_is_not_hidden(context, counted, monkeypatch):
    model, batch = network(f"cberl-like:{context}")
    model.settings = model.settings.model_copy(update={"window": 1})
    for layer in model.graph:
        layer.dropout.p = 0.0
    # Dialogues of 3, 1, 2, 3, 1 and 2 turns: clips 0–2, 3, 4–5, 6–8, 9 and 10–11.
    dialogues, hidden = [[0, 1, 2], [3], [4, 5], [6, 7, 8], [9], [10, 11]], [1, 4, 6, 7]
    rows = torch.zeros(6, 3, dtype=torch.bool)
    rows[[0, 2, 3, 3], [1, 0, 0, 1]] = True
    monkeypatch.setattr(cberl, "random_mask", lambda mask, share: rows)
    outputs, errors = model(batch), []
    for clips in dialogues:
        nodes = torch.stack([model.hider.token if i in hidden else outputs["code"][i] for i in clips])
        apart = torch.tensor([[j - i for j in clips] for i in clips])
        edges = (apart == -1) | ((apart == 1) & (context == "dialogue"))
        same = batch.speaker[clips][:, None] == batch.speaker[clips]
        nodes, read = nodes[None], Edges(edges[None], same[None], apart)
        for layer in model.graph:
            nodes = layer(nodes, read)
        made = model.uncover(nodes[0])
        for x, i in zip(made, clips, strict=True):
            if i in counted:
                errors.append((x - outputs["mean"][i]).square().mean())
    assert outputs["hidden"].nonzero().flatten().tolist() == counted
    torch.testing.assert_close(model.terms(outputs, batch)["nodes"], sum(errors) / len(counted))


def test_no_turn_is_hidden_in_evaluation_nor_without_dialogues():
    model, batch = network("cberl-like:dialogue")
    assert not {"uncovered", "hidden"} & model.eval()(batch).keys()
    model, batch = network("cberl-like")
    assert model.graph is None and "nodes" not in model.terms(model(batch), batch)


def test_a_layer_is_that_of_bert():
    torch.manual_seed(0)
    ours, theirs = (
        BertLayer(8, 2, 16, 0.0),
        nn.TransformerEncoderLayer(8, 2, 16, 0.0, activation="gelu", batch_first=True),
    )
    a, x = ours.attention, torch.randn(3, 5, 8)
    mask = torch.arange(5) < torch.tensor([5, 3, 1])[:, None]
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([a.query.weight, a.key.weight, a.value.weight]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([a.query.bias, torch.zeros(8), a.value.bias]))
        theirs.self_attn.out_proj.load_state_dict(a.out.state_dict())
        theirs.linear1.load_state_dict(ours.feed_forward[0].state_dict())
        theirs.linear2.load_state_dict(ours.feed_forward[2].state_dict())
    expected = theirs(x, src_key_padding_mask=~mask)
    torch.testing.assert_close(ours(x, mask)[mask], expected[mask])


def test_the_joint_transformer_reads_marks_and_all_modalities():
    torch.manual_seed(0)
    model, a, v = JointTransformer(2, 1, 8, 2, 0.0), torch.randn(2, 3, 8), torch.randn(2, 2, 8)
    mask_a, mask_v = torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 2, dtype=torch.bool)
    sequence = torch.stack(
        [torch.cat([model.marks[:1], a[i], model.marks[1:2], v[i], model.marks[2:]]) for i in range(2)]
    )
    expected = model.layers[0](model.norm(sequence), torch.ones(2, 8, dtype=torch.bool))[:, 0]
    torch.testing.assert_close(model([a, v], [mask_a, mask_v]), expected)


def test_some_modalities_keep_their_marks():
    torch.manual_seed(0)
    model, a, v = JointTransformer(3, 1, 8, 2, 0.0), torch.randn(2, 3, 8), torch.randn(2, 2, 8)
    masks = [torch.ones(x.shape[:2], dtype=torch.bool) for x in (a, v)]
    found, pair = model([a, v], masks, (0, 2)), JointTransformer(2, 1, 8, 2, 0.0)
    pair.load_state_dict(model.state_dict() | {"marks": model.marks[[0, 1, 3]]})
    torch.testing.assert_close(found, pair([a, v], masks))


MODALITIES = {"drkf": ["audio", "video"], "drkf:text-audio-video": ["text", "audio", "video"]}


@pytest.mark.parametrize("system", MODALITIES)
def test_mixed_clips_are_judged_by_their_emotions(system):
    model, batch = network(system)
    pairs = list(itertools.combinations(MODALITIES[system], 2))
    batch = without(without(batch, "audio", [2]), "video", [5])
    outputs = model(batch)
    partner, total, count = outputs["partner"], 0.0, 0
    assert (partner != torch.arange(12)).all() and len(outputs["same"]) == len(pairs)
    for same, (first, second) in zip(outputs["same"].values(), pairs, strict=True):
        losses = []
        for i, j in enumerate(partner.tolist()):
            if batch.present[first][i] and batch.present[second][j]:
                losses.append(-same[i].log_softmax(dim=0)[int(batch.labels[i] == batch.labels[j])])
        total, count = total + sum(losses) / len(losses), count + len(losses)
    assert count < 12 * len(pairs)
    torch.testing.assert_close(model.terms(outputs, batch)["pairs"], total)


@pytest.mark.parametrize("system", MODALITIES)
def test_the_contrast_across_modalities_goes_one_way(system):
    model, batch = network(system)
    outputs, expected = model(batch), 0.0
    with torch.no_grad():
        model.temperature.fill_(-1.0)
    for pair in itertools.combinations(MODALITIES[system], 2):
        u, v = (F.normalize(outputs["projected"][m], dim=1) for m in pair)
        scores = u @ v.T / torch.tensor(-1.0).sigmoid()
        expected = expected - scores.log_softmax(dim=1).diagonal().mean()
    torch.testing.assert_close(model.terms(outputs, batch)["alignment"], expected)


def test_a_batch_of_one_clip_has_no_mixed_clips():
    run = resolve("demo_peers", "drkf")
    model, batch = build(run, FRAMES).train(), make_batch(run, FRAMES, clips=1)
    assert model.terms(model(batch), batch)["pairs"].item() == 0
