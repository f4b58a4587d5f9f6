"""What contrast and negatives make of past clips."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.unit.methods.made_terms import ONLY, WIDTH, batch, network, outputs
from ugcl.methods.ugcl import UGCL


def judge(u: Tensor, v: Tensor) -> Tensor:
    """A matching head that is not symmetric, on clips at the scale of a normalised frame."""
    u, v = u / math.sqrt(WIDTH), v / math.sqrt(WIDTH)
    return 3 * u @ v.T + u[:, :1]


def judging(**settings: object) -> UGCL:
    model = network(**ONLY["matching"], **settings)
    model.judge = lambda pair, u, v: judge(u, v)
    return model


@pytest.mark.parametrize("kind", ["info_nce", "supervised"])
def test_contrast_with_past_clips_against_loops(kind: str) -> None:
    settings = {"kind": kind, "queue": 6, "temperature": 0.2}
    model = network(contrast=settings, **ONLY["contrast"])
    past, now = outputs(4, 0), outputs(3, 1)
    past_labels, labels = [0, 1, 2, 1], [0, 1, 0]
    model.terms(past, batch(past_labels, absent=(2,)))
    found = model.terms(now, batch(labels))["contrast"].item()
    kept = {"audio": [0, 1, 2, 3], "video": [0, 1, 3]}
    total = 0.0
    for a, b in (("audio", "video"), ("video", "audio")):
        candidates = [*now["tokens"][b], *past["tokens"][b][kept[b]]]
        classes = [*labels, *(past_labels[i] for i in kept[b])]
        for i in range(3):
            scores = [math.exp(5.0 * float(now["tokens"][a][i] @ c)) for c in candidates]
            alike = [k for k, y in enumerate(classes) if y == labels[i]] if kind == "supervised" else [i]
            total -= sum(math.log(scores[k] / sum(scores)) for k in alike) / len(alike) / 6
    assert found == pytest.approx(total, rel=1e-5)


def test_past_clips_join_at_granularity_clip_alone() -> None:
    settings = {"granularities": ["frame"], **ONLY["contrast"]}
    values = []
    for queue in (0, 6):
        model = network(contrast={"queue": queue}, **settings)
        model.terms(outputs(4, 0), batch([0, 1, 2, 1]))
        values.append(model.terms(outputs(3, 1), batch([0, 1, 0]))["contrast"])
    assert torch.equal(*values)


def test_a_batch_of_one_emotion_finds_its_negatives_in_the_queue() -> None:
    past, now, same = outputs(5, 0), outputs(3, 1), batch([1, 1, 1])
    assert judging(matching={"queue": 8}).terms(now, same)["matching"] == 0, "nothing yet"
    model = judging(matching={"queue": 8})
    model.terms(past, batch([0, 1, 2, 1, 0]))
    u, v = now["tokens"]["audio"], now["tokens"]["video"]
    other = [0, 2, 4]  # of another emotion
    nearest_v = [max(other, key=lambda j: float(u[i] @ past["tokens"]["video"][j])) for i in range(3)]
    nearest_u = [max(other, key=lambda j: float(v[i] @ past["tokens"]["audio"][j])) for i in range(3)]
    u_clips, v_clips = now["clips"]["audio"], now["clips"]["video"]
    negative = torch.cat(
        [
            judge(u_clips, past["clips"]["video"][nearest_v]).diagonal(),
            judge(past["clips"]["audio"][nearest_u], v_clips).diagonal(),
        ]
    )
    positive = judge(u_clips, v_clips).diagonal()
    expected = (F.softplus(-positive).mean() + F.softplus(negative).mean()) / 2
    torch.testing.assert_close(model.terms(now, same)["matching"], expected)


@pytest.mark.parametrize("negatives", ["hardest", "sample", "random", "nearest"])
def test_every_choice_of_negatives_works_with_a_queue_and_teaches_the_batch_alone(negatives: str) -> None:
    model = judging(matching={"queue": 8, "negatives": negatives, "top": 2})
    for seed in range(3):
        now = outputs(4, seed)
        now["clips"] = {m: x.requires_grad_() for m, x in now["clips"].items()}
        loss = model.terms(now, batch([0, 1, 2, 0]))["matching"]
        assert loss.isfinite() and loss > 0
        loss.backward()
        assert all(x.grad.abs().max() > 0 for x in now["clips"].values())
    assert len(model.queue.of("audio", 8)[0]) == 8 and not model.queue.clips.requires_grad


def test_a_queue_is_as_long_as_the_terms_with_a_weight_ask_for() -> None:
    queues = {"contrast": {"queue": 4}, "matching": {"queue": 7}}
    for weights, size in (({}, 7), ({"matching": 0}, 4), ({"contrast": 0, "matching": 0}, 0)):
        model = network(**queues, weights=weights)
        for seed in range(3):
            model.terms(outputs(4, seed), batch([0, 1, 2, 0]))
        assert len(model.queue.of("audio", 100)[0]) == size
    evaluated = network(**queues).eval()
    evaluated.terms(outputs(), batch([0, 1, 2, 0]))
    assert len(evaluated.queue.of("audio", 100)[0]) == 0
