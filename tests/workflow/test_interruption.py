"""Whatever is killed, at any moment, goes on where it was and ends with the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.workflow.conftest import Workplace
from tests.workflow.killed_steps import content

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
RUNS = [Path(f"results/models/tiny/ugcl/seed0/fold{fold}") for fold in (1, 2, 3)]
SCRIPT = Path(__file__).with_name("killed_steps.py")
SEED, KILLS = 20, 50


def small(tree: dict[str, Any]) -> None:
    """Two systems, two conditions, and a training that keeps its state after every epoch."""
    benchmark = tree["benchmarks"]["tiny"]
    benchmark["systems"] = ["ugcl", "audio-only"]
    benchmark["overrides"]["train"].update(epochs=4, save_every=0)
    tree["evaluate"]["robustness"] = ["noise:10", "missing:video"]


def test_steps_killed_at_50_moments_end_with_the_same_bytes(fresh: Workplace) -> None:
    """All stages, command by command; how the moments are drawn is said in the script."""
    fresh.set_parameters(small)
    whole = fresh.root.parent / "whole"
    subprocess.run(["cp", "-a", str(fresh.root), str(whole)], check=True)
    environment = fresh.environment | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(whole), str(fresh.root), str(SEED), str(KILLS)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    moments = "\n".join(told["moments"])
    print(f"seed {SEED}, {len(told['moments'])} moments:\n{moments}")
    assert len(told["moments"]) == KILLS
    for stage in ("data", "features faces", "features encode", "train", "evaluate predict", "report"):
        assert stage in moments
    assert told["faults"] == []


def killed(workplace: Workplace, command: list[str], ready: Any) -> bool:
    """Start a command in its own process group and kill all of it with -9 when it is ready for that.

    Args:
        ready: says so; asked again and again.

    Returns:
        Whether it was still running.
    """
    with (workplace.root / "killed.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=workplace.root,
            env=workplace.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        deadline = time.monotonic() + 240
        while not ready() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running = process.poll() is None
        if running:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return running


def test_snakemake_killed_as_a_whole_goes_on_after_unlock(fresh: Workplace, finished_once: Workplace) -> None:
    """Three kills, each a random number of done jobs after the one before."""
    rng, logs = random.Random(SEED), fresh.root / "logs/benchmarks"
    print(f"seed {SEED}")
    command, goal = ["snakemake", "--cores", "2", "results/predictions/tiny/audio-only/temperature.csv"], 0
    for number in range(3):
        goal += rng.randint(3, 5)  # of 17
        late = time.monotonic() + rng.uniform(0, 1.5)

        def ready(goal: int = goal, late: float = late) -> bool:
            return len(list(logs.rglob("*.tsv"))) >= goal and time.monotonic() > late

        assert killed(fresh, command, ready)
        if number == 0:
            assert "--unlock" in fresh.run(*command, code=1).stdout
            assert "snakemake --unlock" in fresh.run("ugcl", "doctor", code=None).stdout
        fresh.run("snakemake", "--unlock")
    fresh.run(*command)
    again, undisturbed = content(fresh.root), content(finished_once.root)
    assert len(again) == 2 + 3 + 4 + 8 + 2 + 1 + 9 + 4  # the manifest and the check of its folds come first
    assert [name for name in again if again[name] != undisturbed[name]] == []


def test_killed_training_resumes_to_the_same_numbers(finished: Workplace) -> None:
    def change(tree: dict[str, Any]) -> None:
        benchmark = tree["benchmarks"]["tiny"]
        benchmark["folds_per_job"] = 3
        benchmark["overrides"]["train"].update(epochs=40, patience=40, save_every=0)

    finished.set_parameters(change)
    undisturbed = Workplace(finished.root.parent / "undisturbed")
    subprocess.run(["cp", "-a", str(finished.root), str(undisturbed.root)], check=True)
    undisturbed.environment["PYTHONPATH"] = str(undisturbed.root)
    command = ["snakemake", "--cores", "1", str(RUNS[0] / "model.safetensors")]
    undisturbed.run(*command)

    assert killed(finished, command, (finished.root / RUNS[1] / "resume/state.safetensors").exists)
    assert not (finished.root / RUNS[1] / "card.json").exists()
    finished.run("snakemake", "--unlock")
    finished.run(*command)

    log = (finished.root / "logs/train/tiny-ugcl-seed_0_fold_1_2_3.log").read_text()
    assert log.count("resuming after epoch") == 2
    assert log.count("resuming after epoch 40") == 1, "the fold that had ended is not trained again"
    for run in RUNS:
        weights = [(w.root / run / "model.safetensors").read_bytes() for w in (finished, undisturbed)]
        assert weights[0] == weights[1]
        histories = [pd.read_csv(w.root / run / "history.csv") for w in (finished, undisturbed)]
        first, second = (frame.drop(columns="seconds") for frame in histories)
        pd.testing.assert_frame_equal(first, second, check_exact=True)
        assert not (finished.root / run / "resume").exists()
