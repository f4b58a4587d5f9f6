"""The terms of the main method against values worked out by hand and by loops."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from tests.unit.methods.made_terms import INFOS, ONLY, WIDTH, batch, network, outputs, unit
from ugcl.losses.classification import divergence
from ugcl.losses.contrast import attraction, contrast, similarities
from ugcl.training.objective import objective

LABELS = [0, 1, 2, 0]


def contrasted(kind, u, v, scale, labels):
    """The loss of one vector a clip and modality, by loops."""
    if kind == "attraction":
        return (1 - (u * v).sum(dim=1).mean().item()) / 2
    total, count = 0.0, len(u)
    for a, b in ((u, v), (v, u)):
        for i in range(count):
            scores = [math.exp(scale * float(a[i] @ b[j])) for j in range(count)]
            alike = [j for j in range(count) if labels[j] == labels[i]] if kind == "supervised" else [i]
            total -= sum(math.log(scores[j] / sum(scores)) for j in alike) / len(alike) / (2 * count)
    return total


@pytest.mark.parametrize("kind", ["info_nce", "supervised", "attraction"])
def test_the_kinds_of_contrast(kind):
    model, out = network(contrast={"kind": kind, "temperature": 0.2}), outputs()
    found = model.terms(out, batch(LABELS))["contrast"].item()
    u, v = out["tokens"].values()
    assert found == pytest.approx(contrasted(kind, u, v, 5.0, LABELS), rel=1e-5)
    assert model.log_scale.requires_grad == (kind != "attraction"), "attraction has no temperature to learn"


def test_the_temperature_is_learnt_within_a_bound():
    model, out = network(), outputs()
    model.log_scale.data.fill_(math.log(1e6))
    found = model.terms(out, batch(LABELS))["contrast"].item()
    assert found == pytest.approx(contrasted("info_nce", *out["tokens"].values(), 100.0, LABELS), rel=1e-4)


@pytest.mark.parametrize("kind", ["info_nce", "supervised", "attraction"])
def test_granularities_are_averaged(kind):
    names, out, clips = ["frame", "segment", "clip"], outputs(), batch(LABELS)
    values = []
    for chosen in (*([name] for name in names), names):
        model = network(contrast={"kind": kind}, granularities=chosen, segments=3)
        values.append(model.terms(out, clips)["contrast"])
    torch.testing.assert_close(values[-1], sum(values[:-1]) / 3)
    assert len({round(value.item(), 5) for value in values[:-1]}) == 3
    frames, valid = [model.tokens.frames(out["scores"][m]) for m in INFOS], out["valid"]["audio"]
    if kind == "attraction":
        expected = (1 - attraction(*frames, valid, valid)) / 2
    else:
        labels = (clips.labels,) if kind == "supervised" else ()
        expected = contrast(*similarities(*frames, valid, valid, 10.0), *labels)
    torch.testing.assert_close(values[0], expected)


def test_the_total_loss_is_the_weighted_sum_of_its_parts():
    weights = {"contrast": 0.2, "matching": 0.3, "auxiliary": 0.5}
    parts = objective(network(weights=weights), outputs(), batch(LABELS))
    assert list(parts) == ["loss", "classification", *weights]
    expected = 0.7 * parts["classification"] + sum(w * parts[name] for name, w in weights.items())
    torch.testing.assert_close(parts["loss"], expected)
    smoothed = F.cross_entropy(outputs()["logits"], torch.tensor(LABELS), label_smoothing=0.1)
    torch.testing.assert_close(parts["classification"], smoothed)


def test_clips_without_a_modality_take_no_part_in_contrast_and_matching():
    model = network(granularities=["frame", "segment", "clip"])
    clips = batch(LABELS, absent=(1,))
    before = model.terms(outputs(), clips)
    changed = outputs()
    for name in ("tokens", "clips", "scores"):
        changed[name]["video"][1] = 7.0
    after = model.terms(changed, clips)
    assert all(before[name] == after[name] for name in ("contrast", "matching", "auxiliary"))
    changed["tokens"]["audio"][1], changed["scores"]["audio"][1] = unit(1, 9)[0], 7.0
    changed["clips"]["audio"][1] = changed["tokens"]["audio"][1] * math.sqrt(WIDTH)
    again = model.terms(changed, clips)
    assert before["contrast"] == again["contrast"] and before["matching"] == again["matching"]
    assert before["auxiliary"] != again["auxiliary"], "its sound is classified"


def test_the_auxiliary_classifier_learns_from_the_clips_of_each_modality():
    model, out = network(**ONLY["auxiliary"]), outputs()
    found = model.terms(out, batch(LABELS, absent=(1,)))["auxiliary"]
    expected = 0
    for m, here in (("audio", [0, 1, 2, 3]), ("video", [0, 2, 3])):
        logits = model.auxiliary(out["clips"][m][here])
        expected += F.cross_entropy(logits, torch.tensor(LABELS)[here], label_smoothing=0.1) / 2
    torch.testing.assert_close(found, expected)


def test_votes_take_the_place_of_labels_in_classification_alone():
    votes = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    model, out = network(), outputs()
    hard, soft = (objective(model, out, batch(LABELS, targets=targets)) for targets in (None, votes))
    torch.testing.assert_close(soft["classification"], divergence(out["logits"], votes))
    auxiliary = [divergence(model.auxiliary(x), votes) for x in out["clips"].values()]
    torch.testing.assert_close(soft["auxiliary"], sum(auxiliary) / 2)
    assert soft["auxiliary"] != hard["auxiliary"]
    assert soft["contrast"] == hard["contrast"] and soft["matching"] == hard["matching"]


@pytest.mark.parametrize(
    ("negatives", "judged"),
    # Rows, then columns: of clip 0 with sound, its negative's video; …; of clip 0 with video, its sound.
    [("nearest", [1, 3, 6, 3, 1, 5]), ("hardest", [2, 5, 6, 6, 7, 5])],
)
def test_negatives_by_hand(negatives, judged):
    """`nearest` takes clip 1 for clip 0 though both are of emotion 0; `hardest` takes clip 2."""
    video = torch.tensor([[0.6, 0.8, 0.1], [0.8, 0.6, 0.0], [0.0, 0.6, 0.8]])
    out = outputs(3)
    out["tokens"] = {"audio": torch.eye(3, WIDTH), "video": F.pad(video, (0, WIDTH - 3))}
    model = network(matching={"negatives": negatives}, **ONLY["matching"])
    model.judge = lambda pair, u, v: torch.arange(9.0).reshape(3, 3) - 4
    found = model.terms(out, batch([0, 0, 1]))["matching"].item()
    positive = sum(math.log1p(math.exp(-x)) for x in (-4.0, 0.0, 4.0)) / 3
    negative = sum(math.log1p(math.exp(x - 4.0)) for x in judged) / 6
    assert found == pytest.approx((positive + negative) / 2, rel=1e-5)
    right = (1 / 3 + sum(x < 4 for x in judged) / 6) / 2
    assert model.facts()["match_accuracy"] == pytest.approx(right)


def test_random_negatives_are_any_clip_of_another_emotion():
    model, out = network(matching={"negatives": "random"}, **ONLY["matching"]), outputs()
    assert len({model.terms(out, batch(LABELS))["matching"].item() for _ in range(20)}) > 1
    assert model.terms(out, batch([0, 0, 0, 0]))["matching"] == 0


@pytest.mark.parametrize(
    ("weights", "absent"),
    [
        ({"contrast": 0}, {"log_scale"}),
        ({"matching": 0}, {"matchers"}),
        ({"auxiliary": 0}, {"auxiliary"}),
        ({"contrast": 0, "matching": 0, "auxiliary": 0}, {"log_scale", "matchers", "auxiliary"}),
    ],
)
def test_parameters_of_a_term_without_weight_do_not_exist(weights, absent):
    full = {name.split(".")[0] for name, _ in network().named_parameters()}
    model = network(weights=weights)
    assert full - {name.split(".")[0] for name, _ in model.named_parameters()} == absent
    assert (
        model.terms(outputs(), batch(LABELS)).keys() == {"contrast", "matching", "auxiliary"} - weights.keys()
    )


def test_facts_say_how_the_codebook_is_used():
    """Of 5 tokens one clip uses one alone and the other none of it, in both modalities."""
    model, out = network(), outputs(2)
    for m in INFOS:
        out["assignments"][m] = torch.tensor([[1.0, 0, 0, 0, 0], [0, 0.25, 0.25, 0.25, 0.25]])
    model.terms(out, batch([0, 1]))
    facts = model.facts()
    assert facts["clip_perplexity"] == pytest.approx((1 + 4) / 2)
    assert facts["token_perplexity"] == pytest.approx(math.exp(0.5 * math.log(2) + 0.5 * math.log(8)))
    assert facts["dead_tokens"] == 0
    out["assignments"] = {m: torch.eye(5)[[2, 2]] for m in INFOS}
    model.terms(out, batch([0, 1]))
    assert model.facts()["dead_tokens"] == pytest.approx(4 / 5)


def test_the_auxiliary_classifier_votes_at_inference_where_the_modality_is_there():
    voting, silent = network(), network(vote=0.0)
    silent.load_state_dict(voting.state_dict())
    clips = made_clips(absent=(0,))
    with torch.no_grad():
        out, alone = voting.eval()(clips), silent.eval()(clips)["logits"]
        votes = {m: voting.auxiliary(x).log_softmax(dim=1) for m, x in out["clips"].items()}
        taught = network(vote=3.0)
        taught.load_state_dict(voting.state_dict())
        torch.manual_seed(1)
        training = taught(clips)["logits"]
        torch.manual_seed(1)
        torch.testing.assert_close(silent.train()(clips)["logits"], training)  # no votes in training
    torch.testing.assert_close(out["logits"][1:], (alone + 0.5 * (votes["audio"] + votes["video"]))[1:])
    torch.testing.assert_close(out["logits"][0], alone[0] + 0.5 * votes["audio"][0])


def made_clips(absent=()):
    """Four clips with features, of which some lack video."""
    clips = batch(LABELS, absent)
    generator = torch.Generator().manual_seed(0)
    for m, info in INFOS.items():
        clips.features[m] = torch.randn(4, 7, info.dim, generator=generator)
        clips.masks[m] = clips.present[m][:, None].repeat(1, 7)
    return clips
