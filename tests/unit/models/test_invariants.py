"""What every system must hold to, whatever its fusion: a clip's prediction is its own."""

from __future__ import annotations

import pytest
import torch
from made_systems import CONFIG, FRAMES, INFOS, NETWORKS, SYSTEMS, make_batch, resolve, take, without

from ugcl.config.model import Loss
from ugcl.losses.total import TotalLoss
from ugcl.models.build import build

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
systems = pytest.mark.parametrize(("benchmark", "system"), SYSTEMS)
networks = pytest.mark.parametrize(("benchmark", "system"), NETWORKS)
shapes = pytest.mark.parametrize("infos", INFOS.values(), ids=INFOS.keys())


def network(run, infos):
    torch.manual_seed(0)
    return build(run, infos)


def silent(model):
    """The network without its regularisers."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout") and isinstance(module.dropout, float):
            module.dropout = 0.0
        if hasattr(module, "frame_mask"):
            module.frame_mask = 0.0
    return model


def parts(run, model, batch):
    """Parts of the total loss of a batch, in the model's present mode."""
    outputs = model(batch.features, batch.masks, batch.present)
    return TotalLoss(run.loss, model=run.model)(outputs, batch.labels)


def logits(model, batch):
    with torch.no_grad():
        return model.eval()(batch.features, batch.masks, batch.present)["logits"]


@networks
@shapes
def test_other_clips_do_not_matter(benchmark, system, infos):
    run = resolve(benchmark, system)
    model = network(run, infos)
    first, second = make_batch(run, infos, seed=1), make_batch(run, infos, seed=2)
    mixed = take(second, list(range(len(second))))
    for modality in run.model.modalities:
        mixed.features[modality] = mixed.features[modality].clone()
        mixed.masks[modality] = mixed.masks[modality].clone()
        mixed.features[modality][0] = first.features[modality][0]
        mixed.masks[modality][0] = first.masks[modality][0]
    torch.testing.assert_close(logits(model, mixed)[0], logits(model, first)[0], **CLOSE)
    assert (logits(model, mixed)[1] - logits(model, first)[1]).abs().max() > 1e-3


@networks
@shapes
def test_batch_size_does_not_matter(benchmark, system, infos):
    run = resolve(benchmark, system)
    model, batch = network(run, infos), make_batch(run, infos)
    whole = logits(model, batch)
    alone = torch.cat([logits(model, take(batch, [i])) for i in range(len(batch))])
    torch.testing.assert_close(alone, whole, **CLOSE)


@networks
@shapes
@pytest.mark.parametrize("pad", [1, 7])
def test_padding_does_not_matter(benchmark, system, infos, pad):
    run = resolve(benchmark, system)
    model = network(run, infos)
    padded = make_batch(run, infos, pad=pad)
    for modality, mask in padded.masks.items():  # whatever stands in the padding
        padded.features[modality] = padded.features[modality].masked_fill(~mask[..., None], 3.0)
    torch.testing.assert_close(logits(model, padded), logits(model, make_batch(run, infos)), **CLOSE)


def test_padding_does_not_matter_to_the_contrast_at_any_granularity():
    run = resolve("demo", "all-granularities")
    model, losses = silent(network(run, FRAMES)).train(), {}
    for pad in (0, 5):
        batch = make_batch(run, FRAMES, pad=pad)
        for modality, mask in batch.masks.items():
            batch.features[modality] = batch.features[modality].masked_fill(~mask[..., None], 3.0)
        losses[pad] = parts(run, model, batch)["ugcl"]
    torch.testing.assert_close(losses[0], losses[5], **CLOSE)


@networks
def test_the_order_of_frames_matters(benchmark, system):
    run = resolve(benchmark, system)
    model, batch = network(run, FRAMES), make_batch(run, FRAMES)
    before = logits(model, batch)
    for modality in run.model.modalities:
        shuffled = take(batch, list(range(len(batch))))
        shuffled.features[modality] = batch.features[modality].clone()
        shuffled.features[modality][:, :5] = batch.features[modality][:, [3, 0, 4, 2, 1]]
        change = (logits(model, shuffled) - before).abs().amax(dim=1)
        assert (change > 1e-4).all(), f"{modality} has no order"


@systems
@shapes
def test_every_parameter_gets_a_gradient(benchmark, system, infos):
    run = resolve(benchmark, system)
    model = network(run, infos).train()
    batch = make_batch(run, infos, clips=16)
    for i, modality in enumerate(run.model.modalities):
        batch = without(batch, modality, [i])
    TotalLoss(run.loss, model=run.model)(model(batch.features, batch.masks, batch.present), batch.labels)[
        "loss"
    ].backward()
    idle = [
        name
        for name, p in model.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.abs().max() > 0)
    ]
    assert idle == []


@systems
@shapes
def test_one_batch_can_be_learnt(benchmark, system, infos):
    run = resolve(benchmark, system)
    model = silent(network(run, infos))  # this asks about capacity and wiring
    batch, loss = make_batch(run, infos, clips=16), TotalLoss(run.loss, model=run.model)
    batch.labels = batch.labels[torch.randperm(16, generator=torch.Generator().manual_seed(3))]
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(80):
        if step % 10 == 9 and (logits(model, batch).argmax(dim=1) == batch.labels).all():
            break
        optimiser.zero_grad()
        loss(model.train()(batch.features, batch.masks, batch.present), batch.labels)["loss"].backward()
        optimiser.step()
    assert (logits(model, batch).argmax(dim=1) == batch.labels).all()


@networks
@shapes
def test_a_missing_modality_gives_finite_logits_that_depend_on_the_rest_alone(benchmark, system, infos):
    run = resolve(benchmark, system)
    model, batch = network(run, infos), make_batch(run, infos)
    for modality in run.model.modalities:
        gone = without(batch, modality, [0, 1])
        result = logits(model, gone)
        assert result.isfinite().all()
        gone.features[modality] = gone.features[modality].clone()
        gone.features[modality][:2] = 9.0
        torch.testing.assert_close(logits(model, gone), result, **CLOSE)
        torch.testing.assert_close(result[2:], logits(model, batch)[2:], **CLOSE)
        if len(run.model.modalities) > 1:
            assert (result[0] - result[1]).abs().max() > 1e-4, "the other modality is not read"


@networks
def test_labels_stay_outside_and_outputs_are_deterministic(benchmark, system):
    run = resolve(benchmark, system)
    model, batch = network(run, FRAMES), make_batch(run, FRAMES)
    assert torch.equal(logits(model, batch), logits(model, batch))
    batch.labels = torch.zeros_like(batch.labels)
    assert logits(model, batch).shape == (6, len(run.protocol.classes))


@pytest.mark.parametrize(
    ("losses", "absent"),
    [
        ({"ugcl": {"weight": 0}}, ["log_scale"]),
        ({"snd": {"weight": 0}}, ["matchers", "auxiliary"]),
        ({"ugcl": {"weight": 0}, "snd": {"weight": 0}}, ["log_scale", "matchers", "auxiliary"]),
        ({"snd": {"auxiliary": 0}}, ["auxiliary"]),
    ],
)
def test_parameters_of_a_loss_without_weight_do_not_exist(losses, absent):
    run = resolve("demo", "ugcl")
    full = {name.split(".")[0] for name, _ in network(run, FRAMES).named_parameters()}
    run = run.model_copy(update={"loss": Loss.model_validate(losses)})
    model = network(run, FRAMES)
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert full - names == set(absent)
    batch = make_batch(run, FRAMES)
    parts = TotalLoss(run.loss, model=run.model)(
        model.train()(batch.features, batch.masks, batch.present), batch.labels
    )
    assert ("ugcl" in parts) == ("log_scale" in names) and ("snd" in parts) == ("matchers" in names)


def test_every_system_of_the_parameters_is_covered():
    covered = {(r.model.model_dump_json(), r.loss.model_dump_json()) for r in (resolve(*s) for s in SYSTEMS)}
    assert {model for model, _ in covered} == {resolve(*s).model.model_dump_json() for s in NETWORKS}
    for name, entry in CONFIG.benchmarks.items():
        for system in entry.systems:
            run = resolve(name, system)
            if run.model.architecture != "released":
                assert (run.model.model_dump_json(), run.loss.model_dump_json()) in covered


def test_the_auxiliary_classifier_votes_at_inference_where_the_modality_is_there():
    run = resolve("demo", "ugcl")
    model, batch = network(run, FRAMES).eval(), without(make_batch(run, FRAMES), "video", [0])
    with torch.no_grad():
        outputs = model(batch.features, batch.masks, batch.present)
        model.vote = 0.0
        alone = model(batch.features, batch.masks, batch.present)["logits"]
    votes = {m: x.log_softmax(dim=1) for m, x in outputs["auxiliary"].items()}
    both = alone + run.model.vote * (votes["audio"] + votes["video"])
    torch.testing.assert_close(outputs["logits"][1:], both[1:])
    torch.testing.assert_close(outputs["logits"][0], alone[0] + run.model.vote * votes["audio"][0])
