"""`train.refit`: the kept network learnt from dev clips too, and what dev says of it stays honest."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.data import tables
from ugcl.data.shards import FeatureStore
from ugcl.evaluation.networks.predict import predict
from ugcl.inference.temperature import COLUMNS
from ugcl.plan import paths
from ugcl.plan.evaluation import prediction, temperature
from ugcl.training import selection
from ugcl.training.run import train_runs
from ugcl.training.state import resume
from ugcl.training.state.checkpoint import load_run


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """`concat` as it is, and `refitted`, the same trained once more with the dev clips."""
    root = make_project(tmp_path_factory.mktemp("project"), ema={"decay": 0.9}, epochs=6, save_every=0)
    tree = yaml.safe_load((root / "params.yaml").read_text())
    tree["systems"]["refitted"] = {"extends": "concat", "train": {"refit": True}}
    tree["benchmarks"]["made"] |= {"systems": ["concat", "refitted"], "reference": "concat", "folds": [1]}
    (root / "params.yaml").write_text(yaml.safe_dump(tree))
    with contextlib.chdir(root):
        yield root


def trained(parameters, system, seed=0):
    (folder,) = train_runs(parameters, "made", system, [seed], [1])
    return folder


@pytest.fixture(scope="module")
def folders(project):
    return {system: trained(config.load(), system) for system in ("concat", "refitted")}


def card(folder):
    return json.loads((folder / "card.json").read_text())


def clips(*parts):
    split = tables.read_split(paths.split("made", "intended", 1))
    return split.loc[split["part"].isin(parts), "clip"].tolist()


def test_no_test_clip_is_learnt_from_and_every_dev_clip_is(project, monkeypatch):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["train"]["monitor_test"] = False
    read = set()
    get = FeatureStore.__getitem__
    monkeypatch.setattr(FeatureStore, "__getitem__", lambda self, clip: (read.add(clip), get(self, clip))[1])
    folder = trained(config.parse(tree), "refitted", 1)
    assert read == set(clips("train", "dev")) and read.isdisjoint(clips("test"))
    model, _ = load_run(folder)
    store = FeatureStore(paths.features("made", "sound"))
    frames = torch.cat([store[clip].float() for clip in clips("train", "dev")])
    torch.testing.assert_close(model.encoders["audio"].standardise.mean[0], frames.mean(dim=0))


def test_the_epoch_is_chosen_before_and_its_network_is_kept_beside(folders):
    assert card(folders["refitted"])["selected"] == card(folders["concat"])["selected"]
    curves = [pd.read_csv(folder / "history.csv").drop(columns="seconds") for folder in folders.values()]
    pd.testing.assert_frame_equal(*curves)
    chosen, _ = load_run(folders["concat"])
    judged, _ = load_run(folders["refitted"], unseen="dev")
    kept, _ = load_run(folders["refitted"])
    for name, value in chosen.state_dict().items():
        assert torch.equal(judged.state_dict()[name], value)
    assert not torch.equal(kept.encoders["audio"].standardise.mean, chosen.encoders["audio"].standardise.mean)
    same, _ = load_run(folders["concat"], unseen="dev")
    assert all(torch.equal(same.state_dict()[name], value) for name, value in chosen.state_dict().items())


def test_the_second_training_lasts_as_long_as_dev_chose(project, folders, monkeypatch):
    seen = []
    monkeypatch.setattr(selection, "log_epoch", lambda state, *_: seen.append(state.epoch))
    folder = trained(config.load(), "refitted")
    chosen, epochs = card(folder)["selected"]["epoch"], card(folder)["epochs"]
    assert seen == [*range(1, epochs + 1), *range(1, chosen + 1)]
    assert card(folder)["refit"] == {"clips": len(clips("train", "dev")), "epochs": chosen}


def test_temperatures_are_of_the_network_that_did_not_learn_dev(folders):
    tables_of = {}
    for system in folders:
        predict(config.load(), "made", system)
        tables_of[system] = pd.read_csv(temperature("made", system))[list(COLUMNS)]
    pd.testing.assert_frame_equal(*tables_of.values())
    p = {system: pd.read_csv(prediction("made", system, 0, 1)).set_index("clip") for system in folders}
    assert sorted(p["refitted"].index) == sorted(clips("test"))
    assert (p["refitted"]["p_angry"] - p["concat"]["p_angry"]).abs().max() > 1e-3


def test_runs_in_step_are_refitted_each_for_its_own_epochs(project):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["train"]["pack"] = 2
    runs = train_runs(config.parse(tree), "made", "refitted", [2, 3], [1])
    for folder in runs:
        said = card(folder)
        assert said["refit"] == {"clips": len(clips("train", "dev")), "epochs": said["selected"]["epoch"]}
        networks = (load_run(folder, unseen=part)[0] for part in ("test", "dev"))
        kept, judged = (network.encoders["audio"].standardise for network in networks)
        assert not torch.equal(kept.mean, judged.mean)
    first, second = (load_run(folder)[0].state_dict() for folder in runs)
    assert any(not torch.equal(first[name], second[name]) for name in first)


class Killed(BaseException):
    """Nothing in the project may catch it."""


@pytest.mark.parametrize("epochs", [2, 7], ids=["before the choice", "after it"])
def test_a_killed_run_goes_on_to_the_same_bits(project, folders, monkeypatch, epochs):
    weights = (folders["refitted"] / "model.safetensors").read_bytes()
    chosen = card(folders["refitted"])["selected"]
    assert chosen["epoch"] > 1 and card(folders["refitted"])["epochs"] == 6, "the second kill is in the refit"
    (folders["refitted"] / "card.json").unlink()
    saved = []
    save = resume.save

    def killed(*arguments):
        save(*arguments)
        saved.append(arguments)
        if len(saved) == epochs:
            raise Killed

    monkeypatch.setattr(resume, "save", killed)
    with pytest.raises(Killed):
        trained(config.load(), "refitted")
    monkeypatch.setattr(resume, "save", save)
    folder = trained(config.load(), "refitted")
    assert (folder / "model.safetensors").read_bytes() == weights
    assert card(folder)["selected"] == chosen and not (folder / resume.FOLDER).exists()
