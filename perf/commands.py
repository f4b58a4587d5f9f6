"""How long a user waits before anything is computed: the command's help, and the workflow's graph.

    python perf/commands.py [--runs 714]

Times are wall seconds, the best of three, and multiples of starting Python alone on the same machine.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent
NEEDED = ("Snakefile", "params.yaml", "dvc.yaml", "workflow", "profiles", "notebooks", "ugcl")
REPEATS = 3


def seconds(command: list[str], folder: Path) -> float:
    """Best wall time of a command that must succeed."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def copy(folder: Path) -> None:
    """A copy of the project without results."""
    for name in NEEDED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def change_demo(folder: Path, **changes: object) -> None:
    """Change keys of the copy's demo benchmark."""
    from ugcl.config import read

    params = read(PROJECT / "params.yaml")
    params["benchmarks"]["demo"] |= changes
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=714, help="training runs in the large graph")
    runs = parser.parse_args().runs
    sys.path.insert(0, str(PROJECT))
    from ugcl.config import load

    config = load(PROJECT / "params.yaml")
    grid = list(config.grids)
    systems = {
        *config.benchmark("demo").systems,
        *(name for entry in config.grids.values() for name in entry.systems),
    }
    folds = len(config.folds("demo"))
    seeds = -(-runs // (folds * len(config.benchmark("demo").systems)))
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "2", "-n", "all"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy(folder)
        rows = [
            ("python -c pass", seconds([sys.executable, "-c", "pass"], folder)),
            ("ugcl --help", seconds([sys.executable, "-m", "ugcl", "--help"], folder)),
            ("snakemake -n all, as it is", seconds(snakemake, PROJECT)),
        ]
        change_demo(folder, seeds=list(range(seeds)))
        rows.append((f"snakemake -n all, {runs} runs, nothing made", seconds(snakemake, folder)))
        change_demo(folder, grid=grid, seeds=[0, 1, 2])
        every = f"snakemake -n all, all grids: {3 * folds * len(systems)} runs"
        rows.append((every, seconds(snakemake, folder)))
    base = rows[0][1]
    for what, value in rows:
        print(f"{what:<45} {value:7.2f} s {value / base:7.0f} ×")


if __name__ == "__main__":
    main()
