"""Methods for text in dialogues: a clip depends on its own dialogue alone, and on nothing later in `past`."""

from __future__ import annotations

import pytest
import torch

from tests.unit.models.made_systems import (
    ALONE,
    CONTEXTS,
    FRAMES,
    TEXTUAL,
    VECTOR,
    awake,
    make_batch,
    resolve,
    with_changes,
    without,
)
from ugcl.data.dataset import Batch
from ugcl.methods.build import build
from ugcl.training.objective import objective

GROUP = torch.tensor([0, 0, 0, 0, 1, 1, 1])
TURN = torch.tensor([0, 1, 2, 3, 0, 1, 2])
SPEAKER = torch.tensor([0, 1, 0, 1, 2, 2, 3])

contexts = pytest.mark.parametrize(
    "system", [name for name, made in TEXTUAL.items() if made["input"].get("context") in CONTEXTS]
)


def network(system):
    run = resolve("demo_peers", system)
    torch.manual_seed(0)
    model, batch = awake(build(run, FRAMES)).eval(), make_batch(run, FRAMES, clips=7)
    batch.group, batch.turn, batch.speaker = GROUP, TURN, SPEAKER
    return run, model, batch


@torch.no_grad()
def moved(model, batch, modality, clip):
    """The clips whose logits change when one clip's features do."""
    before, features = model(batch)["logits"], batch.features[modality]
    changed = features.clone()
    changed[clip] = changed[clip] + batch.masks[modality][clip][:, None] * 1.0
    batch.features[modality] = changed
    after = model(batch)["logits"]
    batch.features[modality] = features
    return (after - before).abs().amax(dim=1).gt(1e-6).nonzero().flatten().tolist()


@contexts
def test_a_turn_moves_its_dialogue_and_where_the_past_is_read_those_after_it(system):
    run, model, batch = network(system)
    past = run.input.context == "past"
    for modality in run.input.modalities:
        assert moved(model, batch, modality, 1) == ([1, 2, 3] if past else [0, 1, 2, 3]), modality
        assert moved(model, batch, modality, 6) == ([6] if past else [4, 5, 6]), modality


@contexts
def test_the_order_of_clips_in_the_batch_does_not_matter(system):
    _, model, batch = network(system)
    order = [5, 2, 0, 6, 3, 1, 4]
    with torch.no_grad():
        before = model(batch)["logits"]
        for name in ("features", "masks", "present"):
            setattr(batch, name, {m: x[order] for m, x in getattr(batch, name).items()})
        batch.group, batch.turn, batch.speaker = GROUP[order], TURN[order], SPEAKER[order]
        torch.testing.assert_close(model(batch)["logits"], before[order], rtol=1e-4, atol=1e-5)


@contexts
def test_what_a_turn_lacks_is_not_read(system):
    run, model, batch = network(system)
    for modality in run.input.modalities:
        gone = without(batch, modality, [1])
        assert model(gone)["logits"].isfinite().all()
        assert moved(model, gone, modality, 2), "the others' is"
        gone.masks[modality] = batch.masks[modality]  # whatever stands there
        assert moved(model, gone, modality, 1) == []


def conversation(run, dialogues, seed):
    """Dialogues of five turns; a turn's label is what the vector of the turn before shows, or its own."""
    generator = torch.Generator().manual_seed(seed)
    shown = torch.randint(3, (dialogues, 5), generator=generator)
    labels = torch.cat([shown[:, :1], shown[:, :-1]], dim=1).flatten()
    x = 2.0 * torch.nn.functional.one_hot(shown.flatten(), 3)
    x = torch.nn.functional.pad(x, (0, 11)) + 0.5 * torch.randn(len(labels), 14, generator=generator)
    there, names = torch.ones(len(labels), dtype=torch.bool), [str(i) for i in range(len(labels))]
    group = torch.arange(len(labels)) // 5
    return Batch(
        {"text": x[:, None]},
        {"text": there[:, None]},
        {"text": there},
        labels,
        names,
        ["s"] * len(labels),
        group=group,
        turn=torch.arange(len(labels)) % 5,
        speaker=2 * group + torch.arange(len(labels)) % 5 % 2,
    )


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("name", ALONE)
def test_what_only_the_turn_before_shows_is_learnt(name, context):
    run = with_changes(
        "demo_peers",
        extends=name,
        input={"modalities": ["text"], "context": context},
        encoder={"width": 32, "dropout": 0.0, "input_dropout": 0.0},
    )
    torch.manual_seed(0)
    model = build(run, VECTOR)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(150):
        batch = conversation(run, 30, step)
        loss = objective(model.train(), model(batch), batch)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    batch = conversation(run, 60, 1000)
    with torch.no_grad():
        right = model.eval()(batch)["logits"].argmax(dim=1) == batch.labels
    assert right.float().mean() > 0.9, "a third is right by chance"
