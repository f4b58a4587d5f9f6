"""What other turns add to a clip: their own dialogue alone, and in past mode nothing later."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.unit.models.made_systems import CONFIG, FRAMES, make_batch
from ugcl.config import Config
from ugcl.config.system.encoder import Dialogue, ModalityEncoder
from ugcl.methods.build import build
from ugcl.models.dialogue.layers import REACH, TurnCode, dialogue_layers
from ugcl.models.dialogue.turns import Turns

GROUP = torch.tensor([0, 0, 0, 1, 1, 1, 1])
TURN = torch.tensor([0, 1, 2, 0, 1, 2, 3])
SPEAKER = torch.tensor([0, 1, 0, 2, 3, 2, 3])
kinds = pytest.mark.parametrize("kind", ["transformer", "recurrent"])


def run_of(context: str, kind: str = "transformer"):
    changes = {"input": {"context": context}, "encoder": {"dialogue": {"kind": kind}}}
    entry = type(CONFIG.systems["concat"])(extends="concat", **changes)
    return CONFIG.model_copy(update={"systems": CONFIG.systems | {"made": entry}}).resolve("demo", "made")


def talking(run, clips: int = 7):
    batch = make_batch(run, FRAMES, clips=clips)
    batch.group, batch.turn, batch.speaker = GROUP, TURN, SPEAKER
    return batch


def changed_clips(run, clip: int) -> list[int]:
    """The clips whose logits move when one clip's features do."""
    torch.manual_seed(0)
    model, batch = build(run, FRAMES).eval(), talking(run)
    for parameter in model.contexts.parameters():  # some start at 0
        parameter.data += 0.1 * torch.randn_like(parameter)
    with torch.no_grad():
        before = model(batch)["logits"]
        batch.features["audio"] = batch.features["audio"].clone()
        batch.features["audio"][clip] += 1.0
        after = model(batch)["logits"]
    return np.flatnonzero((after - before).abs().amax(dim=1) > 1e-6).tolist()


@kinds
def test_a_clip_depends_on_its_dialogue_alone_and_in_past_mode_on_nothing_later(kind):
    assert changed_clips(run_of("dialogue", kind), 4) == [3, 4, 5, 6]
    assert changed_clips(run_of("past", kind), 4) == [4, 5, 6]


def test_without_context_a_clip_stands_alone_and_the_run_has_no_such_layers():
    run = run_of("clip")
    assert run.encoder.dialogue is None and changed_clips(run, 4) == [4]


@kinds
@pytest.mark.parametrize("context", ["dialogue", "past"])
def test_the_order_of_clips_in_the_batch_and_other_dialogues_do_not_matter(kind, context):
    run = run_of(context, kind)
    torch.manual_seed(0)
    model, batch = build(run, FRAMES).eval(), talking(run)
    with torch.no_grad():
        whole = model(batch)["logits"]
        order = [5, 3, 6, 4]
        part = talking(run)
        for name in ("features", "masks", "present"):
            setattr(part, name, {m: x[order] for m, x in getattr(batch, name).items()})
        part.labels, part.clips = batch.labels[order], [batch.clips[i] for i in order]
        part.group, part.turn, part.speaker = GROUP[order], TURN[order], SPEAKER[order]
        torch.testing.assert_close(model(part)["logits"], whole[order], rtol=1e-4, atol=1e-5)


@kinds
def test_who_speaks_matters_but_not_under_which_number(kind):
    run = run_of("dialogue", kind)
    torch.manual_seed(0)
    model = build(run, FRAMES).eval()
    for parameter in model.contexts.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    batch, found = talking(run), []
    for speaker in (SPEAKER, SPEAKER + 5, torch.zeros_like(SPEAKER)):
        batch.speaker = speaker
        with torch.no_grad():
            found.append(model(batch)["logits"])
    torch.testing.assert_close(found[0], found[1])
    assert (found[0] - found[2]).abs().max() > 1e-4


def test_the_code_of_turns_is_by_distance_and_by_speaker():
    code = TurnCode(heads=1, past=False)
    code.distance.data[:, 0] = torch.arange(2 * REACH + 1.0)
    code.other.data[0] = 100.0
    turns = Turns(GROUP[:3], TURN[:3], SPEAKER[:3])
    added = code(turns, turns.sees)[0, 0]
    # REACH stands for the turn itself; one before it is a number less, and another's turn has 100 more.
    assert added.tolist() == [
        [REACH, REACH + 101, REACH + 2],
        [REACH + 99, REACH, REACH + 101],
        [REACH - 2, REACH + 99, REACH],
    ]


def test_near_turns_count_more_from_the_start_and_heads_differ_in_reach():
    turns = Turns(GROUP[3:], TURN[3:], SPEAKER[3:] * 0, past=True)
    weights = TurnCode(heads=4, past=True)(turns, turns.sees)[0, :, -1].softmax(dim=-1)  # of the last turn
    assert (weights.diff(dim=-1) > 0).all()
    assert (weights[:, -1].diff() < 0).all()


def test_half_of_the_heads_begin_with_the_turns_before_and_half_with_those_after():
    turns = Turns(GROUP[3:], TURN[3:], SPEAKER[3:] * 0)
    before, own, after, _ = TurnCode(heads=4, past=False)(turns, turns.sees)[0, :, 1].softmax(dim=-1).T
    assert (own > before).all() and (own > after).all()
    assert (before > after).tolist() == [True, False, True, False]


@pytest.mark.parametrize("past", [False, True])
@kinds
def test_every_parameter_of_the_layers_learns(kind, past):
    settings = ModalityEncoder(width=16, dialogue=Dialogue(kind=kind, layers=2))
    torch.manual_seed(0)
    layers = dialogue_layers(settings, past)
    x = torch.randn(7, 16)
    layers(x, Turns(GROUP, TURN, SPEAKER, past), torch.ones(7, dtype=torch.bool)).square().sum().backward()
    unused = [name for name, p in layers.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert unused == []


def test_a_method_that_judges_clips_by_themselves_refuses_dialogues():
    entry = type(CONFIG.systems["concat"])(extends="ugcl-as-released", input={"context": "past"})
    made: Config = CONFIG.model_copy(update={"systems": CONFIG.systems | {"made": entry}})
    with pytest.raises(
        ValueError, match=r"method released judges each clip by itself; set input.context clip"
    ):
        made.resolve("demo", "made")
