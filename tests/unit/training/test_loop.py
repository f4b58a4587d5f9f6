"""Pieces of the loop: choice of epoch, batches, learning rate, averaging, modality dropout."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ugcl.config.system.train import ModalityDropout, Train
from ugcl.data.dataset import Batch
from ugcl.training import seeding
from ugcl.training.augment import drop_modality
from ugcl.training.loop import plan
from ugcl.training.optim import Average, learning_rate, optimiser
from ugcl.training.selection import better
from ugcl.training.state import records


def row(uar, loss, test=0.0):
    return {"dev_uar": uar, "dev_loss": loss, "test_uar": test}


def test_dev_decides_and_test_cannot():
    assert better(row(0.5, 9.0), {}, "uar")
    assert better(row(0.6, 9.0), row(0.5, 1.0), "uar")
    assert better(row(0.5, 0.9), row(0.5, 1.0), "uar")
    assert not better(row(0.5, 1.0), row(0.5, 1.0), "uar")
    assert not better(row(0.5, 1.0, test=1.0), row(0.5, 1.0, test=0.0), "uar")
    assert not better(row(0.4, 0.1, test=1.0), row(0.5, 1.0), "uar")


def clips_alone(count):
    return [[number] for number in range(count)]


@given(st.integers(1, 100), st.integers(1, 4), st.integers(1, 8), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_an_epoch_visits_every_clip_once(clips, ranks, times, seed):
    batch, groups = ranks * times, clips_alone(clips)
    shares = [plan(groups, batch, (seed,), rank, ranks) for rank in range(ranks)]
    assert len({tuple(map(len, share)) for share in shares}) == 1
    visited = [clip for share in shares for part in share for clip in part]
    assert len(visited) == len(set(visited)) == clips - clips % ranks
    assert plan(groups, batch, (seed,), 0, ranks) == shares[0]


def test_epochs_have_different_orders():
    groups = clips_alone(50)
    assert plan(groups, 8, (0, 1, 1)) != plan(groups, 8, (0, 1, 2)) != plan(groups, 8, (1, 1, 2))


def test_batches_of_clips_are_those_that_published_weights_were_trained_with():
    """Recorded before there were groups: another order would change every trained network."""
    assert plan(clips_alone(10), 4, (0, 1, 1)) == [[2, 7, 0, 4], [1, 6, 8, 9], [3, 5]]
    assert plan(clips_alone(7), 3, (5, 2, 3)) == [[3, 2, 5], [4, 6, 0], [1]]
    devices = [plan(clips_alone(10), 4, (0, 1, 1), rank, 2) for rank in range(2)]
    assert devices == [[[2, 0], [1, 8], [3]], [[7, 4], [6, 9], [5]]]
    many = [
        plan(clips_alone(clips), batch, (seed, fold, epoch), rank, ranks)
        for clips, batch in ((1440, 32), (101, 16), (53, 3), (7, 64))
        for seed in (0, 1)
        for fold in (1, 3)
        for epoch in (1, 7)
        for ranks in (1, 2, 3)
        for rank in range(ranks)
    ]
    digest = hashlib.sha256(json.dumps(many).encode()).hexdigest()
    assert digest == "a74d80ea31a292787d63ea7fc98f2cc428a3b55255f1cec71a8d10c41c5ecea3"


DIALOGUES = st.lists(st.integers(1, 12), min_size=1, max_size=40).map(
    lambda sizes: [list(range(sum(sizes[:i]), sum(sizes[: i + 1]))) for i in range(len(sizes))]
)


@given(DIALOGUES, st.integers(1, 3), st.integers(1, 16), st.integers(0, 99))
@settings(max_examples=120, deadline=None)
def test_dialogues_stay_whole_and_in_order(dialogues, ranks, batch, seed):
    shares = [plan(dialogues, batch, (seed,), rank, ranks) for rank in range(ranks)]
    dialogue_of = {clip: number for number, clips in enumerate(dialogues) for clip in clips}
    visited = []
    for part in (part for share in shares for part in share):
        order = list(dict.fromkeys(dialogue_of[clip] for clip in part))
        assert part == [clip for number in order for clip in dialogues[number]]
        visited += order
    assert len(visited) == len(set(visited))
    assert len({len(share) for share in shares}) == 1, "a device would wait for the others for ever"
    if ranks == 1:
        assert sorted(visited) == list(range(len(dialogues)))
        assert all(len(part) <= batch or part in dialogues for part in shares[0])
        for part, following in zip(shares[0], shares[0][1:], strict=False):
            assert len(part) + len(dialogues[dialogue_of[following[0]]]) > batch, "it had room for one more"


def test_every_dialogue_is_seen_by_one_of_several_devices_whatever_its_length():
    dialogues = [list(range(20 * number, 20 * number + 20)) for number in range(6)]
    shares = [plan(dialogues, 8, (3,), rank, 2) for rank in range(2)]
    assert [len(share) for share in shares] == [3, 3]
    assert sorted(clip for share in shares for part in share for clip in part) == list(range(120))


def test_seeds_do_not_collide():
    seeds = {seeding.derive(s, f, e) for s in range(5) for f in range(5) for e in range(20)}
    assert len(seeds) == 500 and all(0 <= s < 2**63 for s in seeds)


def test_learning_rate_rises_then_falls_along_a_cosine():
    train = Train(lr=1.0, warmup=0.1)
    rates = [learning_rate(train, step, 100) for step in range(100)]
    assert rates[:10] == sorted(rates[:10]) and rates[0] > 0
    assert rates[10] == 1.0 and rates[55] == pytest.approx(0.5)
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] < 0.01
    constant = Train(lr=1.0, warmup=0.1, schedule="constant")
    assert {learning_rate(constant, step, 100) for step in range(10, 100)} == {1.0}


def test_only_matrices_decay():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    decayed, free = optimiser(model, Train(weight_decay=0.1)).param_groups
    assert [p.ndim for p in decayed["params"]] == [2] and {p.ndim for p in free["params"]} == {1}
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


def test_the_average_follows_the_weights():
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 0.0)
    average = Average(model.state_dict(), 0.5)
    torch.nn.init.constant_(model.weight, 1.0)
    average.update(model.state_dict())  # decay min(0.5, 1/10)
    assert average.state()["weight"].item() == pytest.approx(0.9)
    average.update(model.state_dict())  # decay min(0.5, 2/11)
    assert average.state()["weight"].item() == pytest.approx(1 - 0.1 * 2 / 11)
    for _ in range(50):
        average.update(model.state_dict())
    assert average.state()["weight"].item() == pytest.approx(1.0)


def batch(clips=2000, absent=()):
    present = {m: torch.ones(clips, dtype=torch.bool) for m in ("audio", "video")}
    for modality in absent:
        present[modality] = torch.zeros(clips, dtype=torch.bool)
    features = {m: torch.ones(clips, 3, 2) for m in present}
    masks = {m: here[:, None].repeat(1, 3) for m, here in present.items()}
    return Batch(features, masks, present, torch.zeros(clips), [""] * clips, [""] * clips)


def test_modality_dropout_takes_one_of_two_from_its_share_of_clips():
    torch.manual_seed(0)
    before = batch()
    after = drop_modality(before, ModalityDropout(rate=0.3))
    gone = {m: ~after.present[m] for m in after.present}
    assert not (gone["audio"] & gone["video"]).any()
    for modality in gone:
        assert gone[modality].float().mean().item() == pytest.approx(0.15, abs=0.03)
        assert torch.equal(after.masks[modality].any(dim=1), after.present[modality])
    assert before.present["audio"].all(), "the batch itself is left alone"


def test_modality_dropout_never_takes_the_last():
    torch.manual_seed(0)
    after = drop_modality(batch(absent=["video"]), ModalityDropout(rate=0.9))
    assert after.present["audio"].all()


def test_modality_dropout_by_batch_takes_the_same_one_from_all_or_nothing():
    torch.manual_seed(0)
    fates = []
    for _ in range(300):
        after = drop_modality(batch(clips=5), ModalityDropout(rate=0.4, unit="batch"))
        here = {m: after.present[m].unique().tolist() for m in ("audio", "video")}
        assert all(len(states) == 1 for states in here.values())
        fates.append((here["audio"][0], here["video"][0]))
    assert (False, False) not in fates
    for fate in ((False, True), (True, False)):
        assert fates.count(fate) / 300 == pytest.approx(0.2, abs=0.07)


def test_a_history_has_the_columns_of_its_system(tmp_path):
    rows = [
        {
            "epoch": 1,
            "lr": 1e-7,
            "loss": 0.5,
            "dev_uar": 0.25,
            "dev_war": 0.25,
            "dev_loss": 1.0,
            "seconds": 2.0,
        }
    ]
    records.write_history(rows, tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,lr,loss,dev_uar,dev_war,dev_loss,seconds\n"
        "1,0.000000100,0.500000,0.250000,0.250000,1.000000,2.000000\n"
    )
    assert pd.read_csv(tmp_path / "history.csv")["loss"].tolist() == [0.5]
