"""A user chooses the profile for Slurm, and nothing else changes: on a real one, with jobs lost."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflow import slurm_cluster
from tests.workflow.conftest import Workplace
from tests.workflow.killed_steps import content

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
PROFILE = ("snakemake", "--workflow-profile", "profiles/slurm")
RUN = "results/models/tiny/ugcl/seed0/fold2"
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


def small(tree: dict[str, Any]) -> None:
    """Two systems, trained long enough to be stopped, and a few pages."""
    benchmark = tree["benchmarks"]["tiny"]
    benchmark["systems"], benchmark["folds_per_job"] = ["ugcl", "audio-only"], 3
    benchmark["overrides"]["train"].update(epochs=40, patience=40, save_every=0)
    tree["evaluate"]["robustness"] = ["missing:video"]
    tree["report"] = {"notebooks": ["01_data", "02_benchmark"]}


def jobs(environment: dict[str, str]) -> list[dict[str, str]]:
    """All jobs that Slurm remembers: what `scontrol` says of each."""
    command = ["scontrol", "--oneliner", "show", "jobs"]
    text = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [dict(re.findall(r"(\S+?)=(\S+)", line)) for line in text.splitlines() if line.startswith("JobId")]


def wait_for(ready: Callable[[], Any], process: subprocess.Popen[bytes], log: Path) -> Any:
    """Ask again and again, while a process runs; the first answer that counts."""
    deadline = time.monotonic() + 900
    while not (found := ready()):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-6000:]
        time.sleep(0.05)
    return found


def test_a_run_with_lost_jobs_has_the_bytes_of_a_local_one(fresh: Workplace, slurm: dict[str, str]) -> None:
    fresh.set_parameters(small)
    local = Workplace(fresh.root.parent / "local")
    shutil.copytree(fresh.root, local.root, symlinks=True)
    local.environment["PYTHONPATH"] = str(local.root)
    local.snakemake("all")

    log_in(fresh, slurm)
    scratch = fresh.root.parent / "scratch"
    fresh.environment["UGCL_SCRATCH"] = f"{scratch}/$SLURM_JOB_ID"
    command = [*PROFILE, "all", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10"]
    command += ["--default-resources", "slurm_partition=cpu", "--set-resources", "gpu:slurm_partition=gpu"]
    log = fresh.root / "cluster.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=fresh.root, env=fresh.environment, stdout=out, stderr=out)
    try:
        lose_jobs(fresh, slurm, process, log)
        assert process.wait(1200) == 0, log.read_text()[-6000:]
    finally:
        process.terminate()
        process.wait()

    found, expected = content(fresh.root), content(local.root)
    for made in (found, expected):
        del made["results/reports/tiny/workflow.html"]  # it has the run times of all jobs
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
    """Cancel a training in its second fold, and have it pre-empted when it runs again."""

    def running() -> list[dict[str, str]]:
        return [
            job
            for job in jobs(slurm)
            if job["JobState"] == "RUNNING" and job.get("Comment", "").endswith("wildcards_ugcl")
        ]

    wait_for((workplace.root / RUN / "resume/state.safetensors").exists, process, log)
    (job,) = running()
    subprocess.run(["scancel", job["JobId"]], env=slurm, check=True)

    def resumed() -> bool:
        others = [each for each in running() if each["JobId"] != job["JobId"]]
        return bool(others) and "resuming after epoch" in (workplace.root / LOG).read_text()

    wait_for(resumed, process, log)
    (again,) = running()
    urgent = ["sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 1"]
    subprocess.run(urgent, env=slurm, check=True, capture_output=True)
    wait_for(lambda: _of(again["JobId"], slurm)["Restarts"] == "1", process, log)


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
    assert len(submitted) <= 20, "jobs too short for the queue share one"


def test_a_cluster_that_forgets_jobs_is_refused_in_one_line(fresh: Workplace, tmp_path: Path) -> None:
    with slurm_cluster.started(tmp_path / "slurm", minimum_job_age=30) as environment:
        log_in(fresh, environment)
        text = fresh.run(*PROFILE, "data", code=1).stdout
    assert "forgotten 30 s after their end" in text and "MinJobAge=300" in text
    assert "Traceback" not in text
    assert not (fresh.root / "data/manifests/tiny.csv").exists()
