"""A small copy of the project: the tiny clips as a user's own corpus, two folds' worth of quick training."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures import tiny_corpus
from ugcl.config import read
from ugcl.config.load import read_parts

PARTS = (
    "Snakefile", "params.yaml", "params", "dvc.yaml", ".dvcignore", ".gitignore",
    "workflow", "profiles", "notebooks", "ugcl",
)  # fmt: skip


class Workplace:
    """A copy of the project in its own folder, with the commands a user types."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(root),
            "DVC_NO_ANALYTICS": "1",
            "DVC_STUDIO_OFFLINE": "1",
        }
        for name in ("UGCL_MIRROR", "UGCL_PARAMS", "GIT_DIR"):
            self.environment.pop(name, None)

    def run(self, *command: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; `code` is the exit code it must have, None for any."""
        result = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        result.stdout += result.stderr
        if code is not None:
            assert result.returncode == code, f"{' '.join(command)}:\n{result.stdout[-6000:]}"
        return result

    def snakemake(self, *arguments: str, code: int | None = 0) -> str:
        """Run Snakemake on two cores; its output."""
        return self.run("snakemake", "--cores", "2", *arguments, code=code).stdout

    def parameters(self) -> dict[str, Any]:
        """The parameter tree."""
        return read(self.root / "params.yaml")

    def set_parameters(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change the parameters; each section stays in its file, and a new one is in params.yaml."""
        parts = read_parts(self.root / "params.yaml")
        tree = self.parameters()
        change(tree)
        first, *others = parts
        for file in others:
            part = {key: tree.pop(key) for key in parts[file] if key in tree}
            file.write_text(yaml.safe_dump(part, sort_keys=False))
        first.write_text(yaml.safe_dump(tree, sort_keys=False))

    def commit(self, message: str = "state") -> None:
        """Commit everything that Git does not ignore; copies with the same content get the same commit."""
        self.environment |= dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-01-01T00:00:00Z")
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", message)


def tiny_parameters(tree: dict[str, Any]) -> dict[str, Any]:
    """The project's parameters, turned to the tiny clips and two-epoch training."""
    corpus = {
        "adapter": "folder",
        "root": "clips",
        "shards": 2,
        "synthetic": True,
        "protocols": {"three": tiny_corpus.PROTOCOL},
    }
    benchmark = {
        "corpus": "tiny",
        "protocol": "three",
        "features": {"audio": "logmel", "video": "hog"},
        "systems": ["ugcl", "ugcl-no-snd", "audio-only"],
        "reference": "ugcl",
        "seeds": [0],
        "overrides": {
            "train": {"epochs": 2, "batch": 4},
            "encoder": {"width": 16},
            "method": {"tokens": 16},
        },
    }
    tiny_corpus.alone(tree, corpus, benchmark)
    tree["evaluate"] = {"bootstrap": 200, "permutations": 200}
    return tree


def copy_project(project: Path, root: Path) -> Workplace:
    """Copy what a run needs, with the tiny clips and their parameters, as a Git and DVC repository."""
    root.mkdir(parents=True)
    for name in PARTS:
        source = project / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    workplace = Workplace(root)
    workplace.set_parameters(tiny_parameters)
    tiny_corpus.lay_out(project, root / "clips")
    ledger = yaml.safe_load((project / "dvc.yaml").read_text())
    ledger.pop("plots")
    ledger.pop("artifacts")
    (root / "dvc.yaml").write_text(yaml.safe_dump(ledger, sort_keys=False))
    workplace.run("git", "init", "-q")
    workplace.run("dvc", "init", "-q")
    shutil.copy(project / ".dvc/config", root / ".dvc/config")
    workplace.commit("start")
    return workplace


@pytest.fixture
def fresh(project: Path, tmp_path: Path) -> Workplace:
    """A copy in which nothing has run."""
    return copy_project(project, tmp_path / "project")


@pytest.fixture(scope="session")
def finished_once(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A copy in which `snakemake all` has run; read it only."""
    workplace = copy_project(project, tmp_path_factory.mktemp("finished") / "project")
    workplace.snakemake("all")
    return workplace


@pytest.fixture
def finished(finished_once: Workplace, tmp_path: Path) -> Workplace:
    """A private copy of the finished one, times kept."""
    root = tmp_path / "project"
    shutil.copytree(finished_once.root, root, symlinks=True)
    return Workplace(root)


@pytest.fixture(scope="session")
def recorded_once(finished_once: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A finished copy after `dvc repro`, committed; read it only."""
    root = tmp_path_factory.mktemp("recorded") / "project"
    shutil.copytree(finished_once.root, root, symlinks=True)
    workplace = Workplace(root)
    output = workplace.run("dvc", "repro").stdout
    assert output.count("Nothing to be done") == 5, "dvc repro after snakemake all must only record"
    workplace.commit("recorded")
    return workplace
