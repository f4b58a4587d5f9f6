"""Parts of a split, padding, and the statistics of training frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ugcl.config.protocols import Protocol
from ugcl.data.dataset import ClipDataset, part_rows
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
    assert [b.clips for b in data.batches(2, [2, 0, 1])] == [["c2", "c0"], ["c1"]]


@pytest.mark.parametrize("cache", [0, 1])
def test_statistics_are_those_of_all_frames_of_these_clips_alone(stores, cache):
    data = ClipDataset(rows(("c0", "c2", "c3"), ("sad", "angry", "sad")), stores, PROTOCOL.classes, cache)
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
    data = ClipDataset(rows(), {"audio": store}, PROTOCOL.classes, cache=1)
    first, second = data.batch([0, 1, 2]), data.batch([0, 1, 2])
    assert store.reads == 5  # one of three fits
    assert torch.equal(first.features["audio"], second.features["audio"])


MANIFEST = pd.DataFrame(
    {"clip": ["a", "b", "c", "d"], "speaker": list("wxyz"), "intended": ["sad", "angry", "sad", ""]}
)
SPLIT = pd.DataFrame({"clip": ["c", "b", "a"], "part": ["train", "train", "test"]})


def test_a_part_has_the_splits_clips_without_the_quarantined():
    part = part_rows(MANIFEST, SPLIT, "train", PROTOCOL)
    assert part["clip"].tolist() == ["c", "b"] and part["label"].tolist() == ["sad", "angry"]
    one = part_rows(
        MANIFEST, SPLIT, "train", Protocol(label="intended", classes=["angry", "sad"]), quarantined=["a"]
    )
    assert one["clip"].tolist() == ["c", "b"]


@pytest.mark.parametrize(
    ("part", "split", "quarantined", "words"),
    [
        ("dev", SPLIT, [], "dev of the split is empty"),
        ("train", SPLIT, ["b", "c"], "train of the split is empty"),
        ("train", SPLIT, ["b"], "no clip of class 'angry'"),
        ("test", SPLIT, [], "no clip of class 'angry'"),
        ("train", pd.DataFrame({"clip": ["c", "d"], "part": "train"}), [], "first: d"),
        ("train", pd.DataFrame({"clip": ["c", "e"], "part": "train"}), [], "first: e"),
    ],
)
def test_a_part_that_cannot_be_used_is_refused(part, split, quarantined, words):
    with pytest.raises(UgclError, match=words):
        part_rows(MANIFEST, split, part, PROTOCOL, quarantined)


def test_a_soft_target_is_the_share_of_votes_and_the_label_where_nobody_voted(stores):
    protocol = PROTOCOL.model_copy(update={"soft": "votes_face"})
    votes = {"votes_face_angry": [1, 0, 0], "votes_face_sad": [3, 2, 0], "votes_face_happy": [4, 0, 9]}
    manifest = rows(labels=("sad", "sad", "angry")).rename(columns={"label": "intended"}).assign(**votes)
    split = pd.DataFrame({"clip": ["c2", "c0", "c1"], "part": "train"})
    data = ClipDataset(part_rows(manifest, split, "train", protocol), stores, protocol.classes)
    batch = data.batch([1, 0])
    assert batch.clips == ["c0", "c2"]
    torch.testing.assert_close(batch.targets, torch.tensor([[0.25, 0.75], [1.0, 0.0]]))
    assert ClipDataset(rows(), stores, protocol.classes).batch([0]).targets is None
