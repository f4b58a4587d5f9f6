"""What cannot be made is refused before any job runs, in one line that names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures import tiny_corpus
from ugcl.config import Config, parse, read
from ugcl.errors import UgclError
from ugcl.plan import check, paths, reports

Tree = dict[str, Any]


@pytest.fixture
def tree(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Parameters of the demo and of two corpora of a user, whose files are all there."""
    monkeypatch.chdir(tmp_path)
    tree = read(project / "params.yaml")
    tree["active"] = ["demo", "tiny"]
    tree["corpora"]["tiny"] = {
        "adapter": "folder",
        "root": "clips",
        "protocols": {"three": tiny_corpus.PROTOCOL},
    }
    tree["benchmarks"]["tiny"] = {
        "corpus": "tiny",
        "protocol": "three",
        "features": {"audio": "logmel"},
        "systems": ["audio-only"],
        "reference": "audio-only",
        "seeds": [0],
    }
    files = ["clips/clips.csv", tree.get("data", {}).get("sources", "workflow/resources/sources.csv")]
    files += [reports.notebook_source(name).as_posix() for name in parse(tree).report.notebooks]
    for name in files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x\n")
    return tree


def faults(tree: Tree) -> str:
    with pytest.raises(UgclError) as caught:
        check.check(parse(tree))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_with_all_files_there_is_nothing_to_say(tree: Tree) -> None:
    check.check(parse(tree))


@pytest.mark.parametrize(
    ("section", "value", "named"),
    [
        ("train", {"accelerator": "cuda"}, "train.accelerator of demo/"),
        ("evaluate", {"accelerator": "cuda"}, "evaluate.accelerator"),
        ("extraction", {"accelerator": "cuda"}, "extraction.accelerator"),
        ("systems", {"audio-only": {"accelerator": "cuda"}}, "train.accelerator of tiny/audio-only"),
    ],
)
def test_a_gpu_that_is_asked_for_and_not_here_is_refused_before_any_job(
    tree: Tree, section: str, value: dict[str, Any], named: str
) -> None:
    check.check_gpu(parse(tree), lambda: False)
    if section == "systems":
        tree["systems"]["audio-only"]["train"] = value["audio-only"]
        tree["active"] = ["tiny"]
    else:
        tree[section] = tree.get(section, {}) | value
    if section == "extraction":
        check.check_gpu(parse(tree), lambda: False)  # no encoder of the active benchmarks runs a network
        tree["encoders"]["words"] = {"kind": "speech", "weights": "none"}
        tree["benchmarks"]["tiny"]["features"]["audio"] = "words"
    with pytest.raises(
        UgclError, match=f"^{named}.*: cuda, but this machine has no GPU.*set it to auto or cpu"
    ):
        check.check_gpu(parse(tree), lambda: False)
    check.check_gpu(parse(tree), lambda: True)


def published(tree: Tree) -> None:
    scheme = {"scheme": "files", "files": ["there.csv", "folds/absent.csv"]}
    Path("clips/there.csv").write_text("clip,part\n")
    tree["corpora"]["tiny"]["protocols"]["three"] = {**tiny_corpus.PROTOCOL, "folds": scheme}


def precomputed(tree: Tree) -> None:
    tree["encoders"]["mine"] = {"kind": "table", "modality": "audio", "path": "vectors.csv"}
    tree["benchmarks"]["tiny"]["features"]["audio"] = "mine"


def in_words(tree: Tree) -> None:
    """A benchmark of the tiny corpus reads faces in words, from a table that is not there."""
    units = {"kind": "table", "path": "units.csv"}
    tree["encoders"]["mine"] = {"kind": "textual", "units": units, "reader": {"kind": "ngrams"}}
    tree["benchmarks"]["tiny"]["features"]["text"] = "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda t: t["corpora"]["tiny"].update(table="clips_v2.csv"),
            "corpora.tiny.table: file clips/clips_v2.csv",
        ),
        (lambda t: t["corpora"]["tiny"].update(root="clisp"), "corpora.tiny.root: folder clisp not found"),
        (lambda t: t["corpora"]["tiny"].pop("root"), "corpora.tiny.root: folder data/raw/tiny not found"),
        (
            lambda t: t["report"]["notebooks"].append("11_mine"),
            "report.notebooks: notebooks/11_mine.py not found",
        ),
        (lambda t: t["data"].update(sources="s.csv"), "data.sources: s.csv not found"),
        (published, "corpora.tiny.protocols.three.folds.files: file clips/folds/absent.csv not found"),
        (precomputed, "encoders.mine.path: file clips/vectors.csv not found"),
        (in_words, "encoders.mine.units.path: file clips/units.csv not found"),
        (
            lambda t: t.update(resources={"train": {"systems": {"ugcl-v2": {"mem_mb": 9}}}}),
            "resources.train.systems: 'ugcl-v2' is unknown",
        ),
        (
            lambda t: t.update(resources={"encode": {"encoders": {"vgg": {"mem_mb": 9}}}}),
            "resources.encode.encoders: 'vgg' is unknown",
        ),
    ],
)
def test_what_is_missing_is_named_with_its_place(
    tree: Tree, change: Callable[[Tree], object], words: str
) -> None:
    change(tree)
    assert words in faults(tree)


def test_a_method_of_the_user_s_needs_its_module(tree: Tree) -> None:
    tree["systems"]["mine"] = {"method": {"name": "mine_too:Mine"}, "input": {"modalities": ["audio"]}}
    tree["benchmarks"]["tiny"]["systems"].append("mine")
    assert faults(tree) == "systems.mine.method.name: no mine_too.py in the project's root; correct it"
    Path("mine_too.py").write_text("class Mine:\n    def broken(:\n")
    assert "systems.mine.method.name: mine_too.py, line 2: " in faults(tree)
    Path("mine_too.py").write_text("class Mine:\n    pass\n")
    check.check(parse(tree))


def test_a_corpus_of_no_active_benchmark_may_be_absent(tree: Tree) -> None:
    tree["corpora"]["tiny"]["root"] = "not-mounted"
    tree["active"] = ["demo"]
    check.check(parse(tree))


def test_a_fetched_corpus_whose_root_is_gone_is_not_taken_from_before(tree: Tree) -> None:
    tree["active"] = ["ravdess"]
    tree["corpora"]["ravdess"]["root"] = "/nowhere/ravdess"
    check.check(parse(tree))  # it would be fetched to there
    listing = paths.RAW / "ravdess" / "fetched.csv"
    listing.parent.mkdir(parents=True)
    listing.write_text("path,bytes,sha256\n")
    assert "corpora.ravdess.root: folder /nowhere/ravdess not found" in faults(tree)


def test_a_wanted_file_without_a_rule_is_named(tree: Tree) -> None:
    config: Config = parse(tree)
    files = list(check.wanted(config))
    check.check_makers(files, lambda file: True)
    index = paths.features("tiny", "logmel") / "index.csv"
    page = reports.notebook_output(config, "01_data")
    for file in (index, paths.manifest("tiny"), page, paths.quarantine("demo")):
        assert file in files
    with pytest.raises(UgclError, match=r"data/features/tiny/logmel/index\.csv: no rule makes it"):
        check.check_makers(files, lambda file: file != index.as_posix())


SLURM = """Configuration data as of 2026-11-28T10:55:00
AccountingStorageHost   = localhost
AccountingStorageType   = {storage}
MinJobAge               = {age} sec
"""


@pytest.mark.parametrize(
    ("storage", "age", "command"),
    [
        ("accounting_storage/slurmdbd", 2, "sacct"),
        ("accounting_storage/none", 300, "squeue"),
        ("(null)", 300, "squeue"),  # since Slurm 23.02
    ],
)
def test_slurm_is_asked_for_its_jobs_by_the_command_that_knows(storage: str, age: int, command: str) -> None:
    assert check.slurm_status_command(SLURM.format(storage=storage, age=age)) == command


def test_a_slurm_that_forgets_jobs_is_refused() -> None:
    text = SLURM.format(storage="accounting_storage/none", age=120)
    with pytest.raises(UgclError, match="forgotten 120 s after their end") as error:
        check.slurm_status_command(text)
    assert "MinJobAge=300" in str(error.value) and "\n" not in str(error.value)


def test_without_slurm_s_commands_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UgclError, match=r"scontrol.*start Snakemake where Slurm's commands work"):
        check.slurm_status_command()
