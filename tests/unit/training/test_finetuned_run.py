"""A run that trains a text network: the same bits after a kill, small files, and predictions from words."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from tests.fixtures.small_networks import bert_model
from tests.unit.training.ended import Killed, end_after
from tests.unit.training.made_text import TELLING, WORDS, make_text_project
from ugcl import config
from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.evaluation.networks.cost import cost
from ugcl.evaluation.networks.predict import predict
from ugcl.features.extract import encode_shard
from ugcl.features.media.clip import Clip
from ugcl.inference.ensemble import of_one_speaker
from ugcl.inference.observation import Observation
from ugcl.plan import paths
from ugcl.plan.evaluation import prediction, score
from ugcl.training import loop
from ugcl.training.run import train_runs
from ugcl.training.state import resume
from ugcl.training.state.checkpoint import load_run

FOLDER = Path("results/models/made/finetuned/seed0/fold1")
LORA = {"input": {"context": "dialogue"}, "encoder": {"networks": {"text": {"mode": "lora", "lr": 0.01}}}}


def trained() -> tuple[bytes, list[str]]:
    train_runs(config.load(), "made", "finetuned", [0], [1])
    rows = (FOLDER / "history.csv").read_text().splitlines()
    return (FOLDER / "model.safetensors").read_bytes(), [row.rpartition(",")[0] for row in rows]


@pytest.mark.parametrize("system", [{}, LORA], ids=["all", "lora-dialogue"])
def test_a_killed_run_ends_in_the_same_bits(system, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_text_project(tmp_path, system, epochs=4, ema={"decay": 0.9}, save_every=0)
    undisturbed = trained()
    end_after(2, FOLDER, trained)
    kept = load_file(FOLDER / resume.FOLDER / resume.FILE)
    assert {n.removeprefix("model/") for n in kept if n.startswith("model/")} == load_file(
        FOLDER / "model.safetensors"
    ).keys()
    assert trained() == undisturbed


def test_token_ids_are_made_to_the_same_bytes_also_after_a_kill(tmp_path, monkeypatch):
    from ugcl.features.encoders.language.tokens import TokensEncoder

    monkeypatch.chdir(tmp_path)
    made, shard = make_text_project(tmp_path), paths.features("made", "ids") / "shard-1.safetensors"
    before, encode = shard.read_bytes(), TokensEncoder.encode
    shard.unlink()

    def killing(self, clip):
        if clip.name == "d05t2":
            raise Killed
        return encode(self, clip)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(TokensEncoder, "encode", killing)
        encode_shard(made, "made", "ids", 1, "l")
    assert not shard.exists()
    seen = []

    def watched(self, clip):
        seen.append(clip.name)
        return encode(self, clip)

    monkeypatch.setattr(TokensEncoder, "encode", watched)
    encode_shard(made, "made", "ids", 1, "l")
    assert seen[0] == "d05t2" and shard.read_bytes() == before


def test_half_precision_and_several_batches_a_step_learn_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    system = {"input": {"context": "past"}}
    made = make_text_project(tmp_path, system, epochs=8, precision="bf16-mixed", accumulate=2)
    train_runs(made, "made", "finetuned", [0], [1])
    losses = pd.read_csv(FOLDER / "history.csv")["loss"]
    assert losses.notna().all() and losses.iloc[-2:].mean() < losses.iloc[:2].mean()


def test_a_run_is_learnt_kept_without_its_base_and_loaded_again(tmp_path, monkeypatch):
    """One word says the class of every transcript: what is not learnt from 64 of them is not wired."""
    monkeypatch.chdir(tmp_path)
    system = {"encoder": {"networks": {"text": {"mode": "last", "layers": 1}}}}
    made = make_text_project(tmp_path, system, epochs=25, batch=8, lr=0.01, patience=25, clip=None)
    train_runs(made, "made", "finetuned", [0], [1])
    weights = load_file(FOLDER / "model.safetensors")
    assert not any("embeddings" in name or "layer.0." in name for name in weights)
    assert any("encoder.layer.1." in name for name in weights) and weights["network.base"].shape == (32,)
    predict(made, "made", "finetuned")
    table = pd.read_csv(prediction("made", "finetuned", 0, 1))
    assert (table["label"] == table["predicted"]).mean() > 0.8

    cost(made, "made")
    measured = pd.read_csv(score("made", "cost")).iloc[0]
    tokens = np.sort([len(words.split()) + 2 for words in tables.read(paths.manifest("made"))["transcript"]])
    maps = 2 * (4 * 16 * 16 + 2 * 16 * 32)  # multiplications of a token in two layers
    assert measured["flops"] > 2 * tokens[0] * maps, "the network is in the operations"
    assert measured["parameters"] == sum(x.numel() for n, x in weights.items() if n != "network.base")

    base = Path("bert").rename("moved")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UgclError, match=r"encoders\.ids\.weights") as caught:
        load_run(FOLDER)
    assert "\n" not in str(caught.value)
    bert_model(tmp_path / "bert", WORDS, seed=7)
    with pytest.raises(UgclError, match=r"was trained from weights with sha256 .* put the first ones back"):
        load_run(FOLDER)
    assert base is not None


def test_memory_does_not_grow_from_epoch_to_epoch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made, alive = make_text_project(tmp_path, epochs=6, save_every=0), []
    judge = loop.selection.judge

    def counting(*arguments):
        judge(*arguments)
        gc.collect()
        sizes = [x.numel() for x in gc.get_objects() if isinstance(x, torch.Tensor)]
        alive.append(sum(sizes))

    monkeypatch.setattr(loop.selection, "judge", counting)
    train_runs(made, "made", "finetuned", [0], [1])
    assert len(alive) == 6 and max(alive[2:]) <= alive[2]


def test_transcripts_of_a_users_own_clips_are_predicted(tmp_path, monkeypatch, ugcl):
    import json

    import soundfile

    monkeypatch.chdir(tmp_path)
    make_text_project(tmp_path, epochs=25, batch=8, lr=0.01, patience=25)
    train_runs(config.load(), "made", "finetuned", [0], [1])
    (tmp_path / "own").mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 16000)
    for label, word in TELLING.items():
        soundfile.write(tmp_path / "own" / f"{label}.wav", noise, 16000)
        (tmp_path / "own" / f"{label}.txt").write_text(f"\ufeffi {word}   you so much\n")
    soundfile.write(tmp_path / "own" / "silent.wav", noise, 16000)
    result = ugcl("predict", "own", "--json")
    found = {row["clip"]: row for row in json.loads(result.stdout)["clips"]}
    assert {name: found[name]["predicted"] for name in TELLING} == {name: name for name in TELLING}
    assert "no transcript" in found["silent"]["failure"]
    ids = {"text": np.array([[2], [9], [3]], np.int32)}
    seen = [Observation(Clip(name), ids, {}, None, None) for name in ("a", "b")]
    for one in of_one_speaker(seen):
        assert one.features["text"].tolist() == ids["text"].tolist(), "ids have no mean"
    spoken = ugcl("predict", "own/silent.wav", "--json", "--transcript", "i hate this")
    assert json.loads(spoken.stdout)["clips"][0]["predicted"] == "angry"
    alone = ugcl("predict", "own/happy.txt", "--json")
    assert json.loads(alone.stdout)["clips"][0]["predicted"] == "happy"
    assert "is of one clip" in ugcl("predict", "own", "--transcript", "i hate this", code=2).output
    (tmp_path / "own" / "sad.txt").write_bytes(b"\xff\xfe\x00")
    assert "save it as UTF-8" in ugcl("predict", "own", code=1).error
