"""A fault in params.yaml is one clear line before any job starts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ugcl.config import load, parse
from ugcl.config.load import schema_text
from ugcl.errors import UgclError

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def tree(project: Path) -> dict[str, Any]:
    return yaml.safe_load((project / "params.yaml").read_text())


def test_the_projects_own_file_is_valid(project: Path) -> None:
    config = load(project / "params.yaml")
    assert config.active == ["demo"]
    assert config.folds("ravdess") == [1, 2, 3, 4, 5, 6]


def test_schema_in_the_repository_is_the_exported_one(project: Path) -> None:
    path = project / "workflow/schemas/params.schema.json"
    assert path.read_text() == schema_text(), "run `ugcl params schema`"


def test_every_field_is_described() -> None:
    schema = json.loads(schema_text())
    for name, definition in schema["$defs"].items():
        if name == "Run":
            continue
        for key, field in definition.get("properties", {}).items():
            references = "$ref" in field or "discriminator" in field
            known = {"kind", "modality", "scheme", "adapter", "protocols", "synthetic", "overrides", "folds"}
            assert references or "description" in field or key in known, f"{name}.{key} has no description"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(activ=["demo"]), ["activ", "unknown key"]),
        (lambda t: t["corpora"]["demo"].update(root="elsewhere"), ["corpora.demo", "root", "drop the key"]),
        (lambda t: t["train"].update(lr="fast"), ["train.lr", "fast"]),
        (lambda t: t["train"].update(lr=-1), ["train.lr", "greater than 0"]),
        (lambda t: t.update(active=["nothing"]), ["active", "nothing", "demo"]),
        (lambda t: t["benchmarks"]["demo"].update(systems=["ugcl", "hicmae"]), ["hicmae", "choose from"]),
        (lambda t: t["benchmarks"]["demo"].update(folds=[1, 7]), ["fold 7", "1..6"]),
        (lambda t: t["benchmarks"]["demo"].update(reference="nobody"), ["reference", "nobody"]),
        (lambda t: t["benchmarks"]["demo"].update(corpus="crema"), ["benchmarks.demo.corpus", "crema"]),
        (lambda t: t["benchmarks"]["demo"]["features"].update(audio="hog"), ["hog", "is for video"]),
        (
            lambda t: (
                t["corpora"]["demo"]["protocols"]["intended"].update(soft="votes_face"),
                t["loss"]["classification"].update(kind="focal"),
            ),
            ["focal", "soft target", "cross_entropy"],
        ),
        (lambda t: t["systems"]["concat"]["model"].update(widht=3), ["widht", "unknown key"]),
        (lambda t: t["benchmarks"]["demo"].update(label_noise={"hicmae": [0.1]}), ["label_noise", "hicmae"]),
        (lambda t: t["benchmarks"]["demo"].update(label_noise={"ugcl": [10]}), ["label_noise.ugcl.0", "10"]),
        (lambda t: t["benchmarks"]["demo"]["features"].pop("video"), ["reads video", "features lacks"]),
    ],
)
def test_a_fault_is_one_line_that_names_its_place(tree: dict, change: Change, words: list[str]) -> None:
    change(tree)
    with pytest.raises(UgclError) as caught:
        parse(tree)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match="not found"):
        load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [1")
    with pytest.raises(UgclError, match="not valid YAML"):
        load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("- a\n")
    with pytest.raises(UgclError, match="mapping"):
        load(tmp_path / "params.yaml")


def test_system_wins_over_benchmark_wins_over_base(tree: dict) -> None:
    tree["train"]["lr"] = 0.001
    tree["benchmarks"]["demo"]["overrides"] = {"train": {"lr": 0.002, "batch": 8}}
    tree["systems"]["concat"] = copy.deepcopy(tree["systems"]["concat"]) | {"train": {"lr": 0.003}}
    config = parse(tree)
    assert config.resolve("demo", "ugcl").train.lr == 0.002
    assert config.resolve("demo", "concat").train.lr == 0.003
    assert config.resolve("demo", "concat").train.batch == 8
    assert config.resolve("ravdess", "ugcl").train.batch == config.train.batch


def test_a_share_of_wrong_labels_is_a_run_of_its_own_that_differs_in_nothing_else(tree: dict) -> None:
    tree["benchmarks"]["demo"]["label_noise"] = {"concat": [0.1, 0.3]}
    config = parse(tree)
    entry = config.benchmark("demo")
    assert config.trained("demo") == [*entry.systems, "concat+labels0.1", "concat+labels0.3"]
    noisy = config.resolve("demo", "concat+labels0.3").model_dump()
    clean = config.resolve("demo", "concat").model_dump()
    assert noisy.pop("system") != clean.pop("system")
    assert noisy["train"].pop("label_noise") == 0.3 and clean["train"].pop("label_noise") == 0
    assert noisy == clean
    assert config.trained("ravdess") == config.benchmark("ravdess").systems


def test_an_override_leaves_its_siblings(tree: dict) -> None:
    tree["loss"]["snd"]["weight"] = 0.4
    run = parse(tree).resolve("demo", "ugcl-no-ugcl")
    assert run.loss.ugcl.weight == 0
    assert run.loss.snd.weight == 0.4


def test_asking_for_an_unknown_name_lists_the_known(project: Path) -> None:
    config = load(project / "params.yaml")
    with pytest.raises(UgclError, match=r"'nope' is not in systems.*ugcl"):
        config.resolve("demo", "nope")
    with pytest.raises(UgclError, match="'nope' is not in benchmarks"):
        config.folds("nope")
