"""A run killed in the middle goes on where it was and ends with the same numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import Workplace

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
RUN = Path("results/models/tiny/ugcl/seed0/fold1")


def kill_after_epoch(workplace: Workplace, epoch: int) -> None:
    """Start Snakemake on one run in its own process group and kill all of it with -9 after an epoch."""
    command = ["snakemake", "--cores", "1", str(RUN / "model.safetensors")]
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
        states = workplace.root / RUN / "resume"
        while not (states / "state.safetensors").exists():
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_training_resumes_to_the_same_numbers(finished: Workplace) -> None:
    finished.set_parameters(
        lambda t: t["benchmarks"]["tiny"]["overrides"]["train"].update(epochs=40, patience=40, save_every=0)
    )
    undisturbed = Workplace(finished.root.parent / "undisturbed")
    subprocess.run(["cp", "-a", str(finished.root), str(undisturbed.root)], check=True)
    undisturbed.environment["PYTHONPATH"] = str(undisturbed.root)
    target = str(RUN / "model.safetensors")
    undisturbed.run("snakemake", "--cores", "1", target)

    kill_after_epoch(finished, 1)
    assert not (finished.root / RUN / "card.json").exists()
    finished.run("snakemake", "--unlock")
    finished.run("snakemake", "--cores", "1", target)

    log = (finished.root / "logs/train/tiny-ugcl-seed0-fold1.log").read_text()
    assert "resum" in log.lower()
    assert (finished.root / target).read_bytes() == (undisturbed.root / target).read_bytes()
    histories = [pd.read_csv(w.root / RUN / "history.csv") for w in (finished, undisturbed)]
    first, second = (frame.drop(columns="seconds") for frame in histories)
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not (finished.root / RUN / "resume").exists()
