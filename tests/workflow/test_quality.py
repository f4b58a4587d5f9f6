"""Formatters and linters agree with the tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "workflow"],
    ],
    ids=" ".join,
)
def test_linter_is_content(project: Path, command: list[str]) -> None:
    result = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=project, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_snakemake_lints_nothing_but_the_missing_conda_environments(project: Path) -> None:
    """All rules share the one pinned environment of constraints.txt, so none names its own."""
    result = subprocess.run(
        [str(BIN / "snakemake"), "--lint"], cwd=project, capture_output=True, text=True, check=False
    )
    lints = {
        line.strip() for line in (result.stdout + result.stderr).splitlines() if line.startswith("    * ")
    }
    assert lints == {"* Specify a conda environment or container for each rule.:"}
