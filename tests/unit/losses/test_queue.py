"""The memory of past clips: what it holds, and what contrast and negatives make of it."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl.config.model import Loss, Model
from ugcl.errors import UgclError
from ugcl.losses.matching import similar_negatives
from ugcl.losses.queue import ClipQueue
from ugcl.losses.total import TotalLoss

WIDTH = 8
MODEL = Model(width=WIDTH)


def unit(count: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed)), dim=-1)


def judge(u: Tensor, v: Tensor) -> Tensor:
    """A matching head that is not symmetric."""
    return 3 * u @ v.T + u[:, :1]


def outputs(seed: int, clips: int = 4, absent: tuple[int, ...] = ()) -> dict:
    tokens = {"audio": unit(clips, seed), "video": unit(clips, seed + 100)}
    present = {m: torch.ones(clips, dtype=torch.bool) for m in tokens}
    present["video"][list(absent)] = False
    whole = torch.ones(clips, 1, dtype=torch.bool)
    return {
        "logits": torch.zeros(clips, 3),
        "tokens": tokens,
        "levels": {"clip": {m: (z[:, None], whole) for m, z in tokens.items()}},
        "present": present,
        "scale": torch.tensor(5.0),
        "matches": {("audio", "video"): judge(tokens["audio"], tokens["video"])},
        "judges": {("audio", "video"): judge},
    }


def test_first_in_first_out_and_a_missing_modality_is_not_there() -> None:
    queue = ClipQueue(5, WIDTH, ["audio", "video"])
    assert [len(part) for part in queue.of("audio", 5)] == [0, 0]
    first, second = outputs(0, 3, absent=(1,)), outputs(1, 4)
    queue.push(first["tokens"], torch.tensor([0, 1, 2]), first["present"])
    clips, labels = queue.of("video", 5)
    assert torch.equal(clips, first["tokens"]["video"][[0, 2]]) and labels.tolist() == [0, 2]
    queue.push(second["tokens"], torch.tensor([3, 4, 5, 6]), second["present"])
    clips, labels = queue.of("audio", 5)
    assert labels.tolist() == [3, 4, 5, 6, 0]
    assert torch.equal(clips, torch.cat([second["tokens"]["audio"], first["tokens"]["audio"][:1]]))
    assert queue.of("audio", 2)[1].tolist() == [3, 4]


@pytest.mark.parametrize("kind", ["info_nce", "supervised"])
def test_contrast_with_past_clips_against_loops(kind: str) -> None:
    loss = TotalLoss(Loss(ugcl={"kind": kind, "queue": 6}, snd={"weight": 0}), model=MODEL)
    past, now = outputs(0, 4, absent=(2,)), outputs(1, 3)
    past_labels, labels = torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 0])
    loss(past, past_labels)
    found = loss(now, labels)["ugcl"].item()
    kept = {"audio": [0, 1, 2, 3], "video": [0, 1, 3]}
    total = 0.0
    for a, b in (("audio", "video"), ("video", "audio")):
        candidates = [*now["tokens"][b], *past["tokens"][b][kept[b]]]
        classes = [*labels.tolist(), *past_labels[kept[b]].tolist()]
        for i in range(3):
            scores = [math.exp(5.0 * float(now["tokens"][a][i] @ c)) for c in candidates]
            alike = [k for k, y in enumerate(classes) if y == labels[i]] if kind == "supervised" else [i]
            total -= sum(math.log(scores[k] / sum(scores)) for k in alike) / len(alike) / 6
    assert found == pytest.approx(total, rel=1e-5)


def test_a_batch_of_one_emotion_finds_its_negatives_in_the_queue() -> None:
    settings = Loss(ugcl={"weight": 0}, snd={"queue": 8, "auxiliary": 0})
    loss = TotalLoss(settings, model=MODEL)
    past, now, same = outputs(0, 5), outputs(1, 3), torch.ones(3, dtype=torch.long)
    assert loss(now, same)["snd"] == 0, "nothing yet"
    loss = TotalLoss(settings, model=MODEL)
    loss(past, torch.tensor([0, 1, 2, 1, 0]))
    u, v = now["tokens"]["audio"], now["tokens"]["video"]
    other = [0, 2, 4]  # of another emotion
    nearest_v = [max(other, key=lambda j: float(u[i] @ past["tokens"]["video"][j])) for i in range(3)]
    nearest_u = [max(other, key=lambda j: float(v[i] @ past["tokens"]["audio"][j])) for i in range(3)]
    negative = torch.cat(
        [
            judge(u, past["tokens"]["video"][nearest_v]).diagonal(),
            judge(past["tokens"]["audio"][nearest_u], v).diagonal(),
        ]
    )
    expected = (F.softplus(-judge(u, v).diagonal()).mean() + F.softplus(negative).mean()) / 2
    torch.testing.assert_close(loss(now, same)["snd"], expected)


@pytest.mark.parametrize("negatives", ["hardest", "sample", "random", "nearest"])
def test_every_choice_of_negatives_works_with_a_queue_and_teaches_the_batch_alone(negatives: str) -> None:
    torch.manual_seed(0)
    loss = TotalLoss(Loss(snd={"queue": 8, "negatives": negatives, "auxiliary": 0, "top": 2}), model=MODEL)
    for seed in range(3):
        now = outputs(seed)
        now["tokens"] = {m: z.requires_grad_() for m, z in now["tokens"].items()}
        now["matches"] = {("audio", "video"): judge(*now["tokens"].values())}
        parts = loss(now, torch.tensor([0, 1, 2, 0]))
        assert parts["snd"].isfinite() and parts["snd"] > 0
        parts["loss"].backward()
        assert all(z.grad.abs().max() > 0 for z in now["tokens"].values())
    assert not loss.queue.clips.requires_grad


def test_draws_are_among_the_most_similar_alone() -> None:
    torch.manual_seed(0)
    similarity, labels = torch.tensor([[9.0, 0.5, 0.4, 0.3, 0.2]]), torch.tensor([0])
    others = torch.tensor([0, 1, 1, 2, 2])
    for top, allowed in ((1, {1}), (2, {1, 2}), (9, {1, 2, 3, 4}), (0, {1, 2, 3, 4})):
        draws = [similar_negatives(similarity, labels, 1.0, others, top)[1].item() for _ in range(200)]
        assert set(draws) == allowed
    # More candidates asked for than there are of another emotion: its own stay out.
    few = similar_negatives(similarity[:, :3], labels, 1.0, torch.tensor([0, 0, 1]), 2)
    assert [part.tolist() for part in few] == [[0], [2]]


def test_evaluation_leaves_the_queue_alone_and_a_queue_needs_its_sizes() -> None:
    loss = TotalLoss(Loss(ugcl={"queue": 4}), model=MODEL).eval()
    loss(outputs(0), torch.tensor([0, 1, 2, 0]))
    assert len(loss.queue.of("audio", 4)[0]) == 0
    with pytest.raises(UgclError, match="queue"):
        TotalLoss(Loss(ugcl={"queue": 4}))
    assert TotalLoss(Loss(ugcl={"queue": 4, "weight": 0})).queue is None
