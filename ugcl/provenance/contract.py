"""The contract between Snakemake and DVC: dvc.yaml covers exactly what the rules read and write.

Every output lies under exactly one DVC out, and a file that one stage makes and another reads is a DVC dep of
the reader. Raw trees that are not made here are deps: no command of DVC writes to a dep. The file table of
such a tree is the one output that lies under a dep. What DVC caches lies under `.ledger/` alone, see
:mod:`ugcl.provenance.recorded`.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ugcl.config.load import PARAMS, parameter_files
from ugcl.errors import UgclError
from ugcl.plan import paths

LEDGER = Path(".ledger")
"""The only tree whose files DVC may replace and remove."""


@dataclass(frozen=True)
class RuleFile:
    """A file that a rule makes and the files it makes it from."""

    path: str
    rule: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml; `cached` are those of its outs that DVC copies to its cache and checks out."""

    name: str
    command: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    cached: tuple[str, ...] = ()

    @property
    def results(self) -> tuple[str, ...]:
        """The outs that rules write to."""
        return tuple(out for out in self.outs if out not in self.cached)


def read_summary(text: str) -> list[RuleFile]:
    """Read the table that `snakemake --detailed-summary` prints."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("output_file\t")), None)
    if start is None:
        raise UgclError("snakemake summary: no header line; run `snakemake -D all` and pass its output")
    table = itertools.takewhile(lambda line: "\t" in line, lines[start:])
    rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [
        RuleFile(row["output_file"], row["rule"], tuple(filter(None, row["input-file(s)"].split(","))))
        for row in rows
    ]


def read_stages(path: Path) -> list[Stage]:
    """Read the stages of a dvc.yaml, with metrics and plots counted as outs."""
    tree = yaml.safe_load(path.read_text())
    stages = []
    for name, entry in tree["stages"].items():
        outs = [out for kind in ("outs", "metrics", "plots") for out in entry.get(kind, [])]
        cached = tuple(_path(out) for out in outs if _is_cached(out))
        deps = tuple(map(_path, entry.get("deps", [])))
        stages.append(Stage(name, entry["cmd"], deps, tuple(map(_path, outs)), cached))
    return stages


def folders(path: Path) -> list[Path]:
    """The folders that must be there when DVC runs: those of results, without a suffix, and raw trees."""
    outs = [Path(out) for stage in read_stages(path) for out in stage.results]
    return [*(out for out in outs if not out.suffix), *raw_trees(path)]


def check_parameter_files(path: Path) -> None:
    """Refuse a parameter file that no stage of a dvc.yaml names: DVC would not see that it changed.

    Args:
        path: dvc.yaml; the parameter files are those beside it.

    Raises:
        UgclError: a file is not named.
    """
    stages = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["stages"].values()
    entries = [entry for stage in stages for entry in stage.get("params", [])]
    named = {PARAMS, *(file for entry in entries if isinstance(entry, dict) for file in entry)}
    for file in parameter_files(path.with_name(PARAMS)):
        name = file.relative_to(path.parent).as_posix()
        if name not in named:
            raise UgclError(f"{name}: not named in {path.name}; add `- {name}: [KEY]` to its stages' params")


def raw_trees(path: Path) -> list[Path]:
    """The raw trees that a dvc.yaml names as deps: what users and owners bring."""
    deps = [Path(dep) for stage in read_stages(path) for dep in stage.deps]
    return [dep for dep in dict.fromkeys(deps) if dep.parent == paths.RAW]


def unrecorded(files: Iterable[Path], stages: list[Stage]) -> list[Path]:
    """Files and trees that no stage records."""
    named = [path for stage in stages for path in (*stage.deps, *stage.outs)]
    return [file for file in files if not any(_covers(path, file.as_posix()) for path in named)]


def faults(files: list[RuleFile], stages: list[Stage]) -> list[str]:
    """Say where dvc.yaml and the rules disagree; an empty list is a kept contract."""
    found = []
    owner: dict[str, Stage] = {}
    for file in files:
        owners = [stage for stage in stages if any(_covers(out, file.path) for out in stage.outs)]
        covering = [out for stage in stages for out in stage.outs if _covers(out, file.path)]
        is_file_table = any(file.path == f"{dep}/fetched.csv" for stage in stages for dep in stage.deps)
        if len(covering) != 1 and not is_file_table:
            found.append(f"{file.path} (rule {file.rule}): lies under {len(covering)} DVC outs {covering}")
        if owners:
            owner[file.path] = owners[0]
    for file in files:
        stage = owner.get(file.path)
        for source in file.inputs:
            maker = owner.get(source)
            if stage is None or maker in (None, stage):
                continue
            if not any(_covers(dep, source) for dep in stage.deps):
                found.append(f"stage {stage.name}: rule {file.rule} reads {source}, which is not a dep")
    exposed = [out for stage in stages for out in stage.cached if not _covers(LEDGER.as_posix(), out)]
    found += [f"{out}: DVC would remove what is put there; write `cache: false`" for out in exposed]
    return found


def _is_cached(entry: str | dict[str, Any]) -> bool:
    return isinstance(entry, str) or next(iter(entry.values())).get("cache", True)


def _path(entry: str | dict[str, Any]) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))


def _covers(folder: str, path: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)
