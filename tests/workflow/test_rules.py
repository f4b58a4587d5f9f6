"""Every rule can be addressed, quotes what it passes on, and refuses what cannot be made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workflow.conftest import Workplace

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

APPTAINER = """#!/bin/sh
# Stands for the real command: it says its version, or notes the image and runs the command without it.
[ "$1" = --version ] && { echo "apptainer version 1.3.4"; exit 0; }
while [ "$1" != sh ] && [ "$1" != bash ]; do image="$1"; shift; done
echo "$image" >> images.txt
exec "$@"
"""


def jobs(plan: str) -> list[tuple[str, str]]:
    """Rule and lines of every job that a dry run prints."""
    blocks = re.findall(r"^(?:local)?rule (\S+):\n((?:    .*\n)+)", plan, flags=re.M)
    assert blocks
    return blocks


def resources(plan: str, work: str) -> list[str]:
    """What the jobs of a kind of work ask for."""
    found = [lines for rule, lines in jobs(plan) if rule == work or rule.startswith(f"{work}_")]
    return [re.search(r"resources: (.*)", lines)[1] for lines in found if "resources: " in lines]


def test_one_override_reaches_all_rules_of_a_work_and_no_other(fresh: Workplace) -> None:
    fresh.set_parameters(lambda t: t["benchmarks"]["tiny"].update(folds_per_job=2))
    overrides = ["train:mem_mb=9000", "score:mem_mb=4321", "train_tiny_seed_0_fold_3:runtime=7"]
    plan = fresh.snakemake(
        "-n", "all", "--set-resources", *overrides, "--set-threads", "predict=2", "--cores", "4"
    )
    trained = resources(plan, "train_tiny")
    assert len(trained) == 6
    assert all("mem_mb=9000," in lines for lines in trained)
    assert sum("runtime=7," in lines for lines in trained) == 3, "the rule's own name adds to the work's"
    assert all("mem_mb=4321," in lines for lines in resources(plan, "score"))
    others = [lines for rule, lines in jobs(plan) if not rule.startswith(("train", "score"))]
    assert not any("mem_mb=9000" in lines or "mem_mb=4321" in lines for lines in others)
    threads = {rule for rule, lines in jobs(plan) if "threads: 2" in lines}
    assert threads == {"predict_tiny"}


def test_memory_of_a_system_comes_from_the_parameters(fresh: Workplace) -> None:
    needs = {"train": {"runtime": 33, "systems": {"ugcl": {"mem_mb": 7777}}}}
    fresh.set_parameters(lambda t: t.update(resources=needs))
    asked = {}
    for rule, lines in jobs(fresh.snakemake("-n", "train")):
        if rule.startswith("train_tiny"):
            asked.setdefault(re.search(r"system=(\S+)", lines)[1], set()).update(
                re.findall(r"(?:mem_mb|runtime)=\d+", lines)
            )
    assert asked["ugcl"] == {"mem_mb=7777", "runtime=33"}
    assert asked["audio-only"] == {"mem_mb=1500", "runtime=33"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["corpora"]["tiny"].update(table="clips_v2.csv"), "clips/clips_v2.csv not found"),
        (lambda t: t["corpora"]["tiny"].update(root="clips-v2"), "folder clips-v2 not found"),
        (lambda t: t["report"]["notebooks"].append("11_mine"), "notebooks/11_mine.py not found"),
    ],
)
def test_a_missing_input_stops_before_old_results_can_stand(finished: Workplace, change, words: str) -> None:
    finished.set_parameters(change)
    output = finished.snakemake("all", code=1)
    assert words in output
    assert "Traceback" not in output and "Nothing to be done" not in output and "rule " not in output


def test_an_encoder_without_a_rule_is_never_replaced_by_its_old_features(finished: Workplace) -> None:
    def change(tree):
        tree["encoders"]["local/logmel-40"] = {"kind": "logmel", "bands": 40, "pool": 16}
        tree["benchmarks"]["tiny"]["features"]["audio"] = "local/logmel-40"

    finished.set_parameters(change)
    output = finished.snakemake("evaluate", code=1)
    assert "local/logmel-40" in output and "Traceback" not in output and "rule score" not in output


def test_jobs_run_in_the_image_where_it_is_asked_for_and_nowhere_else(
    fresh: Workplace, tmp_path: Path
) -> None:
    command = tmp_path / "bin" / "apptainer"
    command.parent.mkdir()
    command.write_text(APPTAINER)
    command.chmod(0o755)
    fresh.environment["PATH"] = f"{command.parent}:{fresh.environment['PATH']}"
    image = fresh.root / "workflow/container/ugcl.sif"
    image.write_text("an image")
    assert "rule manifest" in fresh.snakemake("-n", "data", "--sdm", "apptainer")
    manifest = "data/manifests/tiny.csv"
    fresh.snakemake(manifest)
    assert not (fresh.root / "images.txt").exists()
    fresh.snakemake("data", "--sdm", "apptainer")
    used = (fresh.root / "images.txt").read_text().split()
    assert len(used) == 4, "the check of the folds, and one for each"
    assert {(fresh.root / name).resolve() for name in used} == {image.resolve()}
    assert (fresh.root / "data/splits/tiny/three/fold1.csv").is_file()


def test_a_gpu_that_is_not_here_is_refused_when_the_workflow_is_read(fresh: Workplace) -> None:
    fresh.environment |= {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}  # hidden
    fresh.set_parameters(lambda t: t["evaluate"].update(accelerator="cuda"))
    for arguments in (["-n", "all"], ["all"]):
        text = fresh.snakemake(*arguments, code=1)
        assert "evaluate.accelerator: cuda, but this machine has no GPU" in text
        assert "Traceback" not in text and "rule make" not in text
    # Jobs that a cluster runs: only then is there a number of nodes. And a command that runs no job.
    fresh.snakemake("-n", "all", "--jobs", "3")
    fresh.snakemake("--unlock")


def test_a_cluster_s_gpu_is_asked_for_by_the_jobs_that_use_one_and_changes_no_result(
    finished: Workplace,
) -> None:
    """As profiles/slurm says it; this machine, which only plans, need have none."""
    asked = ["--default-resources", "slurm_partition=cpu", "--set-resources", "gpu:slurm_partition=gpu"]
    asked += ["gpu:gres=gpu:a100:1", "predict:slurm_partition=short", "--resources", "gpu=4"]
    assert "Nothing to be done" in finished.snakemake("all", "-n", *asked)
    plan = finished.snakemake("all", "-n", "--forceall", *asked)
    for work in ("train_tiny", "robustness", "cost", "represent"):
        assert resources(plan, work)
        for line in resources(plan, work):
            assert "gpu=1" in line and "slurm_partition=gpu" in line and "gres=gpu:a100:1" in line
    assert all("slurm_partition=short" in line for line in resources(plan, "predict_tiny"))
    for work in ("encode", "faces", "score"):
        for line in resources(plan, work):
            assert "slurm_partition=cpu" in line and "gpu=1" not in line and "a100" not in line
    refused = finished.snakemake("all", "-n", "--set-resources", "gpu:mem_mb=5", code=1)
    assert "set-resources gpu: mem_mb" in refused and "Traceback" not in refused
