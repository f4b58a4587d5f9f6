"""Parts of a split, padding, and the statistics of training frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ugcl.config.protocols import Protocol
from ugcl.data.dataset import Batch, ClipDataset, Room
from ugcl.data.shards import FeatureInfo, FeatureStore, write_index, write_shard
from ugcl.errors import UgclError

PROTOCOL = Protocol(label="intended", classes=["angry", "sad"])


@pytest.fixture
def stores(tmp_path):
    rng = np.random.default_rng(0)
    result = {}
    for modality, dim, lengths in (("audio", 4, (3, 5, 2, 4)), ("video", 2, (1, 1, 1))):
        folder = tmp_path / modality
        info = FeatureInfo(modality, dim, rate=25.0 if modality == "audio" else 0.0)
        clips = {f"c{i}": rng.normal(3, 2, (n, dim)) for i, n in enumerate(lengths)}
        write_shard(folder, 1, clips, {}, info, {})
        write_index(folder, 1)
        result[modality] = FeatureStore(folder)
    return result


def rows(clips=("c0", "c1", "c2"), labels=("sad", "angry", "sad")):
    return pd.DataFrame({"clip": clips, "speaker": ["s"] * len(clips), "label": labels})


def test_clips_are_padded_to_the_longest_and_masked(stores):
    batch = ClipDataset(rows(), stores, PROTOCOL.classes).batch([2, 1])
    assert batch.clips == ["c2", "c1"] and batch.labels.tolist() == [1, 0]
    assert batch.features["audio"].shape == (2, 5, 4) and batch.features["audio"].dtype == torch.float32
    assert batch.masks["audio"].sum(dim=1).tolist() == [2, 5]
    assert batch.features["audio"][0, 2:].abs().max() == 0
    assert torch.equal(batch.features["audio"][1], stores["audio"]["c1"].float())


def test_a_clip_without_a_modality_is_there_and_marked(stores):
    data = ClipDataset(rows(("c2", "c3"), ("sad", "angry")), stores, PROTOCOL.classes)
    batch = data.batch([0, 1])
    assert batch.present["video"].tolist() == [True, False] and batch.present["audio"].all()
    assert batch.masks["video"].tolist() == [[True], [False]]
    assert data.batch([1]).features["video"].shape == (1, 1, 2)


def test_batches_cover_every_clip_once_in_order(stores):
    data = ClipDataset(rows(), stores, PROTOCOL.classes)
    assert [b.clips for b in data.batches(2)] == [["c0", "c1"], ["c2"]]
    assert [b.clips for b in data.batches(9)] == [["c0", "c1", "c2"]]


@pytest.mark.parametrize("cache", [0, 1])
def test_statistics_are_those_of_all_frames_of_these_clips_alone(stores, cache):
    data = ClipDataset(
        rows(("c0", "c2", "c3"), ("sad", "angry", "sad")), stores, PROTOCOL.classes, Room(cache)
    )
    frames = np.concatenate([stores["audio"][c].float().numpy() for c in ("c0", "c2", "c3")])
    mean, std = data.statistics()["audio"]
    np.testing.assert_allclose(mean.numpy(), frames.mean(0), rtol=1e-5)
    np.testing.assert_allclose(std.numpy(), frames.std(0), rtol=1e-5)


def test_a_speaker_s_frames_are_standardised_by_those_of_all_its_clips_here(stores):
    part = rows(("c0", "c1", "c3", "c2"), ("sad", "angry", "sad", "angry")).assign(
        speaker=["s", "t", "s", "t"]
    )
    data = ClipDataset(part, {"audio": stores["audio"]}, PROTOCOL.classes, by_speaker=True)
    frames = {c: stores["audio"][c].double().numpy() for c in ("c0", "c1", "c3", "c2")}
    for own in (("c0", "c3"), ("c1", "c2")):
        every = np.concatenate([frames[c] for c in own])
        for clip in own:
            made = data.features("audio", data.clips.index(clip))
            wanted = (frames[clip] - every.mean(0)) / every.std(0)
            np.testing.assert_allclose(made.double().numpy(), wanted, atol=2e-3)
            assert made.dtype == torch.float16
    mean, std = data.statistics()["audio"]
    np.testing.assert_allclose(mean.numpy(), 0, atol=1e-3)
    np.testing.assert_allclose(std.numpy(), 1, atol=1e-3)


class Held(dict):
    """Clip → frames, as a store."""

    info = FeatureInfo("made", 3, rate=10.0)


@given(shift=st.floats(-20, 20), scale=st.floats(0.2, 5), seed=st.integers(0, 99))
def test_how_a_voice_lies_and_spreads_is_gone_whatever_the_labels_and_the_others_are(shift, scale, seed):
    rng = np.random.default_rng(seed)
    plain = {f"c{i}": torch.from_numpy(rng.normal(size=(4, 3))) for i in range(5)}
    part = rows(tuple(plain), ("sad", "angry") * 2 + ("sad",)).assign(speaker=["s", "s", "s", "t", "t"])
    other = {c: x * scale + shift if c < "c3" else x - 9 for c, x in plain.items()}
    swapped = part.assign(label=part["label"].map({"sad": "angry", "angry": "sad"}))
    one = ClipDataset(part, {"audio": Held(plain)}, PROTOCOL.classes, by_speaker=True)
    two = ClipDataset(swapped, {"audio": Held(other)}, PROTOCOL.classes, by_speaker=True)
    for index in range(len(part)):
        torch.testing.assert_close(
            one.features("audio", index), two.features("audio", index), atol=1e-4, rtol=0
        )


def test_a_speaker_of_one_clip_is_refused_by_name(stores):
    part = rows().assign(speaker=["s", "s", "alone"])
    with pytest.raises(UgclError, match=r"'alone' has one clip alone with audio \(c2\).*input\.standardise"):
        ClipDataset(part, stores, PROTOCOL.classes, by_speaker=True).batch([2])


def test_a_constant_column_is_centred_and_not_blown_up():
    class Constant:
        info = FeatureInfo("made", 1, rate=10.0)

        def __contains__(self, clip):
            return True

        def __getitem__(self, clip):
            return torch.full((4, 1), 7.0, dtype=torch.float16)

    mean, std = ClipDataset(rows(), {"audio": Constant()}, PROTOCOL.classes).statistics()["audio"]
    assert (mean.item(), std.item()) == (7.0, 1.0)


def test_memory_is_bounded_and_results_are_the_same(stores):
    class Counting:
        def __init__(self):
            self.info, self.reads = FeatureInfo("made", 1024, rate=10.0), 0

        def __contains__(self, clip):
            return True

        def __getitem__(self, clip):
            self.reads += 1
            return torch.full((400, 1024), float(clip[1]), dtype=torch.float16)  # 0.8 MiB

    store = Counting()
    data = ClipDataset(rows(), {"audio": store}, PROTOCOL.classes, Room(1))
    first, second = data.batch([0, 1, 2]), data.batch([0, 1, 2])
    assert store.reads == 5  # one of three fits
    assert torch.equal(first.features["audio"], second.features["audio"])


def test_a_batch_has_soft_targets_where_the_rows_have_shares(stores):
    shares = {"q_angry": [0.25, 1.0, 0.0], "q_sad": [0.75, 0.0, 1.0]}
    batch = ClipDataset(rows().assign(**shares), stores, PROTOCOL.classes).batch([1, 0])
    torch.testing.assert_close(batch.targets, torch.tensor([[1.0, 0.0], [0.25, 0.75]]))
    assert ClipDataset(rows(), stores, PROTOCOL.classes).batch([0]).targets is None


class Anything:
    """A store with two frames of every clip, whose value is the number in the clip's name."""

    info = FeatureInfo("made", 1, rate=10.0)

    def __contains__(self, clip):
        return True

    def __getitem__(self, clip):
        return torch.full((2, 1), float(clip[1:]), dtype=torch.float16)


def talk(**columns):
    """Two dialogues in no order, one clip alone between them."""
    frame = pd.DataFrame(
        {
            "clip": ["c4", "c7", "c1", "c5", "c2", "c3"],
            "speaker": ["ann", "cat", "ben", "ben", "ann", "ann"],
            "label": ["sad", "angry", "sad", "sad", "angry", "sad"],
            "dialogue": ["d2", "", "d1", "d2", "d1", "d1"],
            "turn": pd.array([4, None, 10, 9, 2, 30], "Int64"),
        }
    )
    return frame.assign(**columns)


def dialogues(frame):
    return ClipDataset(frame, {"audio": Anything()}, PROTOCOL.classes, context="dialogue")


def test_without_context_every_clip_is_a_group_and_the_first_of_it():
    data = ClipDataset(talk(), {"audio": Anything()}, PROTOCOL.classes)
    assert data.clips == ["c4", "c7", "c1", "c5", "c2", "c3"] and data.groups == [[i] for i in range(6)]
    batch = data.batch([3, 0, 2])
    assert (batch.group.tolist(), batch.turn.tolist()) == ([3, 0, 2], [0, 0, 0])
    assert batch.speakers == ["ben", "ann", "ben"] and batch.speaker.tolist() == [2, 0, 2]


def test_the_clips_of_a_dialogue_follow_one_another_in_the_order_of_turns():
    data = dialogues(talk())
    assert data.clips == ["c4", "c5", "c7", "c2", "c1", "c3"] == data.rows["clip"].tolist()
    assert data.groups == [[0, 1], [2], [3, 4, 5]]
    batch = data.batch(range(6))
    assert batch.group.tolist() == [0, 0, 1, 2, 2, 2] and batch.turn.tolist() == [0, 1, 0, 0, 1, 2]
    assert (
        batch.speaker.tolist() == [0, 1, 2, 0, 1, 0] and batch.group.dtype == batch.turn.dtype == torch.int64
    )
    assert batch.labels.tolist() == [1, 1, 0, 0, 1, 1]
    assert batch.features["audio"][:, 0, 0].tolist() == [4, 5, 7, 2, 1, 3]


def test_without_turns_the_start_of_a_clip_tells_the_order():
    frame = talk(start=[0.5, np.nan, 7.0, 0.1, 3.0, 5.0]).drop(columns="turn")
    assert dialogues(frame).clips == ["c5", "c4", "c7", "c2", "c3", "c1"]


def test_clips_without_a_dialogue_stay_alone_even_if_one_has_the_name_of_a_dialogue():
    assert dialogues(talk(dialogue="")).groups == [[i] for i in range(6)]
    frame = talk(
        dialogue=["c7", "", "", "c7", "", ""], turn=pd.array([1, None, None, 2, None, None], "Int64")
    )
    assert dialogues(frame).groups == [[0, 1], [2], [3], [4], [5]]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (talk().drop(columns="dialogue"), "no column dialogue"),
        (talk().drop(columns="turn"), "dialogue 'd2': the place of clip c4 .* column turn"),
        (talk(turn=pd.array([4, None, 10, 9, 10, 30], "Int64")), "'d1': the place of clip c1"),
        (talk(turn=pd.array([4, None, 10, 9, None, 30], "Int64")), "'d1': the place of clip c2"),
    ],
)
def test_dialogues_of_unknown_order_are_refused(frame, words):
    with pytest.raises(UgclError, match=words) as caught:
        dialogues(frame)
    assert "\n" not in str(caught.value)


@given(
    sizes=st.lists(st.integers(0, 6), min_size=1, max_size=12),
    size=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_batches_keep_dialogues_whole_and_fill_up(sizes, size, seed):
    """A size of 0 is a clip without a dialogue."""
    names = [(f"d{i}" if n else "", turn) for i, n in enumerate(sizes) for turn in range(max(n, 1))]
    frame = pd.DataFrame(names, columns=["dialogue", "turn"]).assign(speaker="s", label="sad")
    frame["clip"] = [f"c{i}" for i in range(len(frame))]
    mixed = frame.sample(frac=1, random_state=seed)
    data = dialogues(mixed)
    parts = list(data.batches(size))
    assert sorted(clip for part in parts for clip in part.clips) == sorted(frame["clip"])
    assert [clip for part in parts for clip in part.clips] == data.clips
    place = frame.set_index("clip")
    whole = place["dialogue"].value_counts()
    for number, part in enumerate(parts):
        assert len(part) <= size or len(part.group.unique()) == 1
        if number + 1 < len(parts):
            following = parts[number + 1]
            assert len(part) + int((following.group == following.group[0]).sum()) > size
        for group in part.group.unique():
            here = [part.clips[i] for i in (part.group == group).nonzero().flatten()]
            rows = place.loc[here]
            assert rows["dialogue"].nunique() == 1 and part.turn[part.group == group].tolist() == list(
                range(len(here))
            )
            if rows["dialogue"].iloc[0]:
                assert rows["turn"].tolist() == list(range(whole[rows["dialogue"].iloc[0]]))
            else:
                assert len(here) == 1


def test_a_batch_takes_its_groups_to_the_device_and_has_groups_without_a_dataset():
    batch = dialogues(talk()).batch([3, 4]).to("meta")
    tensors = [
        batch.labels,
        batch.group,
        batch.turn,
        batch.speaker,
        batch.features["audio"],
        batch.masks["audio"],
    ]
    assert all(x.device.type == "meta" for x in [*tensors, batch.present["audio"]])
    assert batch.clips == ["c2", "c1"] and batch.targets is None
    made = Batch({}, {}, {}, torch.tensor([0, 1, 0]), ["x", "y", "z"], ["t", "s", "t"])
    assert (made.group.tolist(), made.turn.tolist(), made.speaker.tolist()) == (
        [0, 1, 2],
        [0, 0, 0],
        [0, 1, 0],
    )
