"""Runs in step end as they would alone, each by itself; what cannot go in step is trained alone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
import yaml
from safetensors.torch import load_file
from torch import nn

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.config.system.train import Train
from ugcl.data import tables
from ugcl.data.dataset import Batch, ClipDataset
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.training import run as runs
from ugcl.training.packed import together
from ugcl.training.packed.pack import Pack
from ugcl.training.run import train_runs
from ugcl.training.state import resume

SEEDS, FOLDS = [0, 1], [1, 2]
MODELS = {
    "ugcl": {},
    "granular": {
        "encoder": {"positions": "rotary"},
        "method": {
            "granularities": ["frame", "segment", "clip"],
            "assignment": "sparsemax",
            "token_temperature_end": 0.5,
            "contrast": {"kind": "supervised"},
        },
    },
    "concat": {"method": {"name": "concat"}},
    "audio-only": {"method": {"name": "concat"}, "input": {"modalities": ["audio"]}},
    "released": {"method": {"name": "released", "width": 20, "tokens": 16, "layers": 1}},
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two folds with equally many training clips, whose networks draw nothing at random."""

    def make(pack, **train):
        settings = {
            "epochs": 5,
            "patience": 5,
            "modality_dropout": None,
            "ema": {"decay": 0.9},
            "pack": pack,
        } | train
        make_project(tmp_path, **settings)
        monkeypatch.chdir(tmp_path)
        first = tables.read_split(paths.split("made", "intended", 1))
        speaker = first["clip"].str[:2]
        other = first.assign(part=speaker.map({"s0": "dev", "s1": "test"}).fillna("train"))
        tables.write(other, paths.split("made", "intended", 2))
        tree = yaml.safe_load(Path("params.yaml").read_text())
        tree["encoder"] |= {"dropout": 0.0, "input_dropout": 0.0, "frame_mask": 0.0}
        tree["systems"] = MODELS
        tree["benchmarks"]["made"] |= {"systems": list(MODELS), "seeds": SEEDS, "folds_per_job": 2}
        tree["benchmarks"]["made"]["folds"] = FOLDS
        Path("params.yaml").write_text(yaml.safe_dump(tree))
        return config.load()

    return make


def undropped(monkeypatch):
    """Switch off the dropouts of the released network, which no parameter sets."""
    attention = F.scaled_dot_product_attention

    def plain(q, k, v, mask=None, _dropout=0.0, causal=False):
        return attention(q, k, v, mask, 0.0, causal)

    monkeypatch.setattr(F, "scaled_dot_product_attention", plain)
    monkeypatch.setattr(F, "dropout", lambda x, *_: x)


def results(folders):
    """Weights, history and card of each run."""
    return [
        (
            load_file(folder / "model.safetensors"),
            pd.read_csv(folder / "history.csv").drop(columns="seconds"),
            json.loads((folder / "card.json").read_text()),
        )
        for folder in folders
    ]


def taught(weights):
    """The weights without the biases of keys, whose gradient is rounding: softmax does not see them."""
    biases = {name: value.chunk(3)[::2] for name, value in weights.items() if name.endswith("in_proj_bias")}
    return weights | {name: torch.cat(kept) for name, kept in biases.items()}


@pytest.mark.parametrize("system", MODELS)
@pytest.mark.parametrize(
    "train", [{"clip": None}, {"accumulate": 2, "batch": 5, "patience": 1, "lr": 0.005, "clip": 0.1}]
)
def test_runs_in_step_end_as_alone(project, system, train, monkeypatch):
    if system == "released":
        undropped(monkeypatch)
    alone = results(train_runs(project(1, **train), "made", system, SEEDS, FOLDS))
    together = results(train_runs(project(4, **train), "made", system, SEEDS, FOLDS))
    for (weights, history, card), (others, packed_history, packed_card) in zip(alone, together, strict=True):
        torch.testing.assert_close(taught(others), taught(weights), rtol=1e-3, atol=2e-5)
        pd.testing.assert_frame_equal(packed_history, history, rtol=2e-4, atol=2e-5)
        assert packed_card["selected"]["epoch"] == card["selected"]["epoch"]
    if "patience" in train:
        assert len({len(history) for _, history, _ in alone}) > 1, "runs stop at epochs of their own"
    assert not torch.equal(*(weights[next(iter(weights))] for weights, _, _ in alone[:2]))


STOPPED = {"patience": 1, "lr": 0.005}


def test_a_run_that_has_ended_leaves_the_pack(project, monkeypatch):
    sizes, forward = [], Pack.__call__

    def counted(pack, batches):
        sizes.append(len(batches))
        return forward(pack, batches)

    monkeypatch.setattr(Pack, "__call__", counted)
    runs = results(train_runs(project(4, **STOPPED), "made", "ugcl", SEEDS, FOLDS))
    epochs = [len(history) for _, history, _ in runs]
    assert len(set(epochs)) > 1
    steps = len(sizes) // max(epochs)
    assert sizes[::steps] == [sum(length > epoch for length in epochs) for epoch in range(max(epochs))]


@pytest.mark.parametrize("train", [{}, STOPPED])
def test_a_killed_pack_goes_on_to_the_same_bits(project, monkeypatch, train):
    parameters = project(4, save_every=0, **train)
    undisturbed = results(train_runs(parameters, "made", "ugcl", SEEDS, FOLDS))
    last = max(len(history) for _, history, _ in undisturbed)

    class Killed(Exception):
        pass

    epoch, begun = together._epoch, []

    def killed(fabric, pack, members, train, number):
        begun.append((number, len(members)))
        if number == last and begun.count(begun[-1]) == 1:
            raise Killed
        return epoch(fabric, pack, members, train, number)

    monkeypatch.setattr(together, "_epoch", killed)
    with pytest.raises(Killed):
        train_runs(parameters, "made", "ugcl", SEEDS, FOLDS)
    folders = train_runs(parameters, "made", "ugcl", SEEDS, FOLDS)
    assert [number for number, _ in begun] == [*range(1, last + 1), last]
    assert begun[-1] == begun[-2]
    assert bool(train) == (begun[-1][1] < len(folders)), "some had ended when it was killed"
    for (weights, history, _), (others, expected, _) in zip(results(folders), undisturbed, strict=True):
        assert all(torch.equal(weights[name], others[name]) for name in others)
        pd.testing.assert_frame_equal(history, expected, check_exact=True)
    assert not any((folder / resume.FOLDER).exists() for folder in folders)


def test_runs_that_are_out_of_step_go_on_alone(project, monkeypatch):
    parameters = project(2, save_every=0)
    undisturbed = results(train_runs(parameters, "made", "ugcl", [0], FOLDS))

    class Killed(Exception):
        pass

    save, calls = resume.save, []

    def kill(folder, state, key):
        save(folder, state, key)
        calls.append(state.epoch)
        if len(calls) == 3:  # the first run is an epoch ahead
            raise Killed

    monkeypatch.setattr(resume, "save", kill)
    with pytest.raises(Killed):
        train_runs(parameters, "made", "ugcl", [0], FOLDS)
    assert calls == [1, 1, 2]
    monkeypatch.setattr(resume, "save", save)
    for (weights, _, _), (others, _, _) in zip(
        results(train_runs(parameters, "made", "ugcl", [0], FOLDS)), undisturbed, strict=True
    ):
        torch.testing.assert_close(weights, others, rtol=1e-3, atol=2e-5)


def test_folds_of_other_sizes_are_trained_alone(project, monkeypatch):
    parameters = project(2)
    split = tables.read_split(paths.split("made", "intended", 2))
    fewer = split.drop(split.index[split["part"] == "train"][0])
    tables.write(fewer, paths.split("made", "intended", 2))
    monkeypatch.setattr(runs, "fit_together", lambda *a: pytest.fail("they do not fit together"))
    assert len(train_runs(parameters, "made", "concat", [0], FOLDS)) == 2


def test_runs_whose_batches_are_dialogues_cannot_go_in_step(project):
    parameters = project(2, batch=8)
    reads = parameters.input.model_copy(update={"context": "dialogue"})
    parameters = parameters.model_copy(update={"input": reads})
    with pytest.raises(UgclError, match=r"batches of dialogues differ from run to run; set train\.pack 1"):
        train_runs(parameters, "made", "concat", [0], FOLDS)


def test_a_loss_that_is_no_number_names_the_run(project, monkeypatch):
    parameters = project(2)
    read = ClipDataset.features

    def broken(self, modality, index):
        x = read(self, modality, index)
        return x * float("nan") if self.clips[index] == "s0_sad_2" and modality == "audio" else x

    monkeypatch.setattr(ClipDataset, "features", broken)
    monkeypatch.setattr(ClipDataset, "statistics", lambda self: {})
    with pytest.raises(UgclError, match=r"seed 0, fold 1, epoch 1, step .*s0_sad_2 again"):
        train_runs(parameters, "made", "concat", [0], FOLDS)


class Dropped(nn.Module):
    """One weight and a dropout."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, batch):
        return {"logits": self.weight * F.dropout(batch.features["audio"], 0.5, self.training)}


def test_each_run_of_a_pack_has_its_own_dropout():
    here = {"audio": torch.ones(3, dtype=torch.bool)}
    ones = Batch(
        {"audio": torch.ones(3, 5, 10)},
        {"audio": here["audio"].repeat(5, 1).T},
        here,
        here["audio"].long(),
        ["c"] * 3,
        ["s"] * 3,
    )
    first, second = (out["logits"] for out in Pack([Dropped(), Dropped()], Train())([ones, ones]))
    assert set(first.unique().tolist()) == set(second.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(first, second)


def test_a_pack_with_dropout_ends_in_the_same_bits_again(project):
    project(2)
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["encoder"]["dropout"] = 0.5
    parameters = config.parse(tree)
    weights = [
        [weights for weights, _, _ in results(train_runs(parameters, "made", "concat", SEEDS, [1]))]
        for _ in range(2)
    ]
    for first, again in zip(*weights, strict=True):
        assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_lineage_names_the_runs_of_a_pack(project):
    from ugcl.provenance import lineage

    parameters = project(2)
    before = lineage.train(parameters, "made", "ugcl")
    entry = parameters.benchmarks["made"]
    more = entry.model_copy(update={"seeds_per_job": 2})
    changed = parameters.model_copy(update={"benchmarks": {"made": more}})
    assert lineage.train(changed, "made", "ugcl") != before
    plain = project(1)
    shared = plain.model_copy(update={"benchmarks": {"made": more}})
    assert lineage.train(shared, "made", "ugcl") == lineage.train(plain, "made", "ugcl")
