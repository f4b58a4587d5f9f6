"""What every system must hold to, and what its method claims: a prediction is of a clip or its dialogue."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.unit.models.made_systems import (
    CONFIG,
    FRAMES,
    INFOS,
    NETWORKS,
    SYSTEMS,
    awake,
    groups,
    make_batch,
    of_network,
    resolve,
    take,
    without,
)
from ugcl.config.methods.base import INVARIANTS
from ugcl.methods.build import build
from ugcl.training.objective import objective

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
systems = pytest.mark.parametrize(("benchmark", "system"), SYSTEMS)
shapes = pytest.mark.parametrize("infos", INFOS.values(), ids=INFOS.keys())
networks = pytest.mark.parametrize(("benchmark", "system"), NETWORKS)


def claiming(invariant):
    """Networks whose methods claim an invariant; the others are skipped, with the reason."""
    marked = []
    for names in NETWORKS:
        method = resolve(*names).method
        reason = f"method {method.name} does not claim the invariant {invariant!r}"
        skip = pytest.mark.skipif(invariant not in method.invariants, reason=reason)
        marked.append(pytest.param(*names, marks=skip))
    return pytest.mark.parametrize(("benchmark", "system"), marked)


def network(run, infos, seed=0):
    torch.manual_seed(seed)
    return build(run, infos)


@pytest.fixture
def silent(monkeypatch):
    """No dropout, whether a module or a function; gives a function that switches the encoders' masks off."""
    attention = F.scaled_dot_product_attention

    def plain(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False):
        return attention(q, k, v, attn_mask, 0.0, is_causal)

    monkeypatch.setattr(F, "scaled_dot_product_attention", plain)
    monkeypatch.setattr(F, "dropout", lambda x, *_, **__: x)

    def without_masks(model):
        for module in model.modules():
            if hasattr(module, "frame_mask"):
                module.frame_mask = 0.0
        return model

    return without_masks


def losses(model, batch):
    """The total loss of a batch and its parts, in training mode."""
    model.train()
    return objective(model, model(batch), batch)


def logits(model, batch):
    with torch.no_grad():
        return model.eval()(batch)["logits"]


@claiming("clips")
@shapes
def test_other_clips_do_not_matter(benchmark, system, infos):
    run = resolve(benchmark, system)
    model = network(run, infos)
    first, second = make_batch(run, infos, seed=1), make_batch(run, infos, seed=2)
    mixed, (own, *others) = take(second, list(range(len(second)))), groups(first)
    for modality in run.input.modalities:
        mixed.features[modality] = mixed.features[modality].clone()
        mixed.masks[modality] = mixed.masks[modality].clone()
        mixed.features[modality][own] = first.features[modality][own]
        mixed.masks[modality][own] = first.masks[modality][own]
    found, before = logits(model, mixed), logits(model, first)
    torch.testing.assert_close(found[own], before[own], **CLOSE)
    assert (found[others[0]] - before[others[0]]).abs().max() > 1e-3


@claiming("batch")
@shapes
def test_batch_size_does_not_matter(benchmark, system, infos):
    run = resolve(benchmark, system)
    model, batch = network(run, infos), make_batch(run, infos)
    whole = logits(model, batch)
    alone = torch.cat([logits(model, take(batch, group)) for group in groups(batch)])
    torch.testing.assert_close(alone, whole, **CLOSE)


@claiming("padding")
@shapes
@pytest.mark.parametrize("pad", [1, 7])
def test_padding_does_not_matter(benchmark, system, infos, pad):
    run = resolve(benchmark, system)
    model = network(run, infos)
    padded = make_batch(run, infos, pad=pad)
    for modality, mask in padded.masks.items():  # whatever stands in the padding
        padded.features[modality] = padded.features[modality].masked_fill(~mask[..., None], 3.0)
    torch.testing.assert_close(logits(model, padded), logits(model, make_batch(run, infos)), **CLOSE)


def test_padding_does_not_matter_to_the_contrast_at_any_granularity(silent):
    run = resolve("demo", "all-granularities")
    model, found = silent(network(run, FRAMES)), {}
    for pad in (0, 5):
        batch = make_batch(run, FRAMES, pad=pad)
        for modality, mask in batch.masks.items():
            batch.features[modality] = batch.features[modality].masked_fill(~mask[..., None], 3.0)
        found[pad] = losses(model, batch)["contrast"]
    torch.testing.assert_close(found[0], found[5], **CLOSE)


@claiming("order")
def test_the_order_of_frames_matters(benchmark, system):
    run = resolve(benchmark, system)
    model, batch = network(run, FRAMES), make_batch(run, FRAMES)
    before = logits(model, batch)
    for modality in run.input.modalities:
        shuffled = take(batch, list(range(len(batch))))
        shuffled.features[modality] = batch.features[modality].clone()
        shuffled.features[modality][:, :5] = batch.features[modality][:, [3, 0, 4, 2, 1]]
        change = (logits(model, shuffled) - before).abs().amax(dim=1)
        assert (change > 1e-4).all(), f"{modality} has no order"


@systems
@shapes
def test_every_parameter_gets_a_gradient(benchmark, system, infos):
    run = resolve(benchmark, system)
    batch, idle = make_batch(run, infos, clips=16), None
    for i, modality in enumerate(run.input.modalities):
        batch = without(batch, modality, [i])
    for seed in (0, 1):  # by chance, no unit of a small layer is active in one network
        model = awake(network(run, infos, seed))
        losses(model, batch)["loss"].backward()
        learnt = {
            name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0
        }
        unmoved = {name for name, p in model.named_parameters() if p.requires_grad} - learnt
        idle = unmoved if idle is None else idle & unmoved
        if not idle:
            break
    assert not idle


@systems
@shapes
def test_one_batch_can_be_learnt(benchmark, system, infos, silent):
    run = resolve(benchmark, system)
    model = silent(network(run, infos))  # this asks about capacity and wiring
    batch = make_batch(run, infos, clips=16)
    batch.labels = batch.labels[torch.randperm(16, generator=torch.Generator().manual_seed(3))]
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    for step in range(80):
        if step % 10 == 9 and (logits(model, batch).argmax(dim=1) == batch.labels).all():
            break
        optimiser.zero_grad()
        losses(model, batch)["loss"].backward()
        optimiser.step()
    assert (logits(model, batch).argmax(dim=1) == batch.labels).all()


@networks
@shapes
def test_a_missing_modality_gives_finite_logits_that_depend_on_the_rest_alone(benchmark, system, infos):
    run = resolve(benchmark, system)
    model, batch = network(run, infos), make_batch(run, infos)
    others = [i for group in groups(batch) if not {0, 1} & {*group} for i in group]
    for modality in run.input.modalities:
        gone = without(batch, modality, [0, 1])
        result = logits(model, gone)
        assert result.isfinite().all()
        gone.features[modality] = gone.features[modality].clone()
        gone.features[modality][:2] = 9.0
        torch.testing.assert_close(logits(model, gone), result, **CLOSE)
        if "clips" in run.method.invariants:
            torch.testing.assert_close(result[others], logits(model, batch)[others], **CLOSE)
        if len(run.input.modalities) > 1:
            assert (result[0] - result[1]).abs().max() > 1e-4, "the other modality is not read"


@networks
def test_labels_stay_outside_and_outputs_are_deterministic(benchmark, system):
    run = resolve(benchmark, system)
    model, batch = network(run, FRAMES), make_batch(run, FRAMES)
    before = logits(model, batch)
    assert before.shape == (6, len(run.protocol.classes))
    assert torch.equal(logits(model, batch), before)
    batch.labels = None
    assert torch.equal(logits(model, batch), before)


@systems
def test_clips_of_one_frame_are_learnt_from(benchmark, system):
    run = resolve(benchmark, system)
    model, batch = network(run, FRAMES), make_batch(run, FRAMES)
    batch.features = {m: x[:, :1] for m, x in batch.features.items()}
    batch.masks = {m: mask[:, :1] for m, mask in batch.masks.items()}
    assert logits(model, batch).isfinite().all()
    found = losses(model, batch)
    assert all(value.isfinite() for value in found.values())
    found["loss"].backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@networks
def test_facts_are_reported_once_and_not_of_batches_seen_before(benchmark, system):
    run = resolve(benchmark, system)
    model, batch = network(run, FRAMES), make_batch(run, FRAMES)
    assert model.facts() == {}
    losses(model, batch)
    facts = model.facts()
    assert all(isinstance(value, float) for value in facts.values())
    assert not facts.keys() & {"loss", "classification", *run.method.weights.positive()}
    assert model.facts() == {}, "they were taken"
    with model.silenced():
        losses(model, batch)
    assert model.facts() == {}
    losses(model, batch)
    assert model.facts().keys() == facts.keys()


@networks
def test_terms_are_those_with_a_weight_and_do_not_depend_on_their_weights(benchmark, system):
    run = resolve(benchmark, system)
    batch, values = make_batch(run, FRAMES, clips=12), []
    for factor in (1.0, 2.0):
        weights = {name: factor * weight for name, weight in run.method.weights.positive().items()}
        weights = run.method.weights.model_copy(update=weights)
        changed = run.model_copy(update={"method": run.method.model_copy(update={"weights": weights})})
        model = network(changed, FRAMES)
        torch.manual_seed(1)
        values.append(losses(model, batch))
        assert list(values[-1]) == ["loss", "classification", *model.settings.weights.positive()]
    for name in values[0].keys() - {"loss"}:
        assert torch.equal(values[0][name], values[1][name]), name


def test_every_system_of_the_parameters_is_covered():
    covered = {
        (of_network(run), run.loss.model_dump_json()) for run in (resolve(*names) for names in SYSTEMS)
    }
    assert {network for network, _ in covered} == {of_network(resolve(*names)) for names in NETWORKS}
    for name, entry in CONFIG.benchmarks.items():
        for system in entry.systems:
            run = resolve(name, system)
            if run.encoder.networks:
                continue
            assert (of_network(run), run.loss.model_dump_json()) in covered


def test_invariants_are_skipped_for_a_method_that_claims_none_with_the_reason():
    for invariant in INVARIANTS:
        marks = {mark.values: mark.marks[0] for mark in claiming(invariant).args[1]}
        for names, mark in marks.items():
            method = resolve(*names).method
            assert mark.args == (invariant not in method.invariants,)
            assert method.name in mark.kwargs["reason"] and invariant in mark.kwargs["reason"]
        assert {mark.args for mark in marks.values()} == {(True,), (False,)}
