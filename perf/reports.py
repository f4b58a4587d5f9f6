"""How long the reports of a large benchmark take, page by page, and how much memory each needs.

    python perf/reports.py [--systems 30] [--folds 6] [--seeds 3] [--speakers 24] [--sentences 4]

A project as if everything had been trained is made in a temporary folder (predictions and histories are
random), scored and summarised; then every command of the report stage runs as the workflow runs it, two at a
time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Process
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tests"))
CORES = 2


def make(options: argparse.Namespace) -> None:
    """Write a finished project into the working folder, up to results/tables."""
    from fixtures import finished

    from ugcl import config as configuration
    from ugcl.evaluation.tables.benchmark import write
    from ugcl.evaluation.tables.score import score
    from ugcl.evaluation.tables.summary import summarise

    tree = configuration.read(PROJECT / "params.yaml")
    kinds = list(finished.SKILL)
    changed = {
        f"{kind}-{number}": {"extends": kind, "train": {"epochs": 15 + number}}
        for number in range(1, 1 + options.systems // len(kinds))
        for kind in kinds
    }
    tree["systems"] = {**tree["systems"], **changed}
    tree["benchmarks"]["ravdess"] |= {
        "systems": [*kinds, *changed][: options.systems],
        "seeds": list(range(options.seeds)),
    }
    tree["corpora"]["ravdess"]["protocols"]["emotion8"]["folds"]["folds"] = options.folds
    # Few draws: how long the summary takes is another benchmark's question.
    tree |= {"active": ["ravdess"], "evaluate": {"bootstrap": 200, "permutations": 200}}
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    for name in ("notebooks", "workflow/resources"):
        shutil.copytree(PROJECT / name, name)
    config = configuration.load(Path("params.yaml"))
    finished.finish(config, "ravdess", options.speakers, options.sentences)
    score(config, "ravdess", dict.fromkeys(config.benchmarks["ravdess"].systems, "f00df00df00d"))
    write(config, "ravdess")
    summarise(config, ["ravdess"])


def timed(arguments: list[str]) -> tuple[str, float, float, float]:
    """Run a command of ugcl: name, seconds, seconds of processor, peak MiB of its largest process."""
    start = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    command = ["/usr/bin/env", "python", "-m", "ugcl", *arguments]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed; run it by hand in {Path.cwd()}")
    taken = time.perf_counter() - start
    return " ".join(arguments), taken, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def together(commands: list[list[str]]) -> None:
    """Run commands on CORES cores and print what each took."""
    with ThreadPoolExecutor(CORES) as pool:
        for name, taken, processor, memory in pool.map(timed, commands):
            print(f"{name:36s}{taken:7.1f} s {processor:7.1f} s of processor {memory:6.0f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=30)
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--speakers", type=int, default=24)
    parser.add_argument("--sentences", type=int, default=4)
    parser.add_argument("--keep", type=Path, help="make the project here, to look at its pages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        start = time.perf_counter()
        # In a process of its own: a command's peak memory counts that of the process that starts it.
        maker = Process(target=make, args=(options,))
        maker.start()
        maker.join()
        if maker.exitcode:
            raise SystemExit(maker.exitcode)
        print(f"tables of a made-up project in {time.perf_counter() - start:.0f} s", flush=True)
        start = time.perf_counter()
        together([["report", "figures"], ["report", "tables"], ["report", "cards"]])
        together([["report", "notebook", path.stem] for path in sorted(Path("notebooks").glob("*.py"))])
        together([["report", "site"]])
        print(f"{'all, on two cores':36s}{time.perf_counter() - start:7.1f} s")
        os.chdir(PROJECT)


if __name__ == "__main__":
    main()
