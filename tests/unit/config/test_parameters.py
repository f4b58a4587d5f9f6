"""A fault in params.yaml is one clear line before any job starts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ugcl.config import load, parse, read
from ugcl.config.load import schema_text
from ugcl.config.system.overrides import SECTIONS
from ugcl.errors import UgclError

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def tree(project: Path) -> dict[str, Any]:
    return read(project / "params.yaml")


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
            known = {
                "kind",
                "modality",
                "scheme",
                "adapter",
                "protocols",
                "synthetic",
                "overrides",
                "folds",
                "name",
            }
            assert references or "description" in field or key in known, f"{name}.{key} has no description"


def space(tree: dict[str, Any], key: str, **dimension: Any) -> None:
    tree["tune"]["space"] = {key: dimension}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(activ=["demo"]), ["activ", "unknown key"]),
        (lambda t: t["corpora"]["demo"].update(root="elsewhere"), ["corpora.demo", "root", "drop the key"]),
        (lambda t: t["train"].update(lr="fast"), ["train.lr", "fast"]),
        (lambda t: t["train"].update(lr=-1), ["train.lr", "greater than 0"]),
        (lambda t: t.update(active=["nothing"]), ["active", "nothing", "demo"]),
        (lambda t: t["benchmarks"]["demo"].update(systems=["ugcl", "nobody"]), ["nobody", "choose from"]),
        (lambda t: t["benchmarks"]["demo"].update(folds=[1, 7]), ["fold 7", "1..6"]),
        (lambda t: t["benchmarks"]["demo"].update(reference="nobody"), ["reference", "nobody"]),
        (lambda t: t["benchmarks"]["demo"].update(corpus="crema"), ["benchmarks.demo.corpus", "crema"]),
        (lambda t: t["benchmarks"]["demo"]["features"].update(audio="hog"), ["hog", "is for video"]),
        (
            lambda t: t["benchmarks"]["meld_text"]["features"].update(audio="logmel"),
            ["benchmarks.meld_text.features.audio", "corpora.meld.media is off"],
        ),
        (
            lambda t: (
                t["corpora"]["demo"]["protocols"]["intended"].update(soft="votes_face"),
                t["loss"].update(kind="focal"),
            ),
            ["focal", "soft target", "cross_entropy"],
        ),
        (lambda t: t["systems"]["concat"].update(encoder={"widht": 3}), ["widht", "unknown key"]),
        (lambda t: t["systems"]["concat"]["method"].update(tokens=3), ["tokens", "unknown key"]),
        (lambda t: t["systems"]["concat"]["method"].update(name="concta"), ["method", "concta"]),
        (
            lambda t: t["systems"]["concat"].update(encoder={"width": 50, "heads": 4}),
            ["width 50", "heads 4"],
        ),
        (
            lambda t: t["systems"]["concat"].update(encoder={"width": 12, "heads": 4, "positions": "rotary"}),
            ["rotary", "pairs of columns"],
        ),
        (
            lambda t: t["systems"]["ugcl"].update(input={"modalities": ["audio"]}),
            ["systems.ugcl", "2 or more modalities", "names 1"],
        ),
        (
            lambda t: t["systems"]["ugcl-as-released"].update(input={"modalities": ["audio"]}),
            ["systems.ugcl-as-released", "reads audio and video"],
        ),
        (
            lambda t: t["systems"]["concat"]["method"].update(name="not a module:X"),
            ["method", "module:Class"],
        ),
        (lambda t: t["benchmarks"]["demo"].update(label_noise={"nobody": [0.1]}), ["label_noise", "nobody"]),
        (lambda t: t["benchmarks"]["demo"].update(label_noise={"ugcl": [10]}), ["label_noise.ugcl.0", "10"]),
        (
            lambda t: t["systems"]["ugcl"].update(
                method={"matching": {"queue": 64}}, train={"sam": {"radius": 0.05}}
            ),
            ["systems.ugcl", "twice", "train.sam null"],
        ),
        (
            lambda t: t["systems"]["ugcl"].update(method={"contrast": {"queue": 64}}, train={"devices": 2}),
            ["systems.ugcl", "a queue of its own", "train.devices 1"],
        ),
        (
            lambda t: t["train"].update(sam={"radius": 0.05}, precision="16-mixed"),
            ["train.sam", "bf16-mixed"],
        ),
        (lambda t: t["train"].update(pack=2, sam={"radius": 0.05}), ["train.pack", "train.sam null"]),
        (lambda t: t["train"].update(pack=2, devices=2), ["train.pack", "train.devices 1"]),
        (lambda t: t["train"].update(pack=2, precision="16-mixed"), ["train.pack", "bf16-mixed"]),
        (
            lambda t: t["systems"]["ugcl"].update(method={"matching": {"queue": 64}}, train={"pack": 2}),
            ["systems.ugcl", "in step", "train.pack 1"],
        ),
        (
            lambda t: t["systems"]["ugcl"].update(method={"readers": ["text"]}),
            ["method.readers", "text", "input.modalities"],
        ),
        (lambda t: t["benchmarks"]["demo"]["features"].pop("video"), ["reads video", "features lacks"]),
        (
            lambda t: t["benchmarks"]["demo"].update(grid=["rows"]),
            ["benchmarks.demo.grid", "'rows'", "grids"],
        ),
        (lambda t: t["benchmarks"]["demo"].update(systems=[]), ["benchmarks.demo", "no systems"]),
        (lambda t: t["grids"].update(rows=["ugcl", "ugc"]), ["grids.rows", "'ugc'", "systems"]),
        (lambda t: t["systems"]["concat"].update(extends="ugc"), ["systems.concat.extends", "'ugc'"]),
        (
            lambda t: (
                t["systems"]["concat"].update(extends="ugcl"),
                t["systems"]["ugcl"].update(extends="concat"),
            ),
            ["extends itself", "circle"],
        ),
        (lambda t: space(t, "train.lrr", low=0.1, high=1), ["tune.space.train.lrr", "'lrr'", "lr"]),
        (
            lambda t: space(t, "trian.lr", low=0.1, high=1),
            ["tune.space.trian.lr", "'trian'", "input, encoder, method, loss, train"],
        ),
        (
            lambda t: space(t, "method.weights", low=0.1, high=1),
            ["tune.space.method.weights", "section", "contrast"],
        ),
        (lambda t: space(t, "method.vot", low=0.1, high=1), ["tune.space.method.vot", "'vot'", "vote"]),
        (lambda t: space(t, "train.ema.deacy", choices=[0.5, 0.9]), ["train.ema.deacy", "'deacy'", "decay"]),
        (lambda t: space(t, "train.lr", low=-1, high=1), ["tune.space.train.lr", "-1.0", "greater than 0"]),
        (lambda t: space(t, "train.batch", low=2.5, high=8), ["tune.space.train.batch", "2.5", "integer"]),
        (lambda t: space(t, "train.schedule", choices=["cosine", "step"]), ["train.schedule", "'step'"]),
        (lambda t: space(t, "train.schedule", low=0, high=1), ["train.schedule", "'cosine'", "give choices"]),
        (lambda t: space(t, "train.monitor_test", low=0, high=1), ["train.monitor_test", "give choices"]),
        (lambda t: space(t, "train.lr", low=1, high=0.1), ["tune.space.train.lr", "not below high"]),
        (lambda t: space(t, "train.lr", low=0, high=0.1, log=True), ["tune.space.train.lr", "above 0"]),
        (lambda t: space(t, "train.lr", low=0.1), ["tune.space.train.lr", "low and high, or choices"]),
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
    assert noisy["train"].pop("label_noise") == {"share": 0.3}
    assert clean["train"].pop("label_noise") is None
    assert noisy == clean
    assert config.trained("ravdess") == config.benchmark("ravdess").systems


def test_an_override_leaves_its_siblings(tree: dict) -> None:
    tree["method"]["weights"]["matching"] = 0.4
    run = parse(tree).resolve("demo", "ugcl-no-ugcl")
    assert run.method.weights.contrast == 0
    assert run.method.weights.matching == 0.4


def test_asking_for_an_unknown_name_lists_the_known(project: Path) -> None:
    config = load(project / "params.yaml")
    with pytest.raises(UgclError, match=r"'nope' is not in systems.*ugcl"):
        config.resolve("demo", "nope")
    with pytest.raises(UgclError, match="'nope' is not in benchmarks"):
        config.folds("nope")


def test_a_benchmark_compares_its_systems_and_then_those_of_its_grids(tree: dict) -> None:
    tree["grids"] |= {"a": ["concat", "audio-only"], "b": ["audio-only", "video-only"]}
    tree["benchmarks"]["demo"].update(systems=["ugcl", "concat"], grid=["a", "b"])
    config = parse(tree)
    assert config.benchmark("demo").systems == ["ugcl", "concat", "audio-only", "video-only"]
    del tree["benchmarks"]["demo"]["systems"]
    tree["benchmarks"]["demo"]["reference"] = "concat"
    assert parse(tree).benchmark("demo").systems == ["concat", "audio-only", "video-only"]
    assert parse(config.model_dump()).benchmark("demo").systems == config.benchmark("demo").systems


def test_a_system_changes_the_one_it_extends(tree: dict) -> None:
    tree["systems"]["parent"] = {"train": {"lr": 0.5, "batch": 6}, "method": {"weights": {"matching": 0.3}}}
    tree["systems"]["child"] = {"extends": "parent", "train": {"batch": 4}}
    tree["systems"]["grandchild"] = {"extends": "child", "method": {"weights": {"auxiliary": 0}}}
    run = parse(tree).resolve("demo", "grandchild")
    assert (run.train.lr, run.train.batch) == (0.5, 4)
    assert (run.method.weights.matching, run.method.weights.auxiliary) == (0.3, 0)


def test_every_row_of_the_grids_is_another_system(project: Path) -> None:
    config = load(project / "params.yaml")
    for name, grid in config.grids.items():
        seen: dict[str, str] = {}
        for system in grid.systems:
            run = config.resolve("demo", system)
            settings = "".join(getattr(run, section).model_dump_json() for section in SECTIONS)
            assert settings not in seen, f"{name}: {system} is the same as {seen.get(settings)}"
            seen[settings] = system


def test_every_ablation_of_ugcl_changes_one_thing(project: Path) -> None:
    config = load(project / "params.yaml")
    full = leaves(config.resolve("demo", "ugcl").model_dump())
    for system in config.grids["ablations"].systems:
        if system.startswith("ugcl-"):
            own = leaves(config.resolve("demo", system).model_dump())
            changed = {k for k in full | own if own.get(k) != full.get(k)} - {"system"}
            sections = {key.rsplit(".", 1)[0] for key in changed}
            # Each part of these has a row of its own.
            whole = {"ugcl-neither", "ugcl-no-auxiliary", "ugcl-best"}
            assert len(changed) == 1 or len(sections) == 1 or system in whole


def leaves(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if value is None:  # a block that is off
            continue
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def test_another_method_starts_from_its_own_defaults(tree: dict) -> None:
    tree["method"]["tokens"] = 99
    tree["systems"]["mine"] = {"extends": "ugcl-as-released", "method": {"layers": 2}}
    tree["systems"]["back"] = {"extends": "mine", "method": {"name": "ugcl"}}
    config = parse(tree)
    assert config.resolve("demo", "ugcl").method.tokens == 99
    assert config.resolve("demo", "mine").method.model_dump(include={"name", "tokens", "layers"}) == {
        "name": "released",
        "tokens": 1024,
        "layers": 2,
    }
    assert config.resolve("demo", "back").method.tokens == 128


def test_a_block_of_training_is_turned_off_by_null(tree: dict) -> None:
    tree["systems"]["ugcl"] = {"train": {"ema": None, "modality_dropout": None, "mixup": {"alpha": 0.4}}}
    run = parse(tree).resolve("demo", "ugcl")
    assert run.train.ema is None and run.train.modality_dropout is None
    assert run.train.mixup.alpha == 0.4


def test_a_method_of_the_users_own_needs_no_import_to_be_named(tree: dict) -> None:
    tree["systems"]["mine"] = {"method": {"name": "nowhere.to_be_found:Mine", "depth": 3}}
    method = parse(tree).resolve("demo", "mine").method
    assert (method.module, method.target, method.depth) == (
        "nowhere.to_be_found",
        "nowhere.to_be_found:Mine",
        3,
    )
    tree["systems"]["mine"]["train"] = {"pack": 2}
    tree["benchmarks"]["demo"]["systems"].append("mine")
    with pytest.raises(UgclError, match=r"cannot be trained in step; set train\.pack 1"):
        parse(tree)
