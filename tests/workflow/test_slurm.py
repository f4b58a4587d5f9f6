"""A user chooses the profile for Slurm, and nothing else changes: on a real one, with jobs lost."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.workflow import slurm_cluster
from tests.workflow.conftest import Workplace
from tests.workflow.killed_steps import content

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
PROFILE = ("snakemake", "--workflow-profile", "profiles/slurm")
RUN = "results/models/tiny/ugcl/seed0/fold1"
LOG = "logs/train/tiny-ugcl-seed_0_fold_1_2_3.log"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="the extra slurm is not installed")
    if absent := slurm_cluster.missing():
        pytest.skip(f"{', '.join(absent)} not installed (Debian's slurm-wlm and munge)")


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[dict[str, str]]:
    with slurm_cluster.started(tmp_path / "slurm") as environment:
        yield environment


def log_in(workplace: Workplace, slurm: dict[str, str]) -> None:
    """Let the commands of a workplace find the cluster."""
    commands = Path(slurm["SLURM_CONF"]).with_name("bin")
    path = f"{commands}:{workplace.environment['PATH']}"
    workplace.environment |= {"SLURM_CONF": slurm["SLURM_CONF"], "PATH": path}


def jobs(environment: dict[str, str]) -> list[dict[str, str]]:
    """All jobs that Slurm remembers: what `scontrol` says of each."""
    command = ["scontrol", "--oneliner", "show", "jobs"]
    text = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [dict(re.findall(r"(\S+?)=(\S+)", line)) for line in text.splitlines() if line.startswith("JobId")]


def wait_for(
    ready: Callable[[], Any], process: subprocess.Popen[bytes], log: Path, pause: float = 0.3
) -> Any:
    """Ask again after each pause, seconds, while a process runs; the first answer that counts."""
    deadline = time.monotonic() + 900
    while not (found := ready()):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-6000:]
        time.sleep(pause)
    return found


def test_a_run_with_lost_jobs_has_the_bytes_of_a_local_one(
    fresh: Workplace, finished_once: Workplace, slurm: dict[str, str]
) -> None:
    fresh.set_parameters(lambda tree: tree["benchmarks"]["tiny"].update(folds_per_job=3))
    log_in(fresh, slurm)
    scratch, log = fresh.root.parent / "scratch", fresh.root.parent / "cluster.log"
    fresh.environment["UGCL_SCRATCH"] = f"{scratch}/$SLURM_JOB_ID"
    command = [*PROFILE, "all", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10"]
    command += ["--default-resources", "slurm_partition=cpu", "--set-resources", "gpu:slurm_partition=gpu"]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=fresh.root, env=fresh.environment, stdout=out, stderr=out)
    try:
        lose_jobs(fresh, slurm, process, log)
        assert process.wait(1200) == 0, log.read_text()[-6000:]
    finally:
        process.terminate()
        process.wait()

    found, expected = content(fresh.root), content(finished_once.root)
    assert len(expected) > 150
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert "resuming after epoch" in (fresh.root / LOG).read_text()
    asked_for(jobs(slurm))
    trained = {job["JobId"] for job in jobs(slurm) if "rule_train" in job.get("Comment", "")}
    assert trained <= {path.parent.name for path in scratch.glob("*/*.safetensors")}
    assert "Nothing to be done" in fresh.snakemake("all"), "what the cluster made is current here"


def lose_jobs(
    workplace: Workplace, slurm: dict[str, str], process: subprocess.Popen[bytes], log: Path
) -> None:
    """Cancel a training after its first fold, and have it pre-empted when it runs again.

    It lasts for a second only, so it is halted until Slurm acts.
    """

    def halted_when(ready: Callable[[], bool]) -> str:
        training = wait_for(lambda: _training(workplace.root), process, log)
        wait_for(ready, process, log, pause=0.005)
        training.suspend()
        (job,) = [
            job["JobId"]
            for job in jobs(slurm)
            if job["JobState"] == "RUNNING" and job.get("Comment", "").endswith("wildcards_ugcl")
        ]
        return job

    first = halted_when((workplace.root / RUN / "resume/state.safetensors").exists)
    subprocess.run(["scancel", first], env=slurm, check=True)
    wait_for(lambda: _training(workplace.root) is None, process, log)
    second = halted_when(lambda: "resuming after epoch" in (workplace.root / LOG).read_text())
    assert second != first
    urgent = ["sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 1"]
    subprocess.run(urgent, env=slurm, check=True, capture_output=True)
    wait_for(lambda: _of(second, slurm)["Restarts"] == "1", process, log)


def _training(root: Path) -> psutil.Process | None:
    """The process that trains the system `ugcl` in a project."""
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            if line[1:6] == ["-m", "ugcl", "train", "tiny", "ugcl"] and Path(process.cwd()) == root:
                return process
        except psutil.Error:  # it has ended, or is another user's
            continue
    return None


def _of(number: str, slurm: dict[str, str]) -> dict[str, str]:
    return next(job for job in jobs(slurm) if job["JobId"] == number)


def asked_for(found: list[dict[str, str]]) -> None:
    """GPUs for what runs networks, and the partition that goes with them; no job for what takes a moment."""
    submitted = [job for job in found if "Comment" in job]
    with_gpu = {
        job["Comment"].split("_wildcards")[0] for job in submitted if "gpu" in job.get("TresPerJob", "")
    }
    networks = {"train_tiny_seed_0_fold_1_2_3", "predict_tiny", "cost", "represent", "robustness"}
    assert with_gpu == {f"rule_{name}" for name in networks}
    for job in submitted:
        assert job["Partition"] == ("gpu" if "gpu" in job.get("TresPerJob", "") else "cpu")
    moments = "rule_(split|check_folds|quarantine|summary|tables|cards|site|workflow_report)"
    assert not [job for job in submitted if re.match(moments, job["Comment"])]
    assert len(submitted) <= 25, "jobs too short for the queue share one"


def test_a_cluster_that_forgets_jobs_is_refused_in_one_line(fresh: Workplace, tmp_path: Path) -> None:
    with slurm_cluster.started(tmp_path / "slurm", minimum_job_age=30) as environment:
        log_in(fresh, environment)
        text = fresh.run(*PROFILE, "data", code=1).stdout
    assert "forgotten 30 s after their end" in text and "MinJobAge=300" in text
    assert "Traceback" not in text
    assert not (fresh.root / "data/manifests/tiny.csv").exists()
