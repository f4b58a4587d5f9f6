"""Formatters and linters agree with the tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "workflow"],
        ["codespell"],
        ["pre-commit", "validate-config"],
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


def test_files_of_the_repository_are_small_and_end_with_a_line(project: Path) -> None:
    """What the hooks of .pre-commit-config.yaml that a forge downloads would say."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True, check=True
    )
    found = {name: project / name for name in listed.stdout.split("\0") if (project / name).is_file()}
    assert [name for name, path in found.items() if path.stat().st_size > 500 * 1024] == []
    texts = {name: path.read_bytes() for name, path in found.items()}
    ends = [name for name, text in texts.items() if text and b"\0" not in text and text[-1:] != b"\n"]
    assert [name for name in ends if not name.startswith("results/tables/")] == []


def test_the_forge_runs_what_exists(project: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (project / "Makefile").read_text(), re.M))
    runs = []
    for path in sorted((project / ".github/workflows").glob("*.yml")):
        jobs = yaml.safe_load(path.read_text())["jobs"].values()
        runs += [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    made = {word for run in runs if run.startswith("make ") for word in run.split()[1:] if "=" not in word}
    assert {"lint", "docs", "setup", "test", "demo"} <= made <= targets
    tested = [word for run in runs for word in run.split() if word.startswith("tests/")]
    assert tested and all((project / word).is_dir() for word in tested)
    for path in (project / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        assert path.name == "config.yml" or {"name", "description", "body"} <= form.keys()
