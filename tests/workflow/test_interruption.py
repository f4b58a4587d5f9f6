"""Training killed in the middle goes on where it was and ends with the same numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.workflow.conftest import Workplace

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
RUNS = [Path(f"results/models/tiny/ugcl/seed0/fold{fold}") for fold in (1, 2, 3)]


def kill_in_the_second_fold(workplace: Workplace) -> None:
    """Start Snakemake on a job of three folds in its own process group and kill all of it with -9."""
    command = ["snakemake", "--cores", "1", str(RUNS[0] / "model.safetensors")]
    with (workplace.root / "killed.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=workplace.root,
            env=workplace.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while not (workplace.root / RUNS[1] / "resume/state.safetensors").exists():
            assert process.poll() is None, "the job ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_training_resumes_to_the_same_numbers(finished: Workplace) -> None:
    def change(tree: dict[str, Any]) -> None:
        benchmark = tree["benchmarks"]["tiny"]
        benchmark["folds_per_job"] = 3
        benchmark["overrides"]["train"].update(epochs=40, patience=40, save_every=0)

    finished.set_parameters(change)
    undisturbed = Workplace(finished.root.parent / "undisturbed")
    subprocess.run(["cp", "-a", str(finished.root), str(undisturbed.root)], check=True)
    undisturbed.environment["PYTHONPATH"] = str(undisturbed.root)
    target = str(RUNS[0] / "model.safetensors")
    undisturbed.run("snakemake", "--cores", "1", target)

    kill_in_the_second_fold(finished)
    assert not (finished.root / RUNS[1] / "card.json").exists()
    finished.run("snakemake", "--unlock")
    finished.run("snakemake", "--cores", "1", target)

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
