"""A lineage changes when a parameter or a line of code that matters changes, and only then."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from ugcl.config import Config, parse, read
from ugcl.config.methods import METHODS
from ugcl.config.system.train import Ema, Train
from ugcl.provenance import code, lineage


@pytest.fixture
def tree(project: Path) -> dict[str, Any]:
    return read(project / "params.yaml")


def changed(tree: dict[str, Any], path: str, value: Any) -> tuple[Config, Config]:
    before = parse(tree)
    *parents, key = path.split(".")
    branch = tree
    for parent in parents:
        branch = branch.setdefault(parent, {})
    branch[key] = value
    return before, parse(tree)


@pytest.mark.parametrize(
    ("path", "value", "same", "different"),
    [
        ("train.lr", 0.5, ["quarantine"], ["train", "score"]),
        ("encoders.logmel.bands", 40, ["splits"], ["quarantine", "train", "score"]),
        ("faces.every", 9, ["splits"], ["quarantine", "train"]),
        ("corpora.demo.seed", 1, [], ["splits", "quarantine", "train"]),
        ("corpora.demo.protocols.intended.folds.folds", 4, [], ["splits", "train"]),
        ("corpora.demo.protocols.intended.primary", "war", ["splits", "quarantine"], ["train", "score"]),
        ("corpora.demo.protocols.intended.primary", "uar", ["splits", "quarantine", "train", "score"], []),
        (
            "corpora.demo.protocols.intended.intervals",
            "dialogue",
            ["splits", "quarantine", "train"],
            ["score"],
        ),
        ("evaluate.bootstrap", 500, ["splits", "quarantine", "train"], ["score"]),
        ("data.mirror", "elsewhere", ["splits", "quarantine", "train", "score"], []),
        ("report.title", "Other", ["train", "score"], []),
        ("encoders.whisper-tiny-en.pool", 9, ["quarantine", "train", "score"], []),
        ("systems.concat.train", {"lr": 0.5}, ["quarantine", "train", "score"], []),
    ],
)
def test_a_parameter_reaches_the_stages_downstream_of_it_only(
    tree: dict, path: str, value: Any, same: list[str], different: list[str]
) -> None:
    before, after = changed(tree, path, value)
    arguments = {
        "splits": ("demo", "intended"),
        "quarantine": ("demo",),
        "train": ("demo", "ugcl"),
        "score": ("demo", "ugcl"),
    }
    for stage in same:
        assert getattr(lineage, stage)(before, *arguments[stage]) == getattr(lineage, stage)(
            after, *arguments[stage]
        ), f"{path} must not reach {stage}"
    for stage in different:
        assert getattr(lineage, stage)(before, *arguments[stage]) != getattr(lineage, stage)(
            after, *arguments[stage]
        ), f"{path} must reach {stage}"


@pytest.mark.parametrize(
    ("path", "value", "same", "different"),
    [
        ("evaluate.robustness", ["noise:5"], ["score", "cost", "represent"], ["perturb", "robustness"]),
        ("evaluate.robustness", ["drop:random"], ["score"], ["perturb", "robustness"]),
        ("evaluate.bootstrap", 500, ["perturb", "cost", "represent"], ["robustness"]),
        (
            "corpora.demo.protocols.intended.intervals",
            "dialogue",
            ["perturb", "cost"],
            ["robustness", "score"],
        ),
        ("systems.concat.train", {"lr": 0.5}, ["perturb", "represent"], ["robustness", "cost"]),
        ("encoders.logmel.bands", 40, [], ["perturb", "robustness", "cost", "represent"]),
        ("evaluate.seed", 7, ["cost"], ["perturb", "robustness", "represent"]),
        ("benchmarks.demo.label_noise", {"ugcl": [0.1]}, ["perturb", "cost", "represent"], ["robustness"]),
        ("benchmarks.demo.planned", ["concat"], ["perturb", "robustness", "cost", "represent", "score"], []),
    ],
)
def test_a_parameter_reaches_the_examinations_that_read_it(
    tree: dict, path: str, value: Any, same: list[str], different: list[str]
) -> None:
    before, after = changed(tree, path, value)
    for stage in (*same, *different):
        arguments = ("demo", "ugcl") if stage == "score" else ("demo",)
        equal = getattr(lineage, stage)(before, *arguments) == getattr(lineage, stage)(after, *arguments)
        assert equal == (stage in same), f"{path}: {stage}"
    assert lineage.tables(before, "demo") != lineage.tables(after, "demo")


@pytest.mark.parametrize(
    ("path", "value"), [("benchmarks.demo.planned", ["concat"]), ("corpora.demo.synthetic", False)]
)
def test_what_only_tables_print_reaches_the_tables_of_that_benchmark(
    tree: dict, path: str, value: Any
) -> None:
    before, after = changed(tree, path, value)
    assert lineage.score(before, "demo", "ugcl") == lineage.score(after, "demo", "ugcl")
    assert lineage.tables(before, "demo") != lineage.tables(after, "demo")
    assert lineage.tables(before, "ravdess") == lineage.tables(after, "ravdess")
    assert lineage.report(before) != lineage.report(after)


def test_an_override_of_one_system_leaves_the_others(tree: dict) -> None:
    before, after = changed(tree, "systems.concat.train", {"lr": 0.5})
    assert lineage.train(before, "demo", "ugcl") == lineage.train(after, "demo", "ugcl")
    assert lineage.train(before, "demo", "concat") != lineage.train(after, "demo", "concat")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package whose files a test may change."""
    copy = tmp_path / "ugcl"
    shutil.copytree(code.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    monkeypatch.setattr(code, "PACKAGE", copy)
    clear()
    yield copy
    monkeypatch.undo()
    clear()


def clear() -> None:
    for cached in (code._file, code._imports, code._read, lineage._code):
        cached.cache_clear()


def edit(path: Path, change: str) -> None:
    path.write_text(path.read_text() + change)
    clear()


def test_comments_docstrings_and_formatting_do_not_count(package: Path) -> None:
    before = code.code_hash(["ugcl.data.splits.build"])
    path = package / "data/splits/leaks.py"
    text = path.read_text().replace("SHOWN = 8", "SHOWN   =   8  # a comment")
    path.write_text(text.replace('"""What the parts of a split share', '"""Another docstring'))
    clear()
    assert code.code_hash(["ugcl.data.splits.build"]) == before


@pytest.fixture
def place(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's caches lie."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    code._shelf.cache_clear()
    yield tmp_path / "caches"
    code._shelf.cache_clear()


def test_a_file_is_parsed_once_until_it_changes(
    package: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = code.code_hash(["ugcl.data.splits.build"])
    parsed = []
    parse = code._parse
    monkeypatch.setattr(code, "_parse", lambda source: (parsed.append(source), parse(source))[1])
    clear()
    assert code.code_hash(["ugcl.data.splits.build"]) == before
    assert not parsed
    edit(package / "data/splits/leaks.py", "\nADDED = 1\n")
    assert code.code_hash(["ugcl.data.splits.build"]) != before
    assert len(parsed) == 1


def test_without_a_place_for_caches_the_hash_is_the_same(package: Path, place: Path) -> None:
    place.write_text("not a folder")
    lonely = code.code_hash(["ugcl.data.splits.build"])
    place.unlink()
    clear()
    code._shelf.cache_clear()
    assert code.code_hash(["ugcl.data.splits.build"]) == lonely
    assert place.is_dir()


def test_a_changed_statement_counts_also_in_an_imported_module(package: Path) -> None:
    before = code.code_hash(["ugcl.data.splits.build"])
    edit(package / "data/tables.py", "\nADDED = 1\n")
    assert code.code_hash(["ugcl.data.splits.build"]) != before


def test_a_module_that_is_not_imported_does_not_count(package: Path) -> None:
    before = code.code_hash(["ugcl.data.splits.build"])
    edit(package / "data/sources.py", "\nADDED = 1\n")
    edit(package / "errors.py", "\nADDED = 1\n")
    assert code.code_hash(["ugcl.data.splits.build"]) == before


SYSTEMS = ("ugcl", "concat", "audio-only", "ugcl-as-released", "ugcl-batch-2")


def lineages(config: Config) -> dict[str, str]:
    """The training lineages of some systems by the code as it is now."""
    clear()
    return {name: lineage.train(config, "demo", name) for name in SYSTEMS}


@pytest.mark.parametrize(
    ("path", "change", "stale"),
    [
        ("methods/newcomer.py", "ADDED = 1\n", []),
        ("losses/newcomer.py", "ADDED = 1\n", []),
        ("config/methods/newcomer.py", "ADDED = 1\n", []),
        ("methods/build.py", "\nADDED = 1\n", []),
        ("config/system/train.py", "\nADDED = 1\n", []),
        ("training/packed/pack.py", "\nADDED = 1\n", ["ugcl-as-released", "ugcl-batch-2"]),
        ("training/search/tuning.py", "\nADDED = 1\n", []),
        ("losses/matching.py", "\nADDED = 1\n", ["ugcl", "ugcl-as-released", "ugcl-batch-2"]),
        ("models/tokens.py", "\nADDED = 1\n", ["ugcl", "ugcl-as-released", "ugcl-batch-2"]),
        ("models/crossmodal.py", "\nADDED = 1\n", ["ugcl-as-released"]),
        ("methods/ugcl.py", "\nADDED = 1\n", ["ugcl", "ugcl-batch-2"]),
        ("losses/classification.py", "\nADDED = 1\n", list(SYSTEMS)),
        ("training/loop.py", "\nADDED = 1\n", list(SYSTEMS)),
    ],
)
def test_a_change_of_code_makes_stale_what_uses_it(
    package: Path, tree: dict, path: str, change: str, stale: list[str]
) -> None:
    config = parse(tree)
    before = lineages(config)
    file = package / path
    file.write_text((file.read_text() if file.exists() else "") + change)
    after = lineages(config)
    assert [name for name in SYSTEMS if before[name] != after[name]] == stale


def test_a_new_option_that_is_off_makes_nothing_stale(tree: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new block of `train` that is null, or a new method's settings, leave the settings of others."""
    config = parse(tree)
    before = lineages(config)

    class More(Train):
        cosine_restarts: Ema | None = None

    runs = {name: config.resolve("demo", name) for name in SYSTEMS}
    more = {
        name: run.model_copy(update={"train": More(**run.train.model_dump())}) for name, run in runs.items()
    }
    monkeypatch.setattr(Config, "resolve", lambda self, benchmark, system: more[system])
    assert lineages(config) == before
    default = {name: run.model_copy(update={"train": Train(epochs=99)}) for name, run in runs.items()}
    monkeypatch.setattr(Config, "resolve", lambda self, benchmark, system: default[system])
    assert not set(lineages(config).values()) & set(before.values()), "a changed default counts"


def test_a_users_own_method_and_what_it_imports_count(
    tree: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("")
    (tmp_path / "mine" / "net.py").write_text("from mine.layers import Layer\nclass Mine: pass\n")
    (tmp_path / "mine" / "layers.py").write_text("class Layer: pass\n")
    monkeypatch.chdir(tmp_path)
    tree["systems"]["mine"] = {"method": {"name": "mine.net:Mine"}}
    config = parse(tree)

    def now() -> str:
        clear()
        return lineage.train(config, "demo", "mine")

    before = now()
    edit(tmp_path / "mine" / "layers.py", "ADDED = 1\n")
    between = now()
    edit(tmp_path / "mine" / "net.py", "ADDED = 1\n")
    assert len({before, between, now()}) == 3
    edit(tmp_path / "mine" / "net.py", "# a comment\n")
    assert len({before, between, now()}) == 3


def test_every_method_and_encoder_kind_has_its_module(tree: dict) -> None:
    tree["benchmarks"]["demo"]["features"]["text"] = "ngrams"
    config = parse(tree)
    for settings in METHODS.values():
        assert code.module_exists(settings().module)
    for entry in config.encoders.values():
        assert lineage.entry_module("encoder", entry.kind)
    with pytest.raises(ModuleNotFoundError, match=r"no module nothing\.py"):
        lineage.entry_module("encoder", "nothing")


def test_a_template_counts_by_its_name_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    page = tmp_path / "deep" / "page.j2"
    page.write_text("a")
    before = code.files_hash(tmp_path)
    assert code.files_hash(tmp_path) == before
    page.write_text("b")
    changed = code.files_hash(tmp_path)
    page.rename(tmp_path / "deep" / "other.j2")
    assert len({before, changed, code.files_hash(tmp_path)}) == 3


def test_a_text_of_faces_and_voices_depends_on_the_code_of_its_reader_and_its_table(
    tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[list[str]] = []
    made = lineage._lineage

    def watched(stage: str, modules: list[str], *rest: Any) -> str:
        used.append(modules)
        return made(stage, modules, *rest)

    monkeypatch.setattr(lineage, "_lineage", watched)
    config = parse(tree)
    lineage.features(config, "ravdess", "textual-au-prosody")
    places = ("language.textual", "language.tokens", "table")
    assert used[-1][1:] == [f"ugcl.features.encoders.{place}" for place in places]
    lineage.features(config, "meld", "minilm-tokens")
    assert used[-1][1:] == ["ugcl.features.encoders.language.tokens"]


def test_a_trained_network_is_part_of_its_own_systems_alone(tree: dict[str, Any]) -> None:
    before = parse(copy.deepcopy(tree))  # changes of a system are kept as they are
    tree["systems"]["text-finetuned"]["encoder"]["networks"]["text"]["lr"] = 0.5
    after = parse(tree)
    for benchmark, system, same in (
        ("demo", "ugcl", True),
        ("ravdess_textual", "concat", True),
        ("meld_finetuned", "text-finetuned", False),
        ("meld_finetuned", "text-finetuned-last2", False),
    ):
        found = [lineage.train(config, benchmark, system) for config in (before, after)]
        assert (found[0] == found[1]) == same, system
