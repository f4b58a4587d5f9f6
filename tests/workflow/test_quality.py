"""Formatters and linters agree with the tree."""

from __future__ import annotations

import re
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


def test_snakemake_has_nothing_to_say(project: Path) -> None:
    result = subprocess.run(
        [str(BIN / "snakemake"), "--lint"], cwd=project, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "workflow is in a good condition" in result.stdout + result.stderr


def test_every_placeholder_of_a_shell_line_is_quoted(project: Path) -> None:
    seen = 0
    for path in sorted((project / "workflow/rules").glob("*.smk")):
        for shell in re.findall(r"^ +shell:\n((?: +[\"'].*\n)+)", path.read_text(), re.M):
            found = re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", shell)
            seen += len(found)
            assert [name for name in found if not name.endswith(":q")] == [], path
    assert seen > 50
