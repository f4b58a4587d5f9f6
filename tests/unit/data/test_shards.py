"""The feature store: equal features give equal bytes, and one clip is read without the others."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save

from ugcl.data import shards
from ugcl.data.shards import FeatureInfo, FeatureStore
from ugcl.errors import UgclError

INFO = FeatureInfo("logmel", dim=3, layers=1, rate=25.0, offset=0.015)


def write(folder, number=2, clips=7, settings=None, failures=None):
    names = [f"clip{i}" for i in range(clips)]
    arrays = {name: np.arange(3 * (i + 1), dtype=np.float32).reshape(-1, 3) for i, name in enumerate(names)}
    failures = failures or {}
    for shard in range(1, number + 1):
        mine = shards.shard_clips(names, number, shard)
        good = {name: arrays[name] for name in mine if name not in failures}
        bad = {name: failures[name] for name in mine if name in failures}
        shards.write_shard(folder, shard, good, bad, INFO, settings or {"bands": 3, "window": 0.025})
    return arrays


@given(st.lists(st.text("abcdefgh", min_size=1), unique=True, max_size=40), st.integers(1, 9))
def test_shards_partition_the_clips_in_order(clips, number):
    blocks = [shards.shard_clips(clips, number, i) for i in range(1, number + 1)]
    assert [clip for block in blocks for clip in block] == sorted(clips)
    expected = [len(block) for block in np.array_split(np.arange(len(clips)), number)]
    assert [len(block) for block in blocks] == expected


@pytest.mark.parametrize("shard", [0, 5])
def test_a_shard_out_of_range_is_refused(shard):
    with pytest.raises(UgclError, match=r"the corpus has 1\.\.4"):
        shards.shard_clips(["a"], 4, shard)


def test_features_come_back_as_half_precision(tmp_path):
    arrays = write(tmp_path)
    shards.write_index(tmp_path, 2)
    store = FeatureStore(tmp_path)
    assert store.info == INFO
    assert store.clips == sorted(arrays)
    for name, array in arrays.items():
        assert store[name].dtype == torch.float16
        assert store.frames[name] == len(array)
        np.testing.assert_array_equal(store[name].numpy(), array.astype(np.float16))
    assert "clip0" in store and "nobody" not in store
    with pytest.raises(UgclError, match="nobody"):
        store["nobody"]


def test_bytes_are_the_same_in_every_process(tmp_path):
    code = (
        "import sys, numpy as np; from pathlib import Path; from ugcl.data import shards;"
        "r = np.random.default_rng(0);"
        "a = {f'c{i}': r.normal(size=(5, 3)) for i in (3, 1, 2)};"
        "i = shards.FeatureInfo('x', 3, 1, 2.0, 0.1);"
        "shards.write_shard(Path(sys.argv[1]), 1, a, {'c9': ('silent', 'no sound')}, i,"
        " {'b': 1, 'a': [1, 2], 'c': {'z': 1, 'y': 2}})"
    )
    for i, seed in enumerate(("1", "2")):
        folder = str(tmp_path / str(i))
        subprocess.run(
            [sys.executable, "-c", code, folder], check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        )
    for name in ("shard-1.safetensors", "shard-1.csv"):
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()


def test_the_file_is_the_one_that_the_library_writes(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {f"clip-{i}é": rng.normal(size=(i, 3)) for i in (5, 1, 11)}
    shards.write_shard(tmp_path, 1, arrays, {}, INFO, {"quote": '"', "b": 1})
    path = tmp_path / "shard-1.safetensors"
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    halves = {clip: array.astype(np.float16) for clip, array in arrays.items()}
    assert path.read_bytes() == save(halves, metadata)
    shards.write_shard(tmp_path, 2, {}, {"a": ("silent", "no sound")}, INFO, {})
    assert (tmp_path / "shard-2.safetensors").read_bytes() == save(
        {}, {"ugcl": json.dumps({**INFO.to_dict(), "settings": {}}, sort_keys=True)}
    )


def test_an_index_is_dropped_with_the_first_shard_of_other_settings(tmp_path):
    write(tmp_path)
    index = shards.write_index(tmp_path, 2)
    write(tmp_path)
    assert index.is_file()
    shards.write_shard(tmp_path, 2, {"clip4": np.zeros((1, 3))}, {}, INFO, {"bands": 4})
    assert not index.exists()


def test_metadata_is_one_sorted_key(tmp_path):
    write(tmp_path, settings={"window": 0.025, "bands": 3})
    with safe_open(tmp_path / "shard-1.safetensors", framework="np") as file:
        metadata = file.metadata()
    assert list(metadata) == ["ugcl"]
    tree = json.loads(metadata["ugcl"])
    assert json.dumps(tree, sort_keys=True) == metadata["ugcl"]
    assert tree["settings"] == {"bands": 3, "window": 0.025}
    assert {"encoder", "dim", "layers", "rate", "offset"} <= set(tree)


def test_only_the_asked_shard_is_opened(tmp_path):
    write(tmp_path)
    shards.write_index(tmp_path, 2)
    store = FeatureStore(tmp_path)
    (tmp_path / "shard-2.safetensors").unlink()
    assert store["clip0"].shape == (1, 3)
    with pytest.raises(UgclError, match=r"shard-2\.safetensors: not found"):
        store["clip6"]


def flipped(path, place, bit=1):
    """Flip one bit of a file, as a bad disk or copy does."""
    content = bytearray(path.read_bytes())
    content[place] ^= bit
    path.write_bytes(content)


@pytest.mark.parametrize("place", [-1, -30, -43])
def test_a_flipped_bit_of_the_arrays_is_refused_by_reader_and_index(tmp_path, place):
    write(tmp_path)
    shards.write_index(tmp_path, 2)
    store = FeatureStore(tmp_path)
    flipped(tmp_path / "shard-2.safetensors", place)
    with pytest.raises(UgclError, match=r"shard-2\.safetensors.*clip '?clip\d'?.*encode this shard again"):
        for clip in store.clips:
            store[clip]
    with pytest.raises(UgclError, match="encode this shard again"):
        shards.write_index(tmp_path, 2)


def test_a_changed_rate_moved_arrays_and_a_changed_index_are_refused(tmp_path):
    """What the header says of the features is under the digest as the numbers are."""
    write(tmp_path, number=1)
    shards.write_index(tmp_path, 1)
    path, index = tmp_path / "shard-1.safetensors", tmp_path / "index.csv"
    whole = path.read_bytes()
    changes = [(b"25.0", b"29.0"), (b'"clip0"', b'"clip9"'), (b"[0,6]", b"[0,2]")]
    for old, new in [*changes, (b'[1,3],"data', b'[3,1],"data')]:
        assert whole.count(old) == 1
        path.write_bytes(whole.replace(old, new))
        with pytest.raises(UgclError, match="encode"):
            store = FeatureStore(tmp_path)
            for clip in store.clips:
                store[clip]
    path.write_bytes(whole)
    text = index.read_text()
    digest = pd.read_csv(index, dtype=str)["digest"][3]
    index.write_text(text.replace(digest, digest[::-1]))
    with pytest.raises(UgclError, match="clip 'clip3'"):
        FeatureStore(tmp_path)["clip3"]


def test_a_clip_is_hashed_when_it_is_first_read_and_not_again(tmp_path, monkeypatch):
    write(tmp_path)
    shards.write_index(tmp_path, 2)
    store, hashed, digest = FeatureStore(tmp_path), [], shards.digest
    monkeypatch.setattr(shards, "digest", lambda m, clip, x: hashed.append(clip) or digest(m, clip, x))
    for clip in ("clip1", "clip6", "clip1"):
        store[clip]
    assert hashed == ["clip1", "clip6"]


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the system does not say what is mapped")
def test_features_that_were_read_leave_no_pages_of_their_files(tmp_path):
    """Else the memory of a training seems to grow with the corpus, and `train.cache` bounds nothing."""

    def mapped():
        return int(re.search(r"RssFile:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])

    arrays = {f"clip{i}": np.full((2**20, 3), i, dtype=np.float16) for i in range(8)}  # 6 MiB each
    shards.write_shard(tmp_path, 1, arrays, {}, INFO, {})
    shards.write_index(tmp_path, 1)
    before, store = mapped(), FeatureStore(tmp_path)
    for clip in store.clips:
        assert store[clip].nbytes == 6 * 2**20
    assert mapped() - before < 6 * 2**10


def test_a_shard_cut_short_is_refused(tmp_path):
    write(tmp_path, number=1)
    shards.write_index(tmp_path, 1)
    store, path = FeatureStore(tmp_path), tmp_path / "shard-1.safetensors"
    store["clip0"]
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UgclError, match="ends within clip 'clip6'; encode this shard again"):
        store["clip6"]


def test_features_of_another_corpus_encoder_or_condition_are_refused(tmp_path):
    own = {"corpus": "c", "benchmark": "b", "condition": "noise:10"}
    shards.write_shard(tmp_path, 1, {"clip0": np.zeros((1, 3))}, {}, INFO, {}, own)
    shards.write_index(tmp_path, 1)
    assert FeatureStore(tmp_path, {"encoder": "logmel", **own})["clip0"].shape == (1, 3)
    for field in ("encoder", *own):
        with pytest.raises(UgclError, match=rf"{field} is .* instead of other; .*encode"):
            FeatureStore(tmp_path, {"encoder": "logmel", **own, field: "other"})


def test_a_store_travels_to_a_worker_process(tmp_path):
    write(tmp_path)
    shards.write_index(tmp_path, 2)
    store = FeatureStore(tmp_path)
    expected = store["clip3"]
    assert torch.equal(pickle.loads(pickle.dumps(store))["clip3"], expected)


def test_failed_clips_stay_in_the_books_and_out_of_the_index(tmp_path):
    write(tmp_path, failures={"clip1": ("silent", "never exceeds -80 dBFS")})
    books = shards.read_tables(tmp_path, 2)
    assert books["clip"].tolist() == [f"clip{i}" for i in range(7)]
    assert books.loc[1, ["frames", "failure"]].tolist() == [0, "silent"]
    shards.write_index(tmp_path, 2)
    assert "clip1" not in pd.read_csv(tmp_path / "index.csv")["clip"].tolist()
    assert len(FeatureStore(tmp_path)) == 6


def test_a_shard_whose_clips_all_failed(tmp_path):
    write(tmp_path, clips=2, failures={"clip0": ("no_face", "0 of 9 frames")})
    shards.write_index(tmp_path, 2)
    assert FeatureStore(tmp_path).clips == ["clip1"]


def test_shards_of_different_settings_do_not_mix(tmp_path):
    write(tmp_path)
    shards.write_shard(tmp_path, 2, {"clip4": np.zeros((1, 3))}, {}, INFO, {"bands": 4})
    with pytest.raises(UgclError, match="other settings"):
        shards.write_index(tmp_path, 2)


def test_missing_and_foreign_shards_are_one_line(tmp_path):
    with pytest.raises(UgclError, match="not found"):
        shards.read_metadata(tmp_path / "shard-1.safetensors")
    (tmp_path / "shard-1.safetensors").write_bytes(b"not a shard")
    with pytest.raises(UgclError, match="no feature shard"):
        shards.read_metadata(tmp_path / "shard-1.safetensors")


def test_a_node_reads_its_own_copy_of_a_shard(tmp_path, monkeypatch):
    arrays = write(tmp_path / "store", number=1)
    shards.write_index(tmp_path / "store", 1)
    monkeypatch.setenv("UGCL_SCRATCH", f"{tmp_path}/$JOB/shards")  # JOB is known on the node alone
    monkeypatch.setenv("JOB", "7")
    np.testing.assert_array_equal(FeatureStore(tmp_path / "store")["clip1"].numpy(), arrays["clip1"])
    (copy,) = (tmp_path / "7/shards").iterdir()
    assert copy.read_bytes() == shards.tensors_path(tmp_path / "store", 1).read_bytes()
    FeatureStore(tmp_path / "store")["clip2"]
    assert list(copy.parent.iterdir()) == [copy], "every process reads the same one"
    copy.write_bytes(copy.read_bytes()[:-2] + b"xx")  # the end of the last clip
    with pytest.raises(UgclError, match="clip6"):
        FeatureStore(tmp_path / "store")["clip6"]

    write(tmp_path / "store", number=1, clips=8)
    shards.write_index(tmp_path / "store", 1)
    assert len(FeatureStore(tmp_path / "store")["clip7"]) == 8, "a shard that changed is copied again"


def test_without_room_on_the_node_the_shard_itself_is_read(tmp_path, monkeypatch, caplog):
    arrays = write(tmp_path / "store", number=1)
    shards.write_index(tmp_path / "store", 1)
    (tmp_path / "file").write_text("no folder can be made here")
    monkeypatch.setenv("UGCL_SCRATCH", str(tmp_path / "file/shards"))
    np.testing.assert_array_equal(FeatureStore(tmp_path / "store")["clip1"].numpy(), arrays["clip1"])
    assert "is read where it is" in caplog.text
