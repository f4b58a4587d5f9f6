"""Modality-imbalance training and attribute supervision: gradients, gaps and terms by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.mixture import GaussianMixture

from tests.unit.models.made_systems import FRAMES, make_batch, resolve, without
from ugcl.methods.audiovisual.gap_penalty import GapMixture
from ugcl.methods.build import build
from ugcl.training.objective import objective


def network(system, **method):
    run = resolve("demo_peers", system)
    run = run.model_copy(update={"method": run.method.model_copy(update=method)})
    torch.manual_seed(0)
    return build(run, FRAMES), make_batch(run, FRAMES, clips=8)


def gradients(model, batch, seed=3):
    """Gradients by parameter; the same masks and dropouts for the same seed."""
    model.train().zero_grad()
    torch.manual_seed(seed)
    objective(model, model(batch), batch)["loss"].backward()
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def lead(model, modality):
    """Make the classifier read one modality, with a large scale, so that this one leads."""
    width, place = model.fusion.size // 2, model.modalities.index(modality)
    with torch.no_grad():
        model.classifier.weight.mul_(0.01)
        model.classifier.weight[:, place * width : (place + 1) * width].mul_(200)


@pytest.mark.parametrize("leader", ["audio", "video"])
def test_only_encoders_of_the_leading_modality_learn_less(leader):
    model, batch = network("ogm_ge", enhance=False)
    lead(model, leader)
    fused = model.train()(batch)["fused"].detach()  # which labels make the reader right
    width = model.fusion.size // 2
    halves = fused.chunk(2, dim=1)
    weights = model.classifier.weight.detach().chunk(2, dim=1)
    place = model.modalities.index(leader)
    batch.labels = (halves[place] @ weights[place].T).argmax(dim=1)
    torch.manual_seed(3)
    halves = [h.detach() for h in model(batch)["fused"].chunk(2, dim=1)]
    score = {}
    for m, h, w in zip(model.modalities, halves, weights, strict=True):
        score[m] = 0.0
        for i, y in enumerate(batch.labels.tolist()):
            logits = (h[i] @ w.T + model.classifier.bias.detach() / 2).tolist()
            score[m] += math.exp(logits[y]) / sum(map(math.exp, logits))
    other = next(m for m in model.modalities if m != leader)
    ratio = score[leader] / score[other]
    assert ratio > 1 and width == 64
    expected = 1 - math.tanh(0.5 * ratio)

    changed = gradients(model, batch)
    assert model.coefficients[leader].item() == pytest.approx(expected, rel=1e-4)
    assert model.coefficients[other].item() == 1
    model.advance(0.9)  # after the end
    plain = gradients(model, batch)
    assert model.coefficients == {}
    for name, gradient in plain.items():
        own = f"encoders.{leader}." in name or f"fusion.pools.{leader}." in name
        torch.testing.assert_close(changed[name], gradient * (expected if own else 1.0), rtol=1e-3, atol=1e-8)


def test_the_enhancement_adds_noise_of_the_gradients_deviation_and_can_be_repeated():
    model, batch = network("ogm_ge")
    noisy, again = gradients(model, batch), gradients(model, batch)
    assert all(torch.equal(noisy[name], again[name]) for name in noisy)
    coefficients = dict(model.coefficients)
    model.advance(0.9)
    plain = gradients(model, batch)
    name = "encoders.audio.project.weight"
    noise = noisy[name] - coefficients["audio"] * plain[name]
    assert noise.std().item() == pytest.approx(plain[name].std().item(), rel=0.1)
    assert abs(noise.mean().item()) < 0.2 * noise.std().item()
    torch.testing.assert_close(noisy["classifier.weight"], plain["classifier.weight"])


def test_clips_without_a_modality_have_no_part_in_the_balance():
    model, batch = network("ogm_ge")
    model.train()
    torch.manual_seed(0)
    outputs = model(batch)
    some = without(batch, "video", [0, 1, 2])
    model.terms(outputs, some)
    found = dict(model.coefficients)
    some.labels = some.labels.clone()
    some.labels[:3] = 5 - some.labels[:3]
    model.terms(outputs, some)
    assert all(torch.equal(model.coefficients[m], k) for m, k in found.items())
    model.terms(outputs, without(batch, "video", list(range(8))))
    assert all(k == 1 for k in model.coefficients.values())


def test_the_mixture_finds_what_expectation_maximisation_finds():
    generator = np.random.default_rng(0)
    gaps = np.concatenate([generator.normal(0.12, 0.05, 1400), generator.normal(0.6, 0.12, 600)])
    generator.shuffle(gaps)
    model = GapMixture(0.98)
    for _ in range(6):
        for batch in np.split(gaps, 50):
            model.update(torch.tensor(batch, dtype=torch.float32))
    theirs = GaussianMixture(2, random_state=0).fit(gaps[:, None])
    order = theirs.means_[:, 0].argsort()
    weight, mean, variance = model.components()
    assert mean.tolist() == pytest.approx(theirs.means_[order, 0], abs=0.03)
    assert weight.tolist() == pytest.approx(theirs.weights_[order], abs=0.06)
    assert variance.sqrt().tolist() == pytest.approx(theirs.covariances_[order, 0, 0] ** 0.5, abs=0.03)
    grid = np.linspace(0, 1, 21)
    expected = theirs.predict_proba(grid[:, None])[:, order[1]]
    assert model.posterior(torch.tensor(grid, dtype=torch.float32)).tolist() == pytest.approx(
        expected, abs=0.15
    )


def test_gaps_are_penalised_after_the_warm_up_and_more_where_they_are_imbalanced():
    model, batch = network("gap_penalty-like")
    batch = without(batch, "audio", [1])
    outputs = model.train()(batch)
    model.advance(0.1)
    with model.silenced():
        terms = model.terms(outputs, batch)
    assert [terms[name].item() for name in ("gap", "alignment", "fusion")] == [0, 0, 0]
    assert terms["unimodal"].item() > 0
    model.advance(0.5)
    with model.silenced():
        terms = model.terms(outputs, batch)
    _, mean, variance = model.mixture.components()
    gap = alignment = fusion = 0.0
    for i in (0, *range(2, 8)):
        y = batch.labels[i]
        a, v = (outputs["unimodal"][m][i].softmax(dim=0)[y].item() for m in ("audio", "video"))
        d = abs(a - v)
        density = [math.exp(-((d - m) ** 2) / (2 * s)) / s**0.5 for m, s in zip(mean, variance, strict=True)]
        share = float(density[1] / sum(density))  # equal weights at the start
        gap += (1 + share) * d / 7
        alignment += share * (d - mean[0].item()) ** 2 / 7
        fusion -= (1 - share) * outputs["logits"][i].log_softmax(dim=0)[y].item() / 7
    found = [terms[name].item() for name in ("gap", "alignment", "fusion")]
    assert found == pytest.approx([gap, alignment, fusion], rel=1e-4)


def test_unknown_attributes_add_nothing_and_evaluation_has_no_heads():
    model, batch = network("unimod")
    batch.attributes["face"][:] = torch.nan
    batch.attributes["voice"][2:] = torch.nan
    outputs = model.train()(batch)
    total = 0.0
    for k, name in enumerate(model.names):
        known = batch.attributes[name].isfinite()
        if known.any():
            judged = outputs["attributes"][known, k].sigmoid()
            total = total + F.binary_cross_entropy(judged, batch.attributes[name][known])
    found = model.terms(outputs, batch)["attributes"]
    torch.testing.assert_close(found, total / 4)
    found.backward()
    assert model.heads.weight.grad[model.names.index("face")].abs().max() == 0
    batch.attributes = {}
    assert model.terms(model(batch), batch)["attributes"].item() == 0
    assert model.eval()(batch).keys() == {"logits"}
