"""The recorded copy of what a stage made, under `.ledger/`: the one tree that DVC writes to.

DVC makes its tracked folders equal to dvc.lock before an experiment and when one is applied, and removes
every other file there without asking. So it tracks this copy, whose files are hard links to the results and
take no space, and never a folder in which people or jobs put files. From the copy, results come back into an
empty tree (after `dvc pull`, or in the folder of `dvc exp run --temp`) with Snakemake's records of them.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import time
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from ugcl.provenance import records
from ugcl.provenance.contract import LEDGER, Stage

RECORDS = "records.jsonl"
STEP = 10_000
"""Nanoseconds between the times of files that are laid out; Snakemake compares times as floats."""


def save(stage: Stage) -> None:
    """Make the copy equal to what the stage's folders hold."""
    folder = LEDGER / stage.name / "files"
    present = set(_files(stage.results))
    for path in present:
        _link(path, folder / path)
    for path in [path for path in _files([folder.as_posix()]) if path.relative_to(folder) not in present]:
        path.unlink()
    records.save(LEDGER / stage.name / RECORDS, [path.as_posix() for path in present])


def lay_out(stage: Stage, may_replace: Callable[[Path], bool] | None = None) -> list[Path]:
    """Bring results from the copy, and the records of all that equal their copy.

    Args:
        may_replace: whether a result that differs from its copy may be replaced. Without it only folders that
            hold no file are filled: what is absent elsewhere was removed, and is for Snakemake to make.

    Returns:
        Results that differ from their copy and were left as they are.
    """
    folder = LEDGER / stage.name / "files"
    empty = [Path(result) for result in stage.results if not any(_files([result]))]
    known, equal, different = records.known(), [], []
    for copy in _files([folder.as_posix()]):
        path = copy.relative_to(folder)
        if not path.exists():
            if may_replace is None and not any(path.is_relative_to(result) for result in empty):
                continue
            _link(copy, path)
        elif may_replace is None and path.as_posix() in known:
            continue
        elif not _same(copy, path):
            if may_replace is None or not may_replace(path):
                different.append(path)
                continue
            _link(copy, path)
        equal.append(path.as_posix())
    kept = records.read(LEDGER / stage.name / RECORDS)
    _date({path: kept[path] for path in equal if path in kept})
    return different


def _date(made: dict[str, dict[str, Any]]) -> None:
    """Give files their records, and times in the order in which they depend on each other."""
    inputs = {path: [name for name in record["input"] or () if name in made] for path, record in made.items()}
    start = time.time_ns()
    for number, path in enumerate(TopologicalSorter(inputs).static_order()):
        os.utime(path, ns=(start + number * STEP,) * 2)
        records.write(path, made[path])


def _files(trees: list[str] | tuple[str, ...]) -> Iterator[Path]:
    for tree in trees:
        if os.path.isfile(tree):
            yield Path(tree)
        for folder, _, names in os.walk(tree):
            yield from (Path(folder, name) for name in names if not name.endswith(".partial"))


def _same(one: Path, other: Path) -> bool:
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)


def _link(source: Path, target: Path) -> None:
    """A hard link, or a copy where the file system has none; the target is whole at any time."""
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:
        shutil.copy2(source, partial)
    partial.replace(target)
