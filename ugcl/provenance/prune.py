"""Results that no active benchmark asks for, nor one whose tables are current; removed on request."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from ugcl.config import Config
from ugcl.plan import paths
from ugcl.provenance import kept
from ugcl.provenance.contract import LEDGER

RUN_TREES = (paths.MODELS, paths.PREDICTIONS, paths.SCORES)


def unwanted(config: Config) -> list[Path]:
    """Folders and files of runs that none of these benchmarks has, outermost only, sorted.

    Tables and pages are never listed. A benchmark that is not active keeps its runs as long as its tables are
    in the summary: they are what is shown, and active again, it has nothing to train.
    """
    wanted = set()
    for benchmark in kept.included(config):
        entry = config.benchmark(benchmark)
        for system in config.trained(benchmark):
            runs = itertools.product(entry.seeds, config.folds(benchmark))
            wanted |= {paths.run(benchmark, system, seed, fold) for seed, fold in runs}
    found = []
    for tree in RUN_TREES:
        for level in range(1, 5):
            prefixes = {Path(*run.parts[:level]) for run in wanted}
            if tree == paths.SCORES and level > 1:
                prefixes.clear()  # a benchmark's scores are tables of all its systems
            for path in sorted(tree.glob("/".join("*" * level))):
                tail = path.relative_to(tree)
                name = tail.with_name(tail.name.split(".")[0]) if level == 4 else tail
                is_run_level = path.is_dir() or level == 4
                nested = any(path.is_relative_to(done) for done in found)
                if is_run_level and name not in prefixes and not nested:
                    found.append(path)
    return sorted(found)


def size(path: Path) -> int:
    """Bytes of a file or of all files below a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def remove(folders: list[Path]) -> None:
    """Delete what `unwanted` listed, and its recorded copy, which would keep the space."""
    copies = [copy for path in folders for copy in LEDGER.glob(f"*/files/{path.as_posix()}")]
    for path in [*folders, *copies]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
