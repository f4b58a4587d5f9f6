"""The DVC side of the ledger: is its state clean and its cache safe, and taking over what it brought."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ugcl.errors import UgclError

SAFE_CACHE = {"reflink", "copy"}


def cache_types() -> list[str]:
    """The link types that DVC may use between its cache and the workspace, in order.

    Raises:
        UgclError: DVC is not installed, or this is no DVC project.
    """
    result = _dvc("config", "cache.type")
    if result.returncode not in (0, 251):  # 251: the option is not set
        raise UgclError(f"dvc config: {_last_line(result)}; run from the project's root")
    return [name.strip() for name in result.stdout.strip().split(",") if name.strip()] or ["reflink", "copy"]


def cache_is_safe() -> bool:
    """Whether no link type shares files with the cache: hard links let stale results be recorded."""
    return set(cache_types()) <= SAFE_CACHE


def changed() -> list[str]:
    """Names of the stages whose files differ from dvc.lock, sorted; empty when all agree.

    Raises:
        UgclError: DVC could not tell.
    """
    result = _dvc("status", "--json")
    if result.returncode:
        raise UgclError(f"dvc status: {_last_line(result)}; mend that first")
    return sorted(json.loads(result.stdout.strip().splitlines()[-1]))


def adopt() -> None:
    """Tell Snakemake that the files DVC brought are up to date, after checking that they are.

    `dvc pull` and `dvc checkout` write files in any order, so their times say nothing. When every file agrees
    with dvc.lock, touching them in the order of the workflow is right, and only then.

    Raises:
        UgclError: a file differs from dvc.lock, or Snakemake fails.
    """
    differing = changed()
    if differing:
        raise UgclError(
            f"adopt: {', '.join(differing)}: files differ from dvc.lock;"
            " `dvc pull` or `dvc checkout` brings them back, `snakemake all` computes them"
        )
    command = [sys.executable, "-m", "snakemake", "--touch", "--cores", "1", "all"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UgclError(f"adopt: snakemake --touch failed: {_last_line(result)}; run `snakemake -n all`")


def _dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.cwd())


def _last_line(result: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (result.stderr + "\n" + result.stdout).splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {result.returncode}"
