"""Token ids are those of the tokenizer and survive the store."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
import torch

from tests.fixtures.small_networks import bert_model
from ugcl.config.features import Tokens
from ugcl.data.dataset import ClipDataset
from ugcl.data.shards import FeatureInfo, FeatureStore, write_index, write_shard
from ugcl.errors import UgclError
from ugcl.features.encoder import info
from ugcl.features.encoders.language.tokens import TokensEncoder
from ugcl.features.extract import vectors
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

WORDS = "it is eleven o'clock that is exactly what happened"
FACTS = FeatureInfo("ids", 1)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return bert_model(tmp_path_factory.mktemp("bert"), WORDS)


def make(folder, **settings) -> TokensEncoder:
    return TokensEncoder("t", Tokens(kind="tokens", weights="", **settings), folder)


def test_ids_are_those_of_the_tokenizer_with_the_tokens_around_a_text(bert):
    """[PAD] [UNK] [CLS] [SEP], then the words in the order of the text that made the vocabulary."""
    encoder = make(bert)
    ids = encoder.encode(Clip("a", transcript=" IT is  what nobody happened\n"))
    assert ids.dtype == np.int32 and ids.tolist() == [[2], [4], [5], [10], [1], [11], [3]]
    assert info(encoder, 1) == FeatureInfo("t", 1, 1, 0.0, 0.0)
    assert vectors(encoder, Clip("a", transcript=WORDS), 1).dtype == np.int32


def test_a_long_text_is_cut_where_the_network_or_the_user_says(bert):
    long = Clip("a", transcript=" ".join([WORDS] * 9))
    assert len(make(bert).encode(long)) == 30  # positions of the network
    cut = make(bert, longest=8).encode(long)
    assert len(cut) == 8 and cut[-1, 0] == 3, "[SEP] still ends it"


def test_faults_are_named(bert, tmp_path):
    with pytest.raises(MediaError) as caught:
        make(bert).encode(Clip("a", transcript=" "))
    assert caught.value.failure == "no_text"
    with pytest.raises(UgclError, match=r"no config\.json"):
        make(tmp_path)
    (tmp_path / "config.json").write_bytes((bert / "config.json").read_bytes())
    with pytest.raises(UgclError, match="no tokenizer"):
        make(tmp_path)


def test_another_tokenizer_gives_other_settings(bert, tmp_path):
    other = bert_model(tmp_path, f"{WORDS} more")
    assert make(bert).settings != make(other).settings
    assert make(bert).settings == make(bert_model(tmp_path / "same", WORDS)).settings


def stored(folder, features):
    write_shard(folder, 1, features, {"c": ("no_text", "nothing")}, FACTS, {"kind": "tokens"})
    write_index(folder, 1)
    return FeatureStore(folder)


def test_ids_above_the_whole_numbers_of_half_precision_survive_the_store(tmp_path):
    """Half precision has no 2049 and nothing above 65,504."""
    ids = {"a": np.array([[101], [2049], [30521]], np.int32), "b": np.array([[250001]])}
    store = stored(tmp_path, ids)
    assert store["a"].dtype == torch.int32 and store["a"].flatten().tolist() == [101, 2049, 30521]
    assert store["b"].flatten().tolist() == [250001] and "c" not in store
    before = hashlib.sha256((tmp_path / "shard-1.safetensors").read_bytes()).hexdigest()
    stored(tmp_path, ids)
    assert hashlib.sha256((tmp_path / "shard-1.safetensors").read_bytes()).hexdigest() == before


def test_a_changed_id_is_refused(tmp_path):
    stored(tmp_path, {"a": np.array([[7], [8]], np.int32)})
    path = tmp_path / "shard-1.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UgclError, match="encode this shard again"):
        FeatureStore(tmp_path)["a"]


@pytest.mark.parametrize("by_speaker", [False, True])
def test_batches_hold_whole_numbers_whatever_the_standardisation(tmp_path, by_speaker):
    store = stored(tmp_path, {"a": np.array([[101], [30521]], np.int32), "b": np.array([[2049]], np.int32)})
    rows = pd.DataFrame({"clip": ["a", "b", "c"], "speaker": ["s", "s", "t"], "label": ["x", "y", "x"]})
    batch = ClipDataset(rows, {"text": store}, ["x", "y"], by_speaker=by_speaker).batch([0, 1, 2])
    assert batch.features["text"].dtype == torch.int32
    assert batch.features["text"][..., 0].tolist() == [[101, 30521], [2049, 0], [0, 0]]
    assert batch.masks["text"].tolist() == [[True, True], [True, False], [False, False]]
    assert batch.present["text"].tolist() == [True, True, False]
