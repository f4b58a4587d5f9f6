"""The one door to a fold's clips: which clips a part has, in which order, and what is read for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from ugcl import config
from ugcl.config.protocols import Protocol
from ugcl.data import tables
from ugcl.data.parts import BenchmarkData, open_fold, part_rows
from ugcl.data.shards import FeatureInfo, FeatureStore, write_index, write_shard
from ugcl.data.stores import Held
from ugcl.errors import LeakError, UgclError
from ugcl.plan import paths

PROTOCOL = Protocol(label="intended", classes=["angry", "sad"])
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


def test_a_soft_target_is_the_share_of_votes_and_the_label_where_nobody_voted():
    protocol = PROTOCOL.model_copy(update={"soft": "votes_face"})
    votes = {"votes_face_angry": [1, 0, 0], "votes_face_sad": [3, 2, 0], "votes_face_happy": [4, 0, 9]}
    manifest = pd.DataFrame({"clip": ["c0", "c1", "c2"], "speaker": "s", "intended": ["sad", "sad", "angry"]})
    split = pd.DataFrame({"clip": ["c2", "c0", "c1"], "part": "train"})
    part = part_rows(manifest.assign(**votes), split, "train", protocol)
    assert part["clip"].tolist() == ["c2", "c0", "c1"]
    assert part[["q_angry", "q_sad"]].to_numpy().tolist() == [[1, 0], [0.25, 0.75], [0, 1]]


CLIPS = {  # clip → speaker, label, part in fold 1; the order of the split table is this one
    "z1": ("ann", "angry", "train"),
    "b1": ("ann", "sad", "train"),
    "m1": ("ann", "sad", "train"),
    "d2": ("ben", "sad", "dev"),
    "d1": ("ben", "angry", "dev"),
    "t9": ("cat", "sad", "test"),
    "t1": ("cat", "angry", "test"),
    "t5": ("cat", "angry", "test"),
}


@pytest.fixture
def parameters(tmp_path, monkeypatch):
    """A benchmark on disk with two folds, two modalities and one quarantined clip, m1."""
    monkeypatch.chdir(tmp_path)
    manifest = pd.DataFrame(
        [{"clip": clip, "speaker": speaker, "intended": label} for clip, (speaker, label, _) in CLIPS.items()]
    ).sort_values("clip")
    for column in ("audio", "video", "sex", "age", "sentence", "session", "level"):
        manifest[column] = ""
    manifest[["audio_sha256", "video_sha256"]] = ""
    tables.write(manifest.assign(duration=1.0), paths.manifest("made"))
    split = pd.DataFrame({"clip": list(CLIPS), "part": [part for *_, part in CLIPS.values()]})
    tables.write(split, paths.split("made", "intended", 1))
    other = split.assign(part=split["part"].map({"train": "test", "dev": "dev", "test": "train"}))
    tables.write(other, paths.split("made", "intended", 2))
    bad = pd.DataFrame({"clip": ["m1"], "speaker": "ann", "modality": "audio"})
    tables.write(bad, paths.quarantine("made"))
    random = np.random.default_rng(0)
    for name, dim in (("sound", 3), ("face", 2)):
        folder = paths.features("made", name)
        features = {clip: random.normal(2, 3, (4, dim)) for clip in CLIPS if clip != "m1"}
        write_shard(folder, 1, features, {}, FeatureInfo(name, dim, rate=25.0), {})
        write_index(folder, 1)
    tree = {
        "active": ["made"],
        "benchmarks": {
            "made": {
                "corpus": "made",
                "protocol": "intended",
                "features": {"audio": "sound", "video": "face"},
                "systems": ["both", "sound", "own"],
                "reference": "both",
                "seeds": [0],
            }
        },
        "corpora": {
            "made": {
                "adapter": "folder",
                "shards": 1,
                "protocols": {"intended": {"label": "intended", "classes": ["angry", "sad"]}},
            }
        },
        "encoders": {
            "sound": {"kind": "table", "modality": "audio", "path": "sound.csv", "rate": 25.0},
            "face": {"kind": "table", "modality": "video", "path": "face.csv", "rate": 25.0},
        },
        "systems": {
            "both": {},
            "sound": {"method": {"name": "concat"}, "input": {"modalities": ["audio"]}},
            "own": {"input": {"standardise": "speaker"}},
            "talk": {"input": {"context": "dialogue"}},
        },
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    return config.load()


def run(parameters, system="both"):
    return parameters.resolve("made", system)


def test_the_parts_of_a_fold_share_the_memory_for_features(parameters):
    class Counting:
        """Clips of 0.3 MiB, three of which fit into 1 MiB."""

        info, reads = FeatureInfo("sound", 3, rate=25.0), 0

        def __contains__(self, clip):
            return True

        def __getitem__(self, clip):
            self.reads += 1
            return torch.zeros(50_000, 3, dtype=torch.float16)

    store = Counting()
    parts = open_fold(parameters, run(parameters, "sound"), 1, stores={"audio": store}, cache=1)
    for _ in range(2):
        for part in parts.values():
            part.statistics()
    assert store.reads == 7 + 4  # of seven clips in the three parts, four are read again


def test_a_fold_is_its_parts_in_the_order_of_the_split_without_quarantined_clips(parameters):
    parts = open_fold(parameters, run(parameters), 1)
    assert {name: part.clips for name, part in parts.items()} == {
        "train": ["z1", "b1"],
        "dev": ["d2", "d1"],
        "test": ["t9", "t1", "t5"],
    }
    assert parts["test"].labels.tolist() == [1, 0, 0] and parts["test"].classes == ["angry", "sad"]
    assert open_fold(parameters, run(parameters), 2, ["train"])["train"].clips == ["t9", "t1", "t5"]


def test_a_split_that_was_edited_into_a_leak_is_refused(parameters):
    path = paths.split("made", "intended", 1)
    split = tables.read_split(path)
    split.loc[split["part"].eq("test").idxmax(), "part"] = "train"
    tables.write(split, path)
    for names in (["train", "dev"], ["test"]):
        with pytest.raises(LeakError, match=r"fold1\.csv: fold 1: train and test share 1 speakers"):
            open_fold(parameters, run(parameters), 1, names)


def test_parts_that_nobody_asked_for_are_not_looked_at(parameters):
    path = paths.split("made", "intended", 1)
    split = tables.read_split(path)
    tables.write(split[split["part"] != "test"], path)
    assert set(open_fold(parameters, run(parameters), 1, ["train", "dev"])) == {"train", "dev"}
    with pytest.raises(UgclError, match="part test of the split is empty"):
        open_fold(parameters, run(parameters), 1)


def test_clips_come_by_name_where_asked_and_rows_follow(parameters):
    test = open_fold(parameters, run(parameters), 1, ["test"], by_clip=True)["test"]
    assert test.clips == ["t1", "t5", "t9"] and test.labels.tolist() == [0, 0, 1]
    assert test.rows["clip"].tolist() == test.clips and test.rows.index.tolist() == [0, 1, 2]


def test_dev_clips_are_among_those_of_train_for_a_refit(parameters):
    parts = open_fold(parameters, run(parameters), 1, ["train"], dev_is_train=True)
    assert parts["train"].clips == ["z1", "b1", "d2", "d1"]


def test_a_fold_has_the_modalities_of_the_system_and_its_speaker_normalisation(parameters):
    assert set(open_fold(parameters, run(parameters, "sound"), 1, ["test"])["test"].stores) == {"audio"}
    own = open_fold(parameters, run(parameters, "own"), 1, ["test"])["test"]
    store = FeatureStore(paths.features("made", "sound"))
    frames = np.concatenate([store[clip].double().numpy() for clip in ("t1", "t5", "t9")])
    wanted = (store["t9"].double().numpy() - frames.mean(0)) / frames.std(0)
    np.testing.assert_allclose(own.features("audio", 0).double().numpy(), wanted, atol=2e-3)
    plain = open_fold(parameters, run(parameters), 1, ["test"])["test"]
    assert torch.equal(plain.features("audio", 0), store["t9"])


def test_other_features_can_take_the_place_of_the_run_s(parameters):
    zeros = Held(FeatureInfo("sound", 3), {clip: torch.zeros(2, 3).half() for clip in CLIPS})
    test = open_fold(parameters, run(parameters), 1, ["test"], stores={"audio": zeros})["test"]
    assert (
        list(test.batch([0]).features) == ["audio"] and test.batch([0, 1]).features["audio"].abs().max() == 0
    )


def test_tables_and_indexes_are_read_once_for_all_folds_and_systems(parameters, monkeypatch):
    read, paths_read = tables.read, []
    monkeypatch.setattr(tables, "read", lambda path, *a: (paths_read.append(path), read(path, *a))[1])
    data = BenchmarkData(parameters, "made")
    for system in ("both", "sound"):
        for fold in (1, 2):
            data.fold(run(parameters, system), fold)
    shared = [path for path in paths_read if path.parent.name != "intended"]
    assert len(shared) == len(set(shared)) == 4  # manifest, quarantine, two feature indexes


def test_an_unknown_benchmark_or_a_missing_table_is_one_line(parameters):
    with pytest.raises(UgclError, match="other"):
        BenchmarkData(parameters, "other")
    paths.quarantine("made").unlink()
    with pytest.raises(UgclError, match=r"made\.csv: not found") as caught:
        open_fold(parameters, run(parameters), 1)
    assert "\n" not in str(caught.value)


def test_a_fold_has_the_dialogues_of_the_manifest_without_the_clips_of_other_parts(parameters):
    manifest = tables.read_manifest(paths.manifest("made")).set_index("clip")
    turns = {"z1": 2, "b1": 3, "m1": 1, "d1": 0, "t5": 1, "t1": 2, "t9": 3}
    names = {"t5": "x", "t1": "x", "t9": "y"}
    manifest["turn"] = pd.Series(turns).astype("Int64")
    manifest["dialogue"] = pd.Series(names)
    manifest["dialogue"] = manifest["dialogue"].fillna("talk").where(manifest.index != "d2", "")
    tables.write(manifest.reset_index(), paths.manifest("made"))
    parts = open_fold(parameters, run(parameters, "talk"), 1, by_clip=True)
    assert {name: part.clips for name, part in parts.items()} == {
        "train": ["z1", "b1"],
        "dev": ["d1", "d2"],
        "test": ["t5", "t1", "t9"],
    }
    assert parts["test"].groups == [[0, 1], [2]] and parts["dev"].groups == [[0], [1]]
    batch = parts["train"].batch([0, 1])
    assert batch.turn.tolist() == [0, 1], "m1, the first turn, is quarantined"
    assert open_fold(parameters, run(parameters), 1, ["test"])["test"].groups == [[0], [1], [2]]
    both = open_fold(parameters, run(parameters, "talk"), 1, ["train"], dev_is_train=True)["train"]
    assert both.clips == ["d1", "z1", "b1", "d2"] and both.groups == [[0, 1, 2], [3]]


def test_attributes_reach_training_clips_alone(parameters):
    path = paths.manifest("made")
    manifest = tables.read_manifest(path)
    tables.write(manifest.assign(level="HI", votes_face_angry=3, votes_face_sad=1), path)
    system = type(parameters.systems["both"])(method={"name": "unimod", "attributes": ["intensity", "face"]})
    parameters = parameters.model_copy(update={"systems": parameters.systems | {"made": system}})
    asked = run(parameters, "made")
    parts = open_fold(parameters, asked, 1)
    assert parts["train"].batch([0, 1]).attributes["face"].tolist() == [0.75, 0.25]
    assert parts["train"].batch([1]).attributes["intensity"].tolist() == [1]
    assert parts["dev"].batch([0]).attributes == parts["test"].batch([0]).attributes == {}
    assert open_fold(parameters, run(parameters), 1)["train"].batch([0]).attributes == {}
