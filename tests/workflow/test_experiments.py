"""DVC's experiments lose no file, remake only what changed, and end together with DVC."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.workflow.conftest import Workplace

NOTHING = "Nothing to be done"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("experiments")]
BROUGHT = [
    f"data/raw/{name}"
    for name in ("crema_d", "iemocap", "meld", "mmmo", "mosi", "msp_improv", "ravdess", "mine")
]


def named(workplace: Workplace) -> Workplace:
    workplace.run("git", "config", "user.name", "t")
    workplace.run("git", "config", "user.email", "t@example.org")
    return workplace


def plant(workplace: Workplace) -> list[Path]:
    """A file of the user's in every folder of data and results, and in raw trees that do not exist yet."""
    folders = [workplace.root / name for name in BROUGHT]
    for tree in ("data", "results"):
        folders += [path for path in (workplace.root / tree).rglob("*") if path.is_dir()]
    planted = [folder / "mine.txt" for folder in folders]
    for path in planted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.as_posix())
    assert len(planted) > 20
    return planted


def lost(planted: list[Path]) -> list[Path]:
    return [path for path in planted if not path.is_file() or path.read_text() != path.as_posix()]


def rules(output: str) -> set[str]:
    """The rules whose jobs ran, without the benchmark, seed and fold in their names."""
    lines = [line for line in output.splitlines() if line.startswith(("rule ", "localrule "))]
    return {line.split()[1].rstrip(":").split("_")[0] for line in lines}


@pytest.fixture(scope="module")
def recorded(finished_once: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A finished copy after `dvc repro`, committed; copy it before a change."""
    root = tmp_path_factory.mktemp("recorded") / "project"
    shutil.copytree(finished_once.root, root, symlinks=True)
    workplace = named(Workplace(root))
    workplace.run("dvc", "repro")
    workplace.commit("recorded")
    return workplace


@pytest.fixture
def copied(recorded: Workplace, tmp_path: Path) -> Workplace:
    root = tmp_path / "project"
    shutil.copytree(recorded.root, root, symlinks=True)
    return Workplace(root)


def test_an_experiment_before_anything_is_recorded_loses_no_file(finished: Workplace) -> None:
    named(finished)
    planted = plant(finished)
    weights = finished.root / "results/models/tiny/ugcl/seed0/fold1/model.safetensors"
    before = weights.read_bytes()
    output = finished.run("dvc", "exp", "run", "-S", "evaluate.permutations=100").stdout
    assert lost(planted) == []
    assert weights.read_bytes() == before
    assert rules(output).isdisjoint({"train", "encode", "manifest"})
    assert "summary" in rules(output)


def test_an_experiment_with_a_lock_whose_results_are_not_in_the_cache_loses_no_file(
    copied: Workplace,
) -> None:
    # As after `make demo`: dvc.lock is that of somebody else's run, and nobody has its files.
    shutil.rmtree(copied.root / ".dvc/cache")
    shutil.rmtree(copied.root / ".ledger")
    planted = plant(copied)
    output = copied.run("dvc", "exp", "run", "-S", "evaluate.permutations=100").stdout
    assert lost(planted) == []
    assert rules(output).isdisjoint({"train", "encode", "manifest"})


def test_no_command_of_dvc_removes_a_file_and_a_temporary_folder_remakes_what_changed(
    copied: Workplace,
) -> None:
    planted = plant(copied)
    output = copied.run(
        "dvc", "exp", "run", "--temp", "-n", "apart", "-S", "evaluate.permutations=100"
    ).stdout
    assert lost(planted) == []
    assert rules(output).isdisjoint({"train", "predict", "encode", "faces", "manifest", "split"})
    assert {"score", "summary", "site"} <= rules(output)
    copied.run("dvc", "repro")
    assert lost(planted) == []
    for command in (["checkout"], ["checkout", "--force"], ["exp", "apply", "apart"]):
        copied.run("dvc", *command)
        assert lost(planted) == []
    assert copied.parameters()["evaluate"]["permutations"] == 100


def test_a_queued_experiment_remakes_what_changed(copied: Workplace) -> None:
    planted = plant(copied)
    copied.run("dvc", "exp", "run", "--queue", "-n", "queued", "-S", "evaluate.permutations=100")
    copied.run("dvc", "queue", "start")
    deadline = time.monotonic() + 600
    while "Success" not in (status := copied.run("dvc", "queue", "status").stdout):
        assert "Failed" not in status
        assert time.monotonic() < deadline, status
        time.sleep(2)
    output = copied.run("dvc", "queue", "logs", "queued").stdout
    assert rules(output).isdisjoint({"train", "predict", "encode", "faces", "manifest", "split"})
    assert "summary" in rules(output)
    assert lost(planted) == []


def test_an_applied_experiment_is_adopted(copied: Workplace) -> None:
    weights = copied.root / "results/models/tiny/ugcl/seed0/fold1/model.safetensors"
    before = weights.read_bytes()
    copied.run("dvc", "exp", "run", "--temp", "-n", "short", "-S", "benchmarks.tiny.overrides.train.epochs=1")
    assert weights.read_bytes() == before
    copied.run("dvc", "exp", "apply", "short")
    copied.run("ugcl", "adopt")
    assert weights.read_bytes() != before
    curves = pd.read_csv(copied.root / "results/tables/tiny/learning_curves.csv")
    assert curves["epoch"].max() == 1
    assert NOTHING in copied.snakemake("all")
    copied.run("git", "checkout", "-q", ".")
    copied.run("dvc", "checkout")
    copied.run("ugcl", "adopt")
    assert weights.read_bytes() == before


def inside(root: Path) -> list[list[str]]:
    """The commands of processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()) == root and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("moment", ["ugcl stage train", "snakemake train", "ugcl train tiny"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_snakemake_and_its_jobs_end_with_dvc(copied: Workplace, moment: str, number: int) -> None:
    def change(tree: dict) -> None:
        tree["benchmarks"]["tiny"]["overrides"]["train"].update(epochs=2000, patience=2000)

    copied.set_parameters(change)
    dvc = subprocess.Popen(
        ["dvc", "repro", "train"],
        cwd=copied.root,
        env=copied.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: any(moment in " ".join(command) for command in inside(copied.root)), 240)
    finally:
        dvc.send_signal(number)
        dvc.wait(timeout=60)
    assert wait_until(lambda: inside(copied.root) == [], 60), inside(copied.root)
    assert "LockException" not in copied.snakemake("-n", "train")
