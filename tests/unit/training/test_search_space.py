"""The space of a search: blocks that are turned off, and settings that a method lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.unit.training.made_search import change, make_search, synthetic, trials
from ugcl import config
from ugcl.cli.main import app
from ugcl.config.tune import own_value, setting
from ugcl.plan import paths
from ugcl.reports import studies
from ugcl.training.search import tuning

LR = {"train.lr": {"low": 1e-4, "high": 0.1, "log": True}}


@pytest.fixture
def project(tmp_path, monkeypatch):
    return make_search(tmp_path, monkeypatch)


def searched(monkeypatch, space, count, system="concat", curve=lambda train: 0.5):
    """Search a space; returns the study and what each trial trained with."""
    change(tune={"space": space, "folds": [1]})
    seen = []
    synthetic(monkeypatch, lambda train, fold: (seen.append(train), curve(train))[1], epochs=1)
    return tuning.tune(config.load(), "made", system, count), seen


def test_a_setting_as_a_tree_and_back():
    assert setting("train.ema.decay", 0.9) == {"train": {"ema": {"decay": 0.9}}}
    assert setting("train.ema.decay", None) == {"train": {"ema": None}}
    assert setting("train.clip", None) == {"train": {"clip": None}}, "not a block, but may be null itself"
    tree = {"train": {"ema": None, "lr": 0.1, "mixup": {"alpha": 0.4}}}
    assert own_value(tree, "train.mixup.alpha") == 0.4
    assert own_value(tree, "train.ema.decay") is None
    for key in ("train.rate", "train.lr.peak", "method.tokens"):
        with pytest.raises(KeyError):
            own_value(tree, key)


def test_a_null_choice_turns_the_block_off(project, monkeypatch):
    space = LR | {"train.mixup.alpha": {"choices": [None, 0.2, 0.4]}}
    study, seen = searched(monkeypatch, space, 12, curve=lambda train: 0.9 if train.mixup is None else 0.4)
    assert seen[0].mixup is None, "as the system is"
    assert {train.mixup and train.mixup.alpha for train in seen} == {None, 0.2, 0.4}
    best = tuning.found(study, "concat")
    assert best["train"]["mixup"] is None and set(best["train"]) == {"mixup", "lr"}
    change(systems={"concat-tuned": {"extends": "concat"} | best})
    assert config.load().resolve("made", "concat-tuned").train.mixup is None


def test_a_block_that_one_of_its_parameters_turns_off_stays_off(project, monkeypatch):
    masks = {
        "train.spec_augment.time_masks": {"choices": [None, 2]},
        "train.spec_augment.feature_masks": {"choices": [1, 3]},
    }
    for space in (masks, dict(reversed(masks.items()))):
        for path in paths.STUDIES.rglob("concat*"):
            path.unlink()
        study, seen = searched(
            monkeypatch, space, 10, curve=lambda train: 0.9 - 0.1 * bool(train.spec_augment)
        )
        table = trials()
        for train, masked in zip(seen, table["train.spec_augment.time_masks"].notna(), strict=True):
            assert bool(train.spec_augment) == masked
        assert any(train.spec_augment for train in seen) and not all(train.spec_augment for train in seen)
        assert tuning.found(study, "concat")["train"] == {"spec_augment": None}


def test_a_parameter_that_may_be_null_itself_can_be_searched(project, monkeypatch):
    change(method={"token_temperature_end": None})
    space = {
        "train.clip": {"choices": [None, 1.0]},
        "method.token_temperature_end": {"choices": [None, 0.1, 0.2]},
    }
    _, seen = searched(monkeypatch, space, 8, "ugcl")
    assert {train.clip for train in seen} == {None, 1.0}


def test_whole_numbers_stay_whole_in_a_block_that_is_off(project, monkeypatch):
    space = {"train.spec_augment.time_masks": {"low": 1, "high": 9}}
    _, seen = searched(monkeypatch, space, 6)
    assert len({train.spec_augment.time_masks for train in seen}) > 1
    assert all(isinstance(train.spec_augment.time_masks, int) for train in seen)


def test_settings_that_a_method_lacks_are_left_out_of_its_search(project, monkeypatch):
    space = LR | {"method.tokens": {"low": 8, "high": 64}, "method.weights.contrast": {"low": 0.1, "high": 1}}
    study, _ = searched(monkeypatch, space, 3, "concat")
    assert set(study.best_params) == {"train.lr"} and list(trials())[5:] == ["train.lr"]
    study, _ = searched(monkeypatch, space, 3, "ugcl")
    assert list(trials("ugcl"))[5:] == list(space)
    assert set(tuning.found(study, "ugcl")["method"]) == {"tokens", "weights"}
    assert trials("ugcl")["method.tokens"][0] == 16, "its own"
    tree = config.load().resolve("made", "concat").model_dump()
    assert list(tuning.space(config.load(), tree)) == ["train.lr"]


def test_what_was_turned_off_is_shown_and_printed(project, monkeypatch):
    change(tune={"space": LR | {"train.mixup.alpha": {"choices": [None, 0.2]}}})
    synthetic(monkeypatch, lambda train, fold: 0.4 + 0.5 * (train.mixup is None), epochs=1)
    done = CliRunner().invoke(app, ["tune", "made", "concat", "--trials", "8"], catch_exceptions=False)
    assert done.exit_code == 0
    assert yaml.safe_load(done.stdout)["systems"]["concat-tuned"]["train"]["mixup"] is None
    text = Path(paths.study_table("made", "concat", "trials")).read_text()
    assert ",null" in text and ",0.2" in text
    table = studies.read("made", "concat", "trials")
    assert studies.best(table)["train.mixup.alpha"][0] == "null"
    _, mixup = (axes for axes in studies.slices(table).axes if axes.get_visible())
    assert [text.get_text() for text in mixup.get_xticklabels()] == ["0.2", "null"]


def test_what_is_kept_is_for_its_benchmark_and_system(project, monkeypatch):
    """`--keep` writes what the benchmark then reads; a search starts from the settings without it."""
    space = LR | {"loss.weight": {"low": 0.1, "high": 5, "log": True}}
    change(tune={"space": {"train.batch": {"low": 8, "high": 24}}}, searches={"light": {"space": space}})
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["benchmarks"]["made"]["search"] = "light"
    tree["benchmarks"]["other"] = tree["benchmarks"]["made"] | {"search": None}
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    seen = synthetic(monkeypatch, lambda train, fold: 1 - abs(train.lr - 0.05), epochs=1)
    command = ["tune", "made", "concat", "audio-only", "--trials", "12", "--keep"]
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    kept = yaml.safe_load(Path("params/tuned.yaml").read_text())["tuned"]["made"]
    assert kept.keys() == {"concat", "audio-only"} and kept["concat"].keys() == {"train", "loss"}
    found = config.load()
    own = found.resolve("other", "concat")
    assert found.resolve("made", "concat").train.lr == kept["concat"]["train"]["lr"] != own.train.lr
    assert found.resolve("made", "concat").loss.weight == kept["concat"]["loss"]["weight"]
    assert found.resolve("made", "ugcl").train == found.resolve("other", "ugcl").train
    done = len(seen)
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert len(seen) == done, "the studies are the same ones, with all their trials"
