"""The DVC side of the ledger: is its state clean and its cache safe, and taking over what it brought."""

from __future__ import annotations

import atexit
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.provenance import contract, lineage, recorded, records
from ugcl.provenance.stages import LINEAGE, write_lineages

SAFE_CACHE = {"reflink", "copy"}
REMEDY = "`dvc pull` or `dvc checkout` brings them back, `dvc repro` computes and records them"


def begin(config: Config) -> None:
    """Complete Snakemake's records before it plans, and keep them beside the results when it ends."""
    records.complete(config)
    atexit.register(records.keep)


def cache_types() -> list[str]:
    """The link types that DVC may use between its cache and the workspace, in order.

    Raises:
        UgclError: DVC is not installed, or this is not a DVC project.
    """
    result = _dvc("config", "cache.type")
    if result.returncode not in (0, 251):  # 251: the option is not set
        raise UgclError(f"dvc config: {_last_line(result)}; run from the project's root")
    return [name.strip() for name in result.stdout.strip().split(",") if name.strip()] or ["reflink", "copy"]


def cache_is_safe() -> bool:
    """Whether no link type shares files with the cache: hard links let stale results be recorded."""
    return set(cache_types()) <= SAFE_CACHE


def adopt(config: Config) -> None:
    """Bring what DVC recorded into the results and mark it up to date, after checking that it is.

    `dvc pull`, `dvc checkout` and `dvc exp apply` write the recorded copy under `.ledger/`. From there
    results are laid out; one that differs is replaced where DVC's cache has it. When every recorded file
    agrees with dvc.lock, and every stage's lineage is that of the present code and parameters, touching the
    files in the order of the workflow is right, and only then. Other files in the same folders do not matter.

    Raises:
        UgclError: a recorded file, a source or a lineage differs from dvc.lock, or Snakemake fails.
    """
    write_lineages(config)
    copies = [stage for stage in contract.read_stages(Path("dvc.yaml")) if stage.cached]
    status = _status()
    stale = [name for name in status if any(Path(dep).parent == LINEAGE for dep in _differing(status, name))]
    if stale:
        raise UgclError(
            f"adopt: {', '.join(stale)}: code or parameters changed since the results in dvc.lock were made"
            " (lineages differ); `dvc repro` computes and records them"
        )
    other = {result for stage in copies for result in stage.results}  # compared file by file below
    used = {paths.RAW / config.benchmark(name).corpus for name in config.active}
    other |= {tree.as_posix() for tree in contract.raw_trees(Path("dvc.yaml")) if tree not in used}
    different = {stage.name: sorted(set(_differing(status, stage.name)) - other) for stage in copies}
    for name in filter(different.get, different):
        raise UgclError(f"adopt: {name}: {', '.join(different[name])}: files differ from dvc.lock; {REMEDY}")
    cache = Path(_dvc("cache", "dir").stdout.strip() or ".dvc/cache") / "files" / "md5"
    for stage in copies:
        unsaved = recorded.lay_out(stage, may_replace=lambda path: _is_cached(path, cache))
        if unsaved:
            raise UgclError(
                f"adopt: {stage.name}: files differ from dvc.lock and are recorded nowhere ({len(unsaved)},"
                f" {unsaved[0]} first); `dvc repro` records them, or move them away and adopt again"
            )
    _check_cards(config)
    command = [sys.executable, "-m", "snakemake", "--touch", "--cores", "1", "all"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UgclError(f"adopt: snakemake --touch failed: {_last_line(result)}; run `snakemake -n all`")


def _check_cards(config: Config) -> None:
    """Refuse models of another lineage: `dvc commit --force` records whatever lies there."""
    for benchmark in config.active:
        for system in config.trained(benchmark):
            present = lineage.train(config, benchmark, system)
            for seed in config.benchmark(benchmark).seeds:
                for fold in config.folds(benchmark):
                    card = paths.MODELS / paths.run(benchmark, system, seed, fold) / "card.json"
                    own = json.loads(card.read_bytes())["lineage"] if card.is_file() else present
                    if own != present:
                        raise UgclError(
                            f"adopt: {card}: trained with lineage {own}, that of the present code and"
                            f" parameters is {present}; `dvc repro` computes it again"
                        )


def _status() -> dict[str, list[Any]]:
    result = _dvc("status", "--json")
    if result.returncode:
        raise UgclError(f"dvc status: {_last_line(result)}; correct that first")
    return json.loads(result.stdout.strip().splitlines()[-1])


def _differing(status: dict[str, list[Any]], stage: str) -> list[str]:
    """The deps and outs of a stage that differ from dvc.lock, and other differences such as its command."""
    found = []
    for entry in status.get(stage, []):
        if isinstance(entry, str):
            found.append(entry)
        else:  # the parameters of a file are a mapping
            files = [item for kind in entry.values() for item in kind.items()]
            found += [path for path, how in files if isinstance(how, str)]
    return found


def _is_cached(path: Path, cache: Path) -> bool:
    """Whether DVC's cache has the content of a file, so that replacing it loses nothing."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "md5").hexdigest()
    return (cache / digest[:2] / digest[2:]).is_file()


def _dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.cwd())


def _last_line(result: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (result.stderr + "\n" + result.stdout).splitlines() if line.strip()]
    if any("--unlock" in line for line in lines):
        return "a killed run left its lock; if no Snakemake is running here, `snakemake --unlock` removes it"
    return lines[-1] if lines else f"exit code {result.returncode}"
