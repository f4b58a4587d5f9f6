"""A run from tables to files: what it writes, that it repeats to the bit, that a kill changes nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from tests.unit.training.made_project import CLASSES, make_project
from ugcl import config
from ugcl.config import Run
from ugcl.data import tables
from ugcl.data.parts import open_fold
from ugcl.data.shards import FeatureStore
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.training import loop
from ugcl.training.run import train_runs
from ugcl.training.selection import classify
from ugcl.training.state import resume
from ugcl.training.state.checkpoint import load_run

FOLDER = Path("results/models/made/ugcl/seed0/fold1")
SCORES = ("selected", "epochs", "parameters", "data", "run", "features", "classes", "seed", "fold")


def results(folder):
    history = pd.read_csv(folder / "history.csv").drop(columns="seconds")
    card = json.loads((folder / "card.json").read_text())
    return (folder / "model.safetensors").read_bytes(), history.to_csv(), {k: card[k] for k in SCORES}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = make_project(tmp_path_factory.mktemp("project"), ema={"decay": 0.9}, epochs=6, save_every=0)
    with contextlib.chdir(root):
        yield root


@pytest.fixture(scope="module")
def undisturbed(project):
    train_runs(config.load(), "made", "ugcl", [0], [1], "abc")
    result = results(FOLDER)
    (project / FOLDER).rename(project / "kept")
    return result


def test_a_run_writes_weights_card_and_history(project, undisturbed):
    card = json.loads((project / "kept" / "card.json").read_text())
    assert sorted(p.name for p in (project / "kept").iterdir()) == [
        "card.json",
        "history.csv",
        "model.safetensors",
    ]
    assert card["lineage"] == "abc" and Run.model_validate(card["run"]).system == "ugcl"
    assert card["clips"] == {"train": 48, "dev": 12, "test": 12}
    assert {"commit", "device", "seconds", "memory_mib", "versions"} <= set(card) and card["threads"] == 1
    assert all(len(value) == 64 for value in card["data"].values()) and len(card["data"]) == 4
    history = pd.read_csv(project / "kept" / "history.csv")
    assert history["epoch"].tolist() == list(range(1, 7))
    assert {"loss", "classification", "contrast", "matching", "auxiliary", "dev_uar", "test_uar"} <= set(
        history
    )


@pytest.mark.parametrize("synthetic", [True, False])
def test_the_card_says_whether_the_clips_are_synthetic(project, synthetic):
    parameters = config.load()
    name = parameters.benchmark("made").corpus
    parameters.corpora[name] = parameters.corpora[name].model_copy(update={"synthetic": synthetic})
    (folder,) = train_runs(parameters, "made", "concat", [0], [1])
    assert json.loads((folder / "card.json").read_text())["synthetic"] is synthetic


def test_the_selected_epoch_is_the_best_on_dev_and_its_weights_are_kept(project, undisturbed):
    history = pd.read_csv(project / "kept" / "history.csv")
    best = history.sort_values(["dev_uar", "dev_loss", "epoch"], ascending=[False, True, True]).iloc[0]
    model, card = load_run(project / "kept")
    assert card.selected.epoch == best["epoch"]
    dev = open_fold(config.load(), Run.model_validate(card.run), 1, ["dev"])["dev"]
    predicted = classify(model, dev.batches(5)).argmax(dim=1)
    recalls = [(predicted[dev.labels == c] == c).float().mean().item() for c in range(3)]
    assert sum(recalls) / 3 == pytest.approx(card.selected.dev_uar, abs=1e-6)


def test_statistics_of_a_checkpoint_are_those_of_the_training_clips(project, undisturbed):
    model, card = load_run(project / "kept")
    store = FeatureStore(paths.features("made", "sound"))
    split = tables.read_split(paths.split("made", "intended", 1))
    frames = torch.cat([store[clip].float() for clip in split.loc[split["part"] == "train", "clip"]])
    torch.testing.assert_close(model.encoders["audio"].standardise.mean[0], frames.mean(dim=0))
    assert card.features["audio"].dim == 6


def test_the_same_run_gives_the_same_bits(project, undisturbed):
    train_runs(config.load(), "made", "ugcl", [0], [1], "abc")
    assert results(FOLDER) == undisturbed
    train_runs(config.load(), "made", "ugcl", [1], [1], "abc")
    assert results(Path("results/models/made/ugcl/seed1/fold1"))[0] != undisturbed[0]


def test_folds_that_share_a_process_end_as_alone(project, undisturbed):
    table = paths.split("made", "intended", 2)
    table.write_bytes(paths.split("made", "intended", 1).read_bytes())
    alone = results(train_runs(config.load(), "made", "ugcl", [0], [2], "abc")[0])
    folders = train_runs(config.load(), "made", "ugcl", [0], [2, 1], "abc")
    assert [results(folder) for folder in folders] == [alone, undisturbed]
    assert alone[0] != undisturbed[0], "the fold decides the first weights"
    assert not any((folder / resume.FOLDER).exists() for folder in folders)
    table.unlink()


SLOWED = """
import sys, time
from ugcl import config
from ugcl.training import run, selection
from ugcl.training.state import resume
if sys.argv[1] == "slow":
    judge = selection.classify
    selection.classify = lambda *a, **k: (time.sleep(0.4), judge(*a, **k))[1]
run.train_runs(config.load(), "made", "ugcl", [0], [1], "abc")
"""


def test_a_killed_run_goes_on_to_the_same_bits(project, undisturbed):
    for name in ("model.safetensors", "card.json", "history.csv"):
        (FOLDER / name).unlink(missing_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", SLOWED, "slow"], env=environment, cwd=project)
    state = FOLDER / resume.FOLDER / resume.FILE
    deadline = time.monotonic() + 60
    done = 0
    while done < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
        if state.is_file():
            done = json.loads(_metadata(state))["epoch"]
    assert process.poll() is None and 2 <= done < 6, "the run ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (FOLDER / "card.json").exists() and state.is_file()
    subprocess.run([sys.executable, "-c", SLOWED, "go on"], env=environment, cwd=project, check=True)
    assert results(FOLDER) == undisturbed
    assert not state.parent.exists()


def _metadata(path):
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return file.metadata()[resume.HEADER]


def test_the_state_of_other_parameters_is_ignored(project, undisturbed, tmp_path):
    state = resume.State(3, {"model": {"x": torch.ones(1)}}, [{"epoch": 3}], {"epoch": 1})
    resume.save(tmp_path, state, "mark")
    again = resume.load(tmp_path, "mark")
    assert again.epoch == 3 and again.best == {"epoch": 1} and again.tensors["model"]["x"].item() == 1
    assert resume.load(tmp_path, "other") is None
    resume.save(FOLDER, state, "of another run")
    train_runs(config.load(), "made", "ugcl", [0], [1], "abc")
    assert results(FOLDER) == undisturbed


def test_a_damaged_state_is_ignored(tmp_path):
    resume.save(tmp_path, resume.State(1, {}, [], {}), "mark")
    path = tmp_path / resume.FOLDER / resume.FILE
    path.write_bytes(path.read_bytes()[:-3] + b"xxx"[:0])
    assert resume.load(tmp_path, "mark") is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none", "ugcl", [0], [1]), "'none' is not in benchmarks"),
        (("made", "none", [0], [1]), "'none' is not in systems"),
        (("made", "ugcl", [0], [9]), "fold 9 does not exist"),
        (("made", "ugcl", [0], [2]), "fold2.csv: not found"),
    ],
)
def test_wrong_names_are_refused_in_one_line(project, arguments, words):
    with pytest.raises(UgclError, match=words) as caught:
        train_runs(config.load(), *arguments)
    assert "\n" not in str(caught.value)


def test_a_gpu_that_is_not_here_is_one_line(project, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["train"]["accelerator"] = "cuda"
    with pytest.raises(
        UgclError, match=r"^train\.accelerator: cuda is not available here; set it to auto or cpu$"
    ):
        train_runs(config.parse(tree), "made", "ugcl", [0], [1])


@pytest.mark.parametrize("damage", ["no card", "no weights", "half weights", "other code"])
def test_a_damaged_checkpoint_is_refused(project, undisturbed, tmp_path, damage):
    for name in ("model.safetensors", "card.json"):
        (tmp_path / name).write_bytes((project / "kept" / name).read_bytes())
    if damage == "no card":
        (tmp_path / "card.json").unlink()
    elif damage == "no weights":
        (tmp_path / "model.safetensors").unlink()
    elif damage == "half weights":
        (tmp_path / "model.safetensors").write_bytes(b"half")
    else:
        card = json.loads((tmp_path / "card.json").read_text())
        card["run"]["encoder"]["width"] = 32
        (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(UgclError):
        load_run(tmp_path)


def test_classes_are_learnt(project, undisturbed):
    _, _, card = undisturbed
    assert card["selected"]["dev_uar"] > 1 / len(CLASSES) + 0.1


def test_wrong_labels_reach_the_training_part_alone_and_the_card_says_so(project, monkeypatch):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["benchmarks"]["made"]["label_noise"] = {"concat": [0.25]}
    noisy = config.parse(tree)
    seen = {}

    def fit(fabric, model, settings, parts, *rest, **named):
        seen.update(parts)
        return loop.fit(fabric, model, settings, parts, *rest, **named)

    monkeypatch.setattr("ugcl.training.run.fit", fit)
    (folder,) = train_runs(noisy, "made", "concat+labels0.25", [0], [1])
    labels = tables.read_manifest(paths.manifest("made")).set_index("clip")["intended"]
    wrong = {
        name: sum(CLASSES[i] != labels[clip] for clip, i in zip(part.clips, part.labels, strict=True))
        for name, part in seen.items()
    }
    assert wrong == {"train": 12, "dev": 0, "test": 0}
    card = json.loads((folder / "card.json").read_text())
    assert folder.parts[-3] == "concat+labels0.25" and card["run"]["train"]["label_noise"] == {"share": 0.25}
