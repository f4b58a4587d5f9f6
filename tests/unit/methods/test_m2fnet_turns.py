"""M2FNet over the turns of dialogues: who leads, and which turns are read."""

from __future__ import annotations

import math

import pytest
import torch

from tests.unit.models.made_systems import FRAMES, make_batch, resolve, with_changes, without
from ugcl.methods.build import build

DIALOGUES = [[0, 1, 2], [3], [4, 5]]


def code(turns, width):
    """Sines, then cosines of the place of each turn; 2 turns are the shortest period, 200 the longest."""
    count, places = (width + 1) // 2, torch.arange(turns)[:, None]
    periods = torch.tensor([2 * 100 ** (k / (count - 1)) for k in range(count)])
    angles = 2 * math.pi * places / periods
    return torch.cat([angles.sin(), angles.cos()], dim=-1)[:, :width]


@pytest.mark.parametrize("context", ["dialogue", "past"])
def test_logits_of_turns_are_those_of_each_dialogue_by_itself(context):
    run = resolve("demo_peers", f"m2fnet-like:{context}")
    torch.manual_seed(0)
    model, batch = build(run, FRAMES).eval(), make_batch(run, FRAMES)
    batch = without(batch, "audio", [1])  # the second turn of three
    expected = torch.empty(6, len(run.protocol.classes))
    with torch.no_grad():
        outputs = model(batch)
        for clips in DIALOGUES:
            count = len(clips)
            whole = torch.ones(count, count, dtype=torch.bool)
            read = dict.fromkeys(run.input.modalities, whole.tril() if context == "past" else whole)
            read["audio"] = read["audio"].clone()
            for i, clip in enumerate(clips):
                read["audio"][:, i] &= batch.present["audio"][clip]
                read["audio"][i, i] = True  # a turn reads itself
            streams = {}
            for m in run.input.modalities:
                x = (outputs["pooled"][m][clips] + code(count, run.encoder.width))[None]
                for layer in model.stacks[m]:
                    x = x + layer(x, read[m][None])
                streams[m] = x
            leader = streams.pop("text")
            for fusion in model.fusions:
                found = [fusion.attention[m](leader, x, read[m][None]) for m, x in streams.items()]
                leader = fusion.out(torch.cat([*found, leader], dim=-1).relu()).relu()
            fused = torch.cat([streams["audio"], streams["video"], leader], dim=-1)
            expected[clips] = model.classifier(fused[0])
    torch.testing.assert_close(outputs["logits"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("modalities", "leader", "leads"),
    [
        (["audio", "text", "video"], None, "text"),
        (["video", "audio"], None, "video"),
        (["audio", "text"], "audio", "audio"),
    ],
)
def test_text_leads_unless_it_is_not_read_or_another_is_asked_for(modalities, leader, leads):
    run = with_changes(
        "demo_peers", extends="m2fnet-like", input={"modalities": modalities}, method={"leader": leader}
    )
    model = build(run, FRAMES)
    assert model.leader == leads
    for fusion in model.fusions:
        assert list(fusion.attention) == [m for m in modalities if m != leads]


def test_a_leader_that_is_not_read_is_refused():
    with pytest.raises(ValueError, match=r"led by text, input\.modalities lacks it; add it or change method"):
        with_changes("demo_peers", extends="m2fnet-like", method={"leader": "text"})
