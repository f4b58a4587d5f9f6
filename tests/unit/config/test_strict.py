"""What YAML or pydantic would quietly turn into something else is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ugcl.config import parse, read
from ugcl.errors import UgclError


@pytest.fixture
def tree(project: Path) -> dict[str, Any]:
    """The project's parameters."""
    return read(project / "params.yaml")


def changed(tree: dict[str, Any], text: str) -> dict[str, Any]:
    """The tree with the leaves of a piece of YAML, as a user writes them."""

    def merge(base: Any, changes: Any) -> Any:
        if isinstance(base, dict) and isinstance(changes, dict):
            return base | {key: merge(base.get(key), value) for key, value in changes.items()}
        return changes

    return merge(tree, yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train: {lr: yes}", ["train.lr", "not a number", "True"]),
        ("train: {epochs: yes}", ["train.epochs", "not a number"]),
        ("train: {clip: on}", ["train.clip", "not a number"]),
        ("train: {lr: .inf}", ["train.lr", "finite"]),
        ("train: {lr: .nan}", ["train.lr", "finite"]),
        ("systems: {concat: {train: {lr: yes}}}", ["systems.concat.train.lr", "not a number"]),
        ("systems: {concat: {train: {lr: .inf}}}", ["systems.concat.train.lr", "finite"]),
        ("benchmarks: {demo: {seeds: [no]}}", ["benchmarks.demo.seeds.0", "not a number"]),
        ("benchmarks: {demo: {seeds: [-1]}}", ["benchmarks.demo.seeds.0", "greater than or equal to 0"]),
        ("benchmarks: {demo: {seeds: [0, 0]}}", ["benchmarks.demo.seeds", "0 is listed twice"]),
        ("benchmarks: {demo: {seeds: []}}", ["benchmarks.demo.seeds", "at least 1"]),
        ("report: {notebooks: [01_data, 01_data]}", ["report.notebooks", "'01_data' is listed twice"]),
        ("evaluate: {robustness: [noise:0, noise:0]}", ["evaluate.robustness", "'noise:0' is listed twice"]),
        ("benchmarks: {demo: {folds: [1, 1]}}", ["benchmarks.demo.folds", "1 is listed twice"]),
        ("benchmarks: {demo: {folds: [yes]}}", ["benchmarks.demo.folds.0", "not a number"]),
        ("benchmarks: {demo: {folds: []}}", ["benchmarks.demo.folds", "at least 1"]),
        ("benchmarks: {demo: {systems: [ugcl, concat, ugcl]}}", ["demo.systems", "'ugcl' is listed twice"]),
        ("benchmarks: {demo: {grid: [tuned, tuned]}}", ["benchmarks.demo.grid", "'tuned' is listed twice"]),
        ("benchmarks: {demo: {label_noise: {ugcl: [yes]}}}", ["label_noise.ugcl.0", "not a number"]),
        (
            "benchmarks: {demo: {label_noise: {ugcl: [0.1, 0.1]}}}",
            ["label_noise.ugcl", "0.1 is listed twice"],
        ),
        (
            "benchmarks: {demo: {overrides: {train: {lr: yes}}}}",
            ["benchmarks.demo", "train.lr", "not a number"],
        ),
        ("active: [demo, demo]", ["active", "'demo' is listed twice"]),
        ("tune: {folds: [1, 1]}", ["tune.folds", "1 is listed twice"]),
        ("tune: {space: {train.lr: {low: no, high: 1}}}", ["tune.space.train.lr.low", "not a number"]),
        ("encoders: {logmel: {pool: yes}}", ["encoders.logmel", "pool", "not a number"]),
        ("evaluate: {bootstrap: true}", ["evaluate.bootstrap", "not a number"]),
        ("data: {max_quarantined: .inf}", ["data.max_quarantined", "finite"]),
        (
            "corpora: {demo: {protocols: {intended: {folds: {folds: yes}}}}}",
            ["folds: a truth value"],
        ),
    ],
)
def test_a_value_that_is_not_what_it_looks_like(tree: dict, text: str, words: list[str]) -> None:
    with pytest.raises(UgclError) as caught:
        parse(changed(tree, text))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_numbers_and_switches_are_accepted_as_they_are_written(tree: dict) -> None:
    config = parse(changed(tree, "train: {lr: 1e-3, batch: 64, refit: yes, clip: null}"))
    assert (config.train.lr, config.train.batch, config.train.refit) == (0.001, 64, True)
    assert config.train.clip is None
    space = parse(changed(tree, "tune: {space: {train.refit: {choices: [yes, no]}}}")).tune.space
    assert space["train.refit"].choices == [True, False]


@pytest.mark.parametrize(
    "name", ["x$(touch pwned)", "local/logmel", "../x", "-x", ".x", "a b", "", "a;b", "a\n"]
)
@pytest.mark.parametrize("section", ["systems", "benchmarks", "corpora", "encoders", "grids", "protocols"])
def test_a_name_that_could_not_be_a_file_or_a_word_of_the_shell(tree: dict, section: str, name: str) -> None:
    entries = tree["corpora"]["demo"]["protocols"] if section == "protocols" else tree[section]
    entries[name] = next(iter(entries.values()))
    with pytest.raises(UgclError) as caught:
        parse(tree)
    message = str(caught.value)
    assert f"{section}" in message
    assert f"{name!r} is not a name" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "name", ["chance", "majority", "script", "raters: face", "raters:face", "one rater:x"]
)
def test_a_system_named_like_a_reference_row(tree: dict, name: str) -> None:
    tree["systems"][name] = {}
    with pytest.raises(UgclError, match=rf"systems: {name!r} is (a reference row|not a name)"):
        parse(tree)


def test_a_system_named_like_one_with_wrong_labels(tree: dict) -> None:
    tree["systems"]["ugcl+labels0.1"] = {}
    parse(tree)
    tree["benchmarks"]["demo"]["label_noise"] = {"ugcl": [0.1]}
    with pytest.raises(UgclError, match=r"benchmarks.demo.label_noise: 'ugcl\+labels0.1' is a system too"):
        parse(tree)


def test_a_system_that_no_benchmark_trains_is_checked_too(tree: dict[str, Any]) -> None:
    tree["systems"]["unused"] = {"encoder": {"widht": 3}}
    with pytest.raises(UgclError, match=r"systems.unused.encoder.widht: unknown key"):
        parse(tree)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method: {tokenz: 3}", "method.tokenz: unknown key"),
        ("method: {contrast: {queue: yes}}", "method.contrast.queue: a truth value"),
        ("systems: {mine: {method: {tokens: many}}}", "systems.mine.method.tokens: "),
        ("systems: {mine: {method: {name: concat, tokens: 3}}}", "systems.mine.method.tokens: unknown key"),
        ("method: {name: 'a b:C'}", "method.name: is not module:Class"),
        ("benchmarks: {demo: {overrides: {method: {tokenz: 3}}}}", "system ugcl: method.tokenz: unknown key"),
        ("encoders: {logmel: {pool: yes}}", "encoders.logmel.pool: a truth value"),
        ("encoders: {logmel: {logmel: 3}}", "encoders.logmel.logmel: unknown key"),
        ("faces: {every: yes}", "faces.every: a truth value"),
        ("corpora: {demo: {protocolz: {}}}", "corpora.demo.protocolz: unknown key"),
        (
            "corpora: {demo: {protocols: {intended: {folds: {folds: yes}}}}}",
            "corpora.demo.protocols.intended.folds.folds: a truth value",
        ),
    ],
)
def test_the_place_of_a_fault_has_the_keys_of_the_file_alone(tree: dict, text: str, message: str) -> None:
    with pytest.raises(UgclError) as caught:
        parse(changed(tree, text))
    assert re.fullmatch(rf"params.yaml: (benchmarks.demo: )?{re.escape(message)}.*", str(caught.value))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("method: {name: ugc}", ["method: 'ugc' does not exist", "'ugcl', 'concat'", "'module:Class'"]),
        ("method: concat", ["method: 'concat' is not a section", "give its keys"]),
        ("systems: {mine: {method: {name: foreign}}}", ["systems.mine.method: 'foreign' does not exist"]),
        ("systems: {mine: {train: {ema: 0.9}}}", ["systems.mine.train.ema: 0.9 is not a section", "keys"]),
        ("encoders: {mine: {kind: loglem}}", ["encoders.mine: 'loglem' does not exist", "'logmel'"]),
        ("encoders: {mine: {pool: 4}}", ["encoders.mine: 'kind' is missing; add it"]),
        ("faces: {detector: mtcn}", ["faces: 'mtcn' does not exist", "'mtcnn', 'yunet'"]),
    ],
)
def test_a_section_of_a_kind_that_does_not_exist(tree: dict, text: str, words: list[str]) -> None:
    with pytest.raises(UgclError) as caught:
        parse(changed(tree, text))
    message = str(caught.value)
    assert "\n" not in message and "_which" not in message and "_detector" not in message
    for word in words:
        assert word in message, message
