"""What is stale is decided by lineage: by DVC as by Snakemake, and where Snakemake's own records are lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflow.conftest import Workplace

NOTHING = "Nothing to be done"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]


def planned(output: str, rule: str) -> int:
    """How many jobs of the rules of this name a dry run plans."""
    jobs = [line.split() for line in output.split("Job stats:")[-1].splitlines()]
    return sum(int(job[1]) for job in jobs if len(job) == 2 and job[0].split("_")[0] == rule)


def set_dropout(workplace: Workplace) -> None:
    """A default of the code changes, as `git pull` brings it; params.yaml does not."""
    settings = workplace.root / "ugcl/config/system/encoder.py"
    text = settings.read_text()
    changed = text.replace("dropout: float = Field(0.2", "dropout: float = Field(0.5", 1)
    assert changed != text
    settings.write_text(changed)


def set_class_order(workplace: Workplace) -> None:
    """The order of a protocol's classes changes: no file of the stage data does."""
    protocol = ["neutral", "happy", "angry"]
    workplace.set_parameters(lambda t: t["corpora"]["tiny"]["protocols"]["three"].update(classes=protocol))


@pytest.fixture(scope="module")
def recorded_once(finished_once: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    root = tmp_path_factory.mktemp("recorded") / "project"
    shutil.copytree(finished_once.root, root, symlinks=True)
    workplace = Workplace(root)
    workplace.run("dvc", "repro")
    workplace.commit("recorded")
    return workplace


@pytest.fixture
def recorded(recorded_once: Workplace, tmp_path: Path) -> Workplace:
    root = tmp_path / "project"
    shutil.copytree(recorded_once.root, root, symlinks=True)
    return Workplace(root)


@pytest.mark.parametrize("change", [set_dropout, set_class_order])
def test_adopt_refuses_results_of_other_code_or_parameters(
    recorded: Workplace, change: Callable[[Workplace], None]
) -> None:
    change(recorded)
    stale = recorded.snakemake("-n", "all")
    assert planned(stale, "train") == 9
    assert "train" in recorded.run("ugcl", "adopt", code=1).stdout
    assert planned(recorded.snakemake("-n", "all"), "train") == 9


def test_adopt_refuses_stale_models_that_were_committed_by_force(recorded: Workplace) -> None:
    set_class_order(recorded)
    recorded.run("ugcl", "lineage")
    recorded.run("dvc", "commit", "--force")
    assert "card.json: trained with lineage" in recorded.run("ugcl", "adopt", code=1).stdout
    assert planned(recorded.snakemake("-n", "all"), "train") == 9


def test_dvc_runs_the_stages_that_snakemake_calls_stale(recorded: Workplace) -> None:
    set_dropout(recorded)
    output = recorded.run("dvc", "repro", "--dry").stdout
    assert "Running stage 'lineage'" in output  # what follows from it is known when it has run
    recorded.run("dvc", "repro", "lineage")
    status = json.loads(recorded.run("dvc", "status", "--json").stdout.splitlines()[-1])
    assert set(status) == {"train", "evaluate", "report"}


def test_dvc_runs_no_stage_for_a_comment(recorded: Workplace) -> None:
    loop = recorded.root / "ugcl/training/loop.py"
    loop.write_text(loop.read_text() + "\n# a remark\n")
    output = recorded.run("dvc", "repro").stdout
    assert "Running stage 'lineage'" in output
    assert output.count("Running stage") == 1
    assert json.loads(recorded.run("dvc", "status", "--json").stdout.splitlines()[-1]) == {}


def test_a_protocol_change_is_recomputed_by_dvc_repro(recorded: Workplace) -> None:
    set_class_order(recorded)
    recorded.run("dvc", "repro")
    predictions = recorded.root / "results/predictions/tiny/ugcl/seed0/fold1.csv"
    columns = predictions.read_text().splitlines()[0].split(",")
    assert [name for name in columns if name.startswith("p_")] == ["p_neutral", "p_happy", "p_angry"]
    assert NOTHING in recorded.snakemake("all")


@pytest.mark.parametrize("same_times", [False, True])
def test_stale_results_are_remade_where_snakemakes_records_are_lost(
    finished: Workplace, same_times: bool
) -> None:
    shutil.rmtree(finished.root / ".snakemake")
    if same_times:
        for path in finished.root.rglob("*"):
            if path.is_file() and ".git" not in path.parts:
                path.touch()
    plan = finished.snakemake("-n", "all")
    assert planned(plan, "train") == 0
    shutil.rmtree(finished.root / ".snakemake")
    finished.set_parameters(lambda t: t["train"].update(lr=0.05))
    plan = finished.snakemake("-n", "all")
    assert (planned(plan, "train"), planned(plan, "encode")) == (9, 0)


def test_a_table_that_is_replaced_by_an_older_file_is_read_again(finished: Workplace) -> None:
    table = finished.root / "clips/clips.csv"
    old = table.stat().st_mtime - 3600
    table.write_text(table.read_text().replace("\n", " \n", 1))
    os.utime(table, (old, old))
    assert planned(finished.snakemake("-n", "data"), "manifest") == 1


def test_results_of_unknown_origin_are_remade(finished: Workplace) -> None:
    shutil.rmtree(finished.root / ".snakemake")
    (finished.root / "results/provenance.jsonl").unlink()
    plan = finished.snakemake("-n", "all")
    assert (planned(plan, "train"), planned(plan, "encode"), planned(plan, "manifest")) == (9, 4, 1)


def test_weights_with_the_card_of_another_lineage_are_remade(finished: Workplace) -> None:
    shutil.rmtree(finished.root / ".snakemake")
    card = finished.root / "results/models/tiny/ugcl/seed0/fold2/card.json"
    content = json.loads(card.read_text())
    card.write_text(json.dumps(content | {"lineage": "0" * 12}))
    assert planned(finished.snakemake("-n", "all"), "train") == 1


def test_a_shard_that_changed_trains_anew(finished: Workplace) -> None:
    shard = finished.root / "data/features/tiny/hog/shard-2.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    plan = finished.snakemake("-n", "all")
    assert (planned(plan, "index"), planned(plan, "train"), planned(plan, "encode")) == (1, 9, 0)
    assert "encode this shard again" in finished.snakemake("all", code=1)


def test_a_dry_run_removes_nothing_where_files_are_missing(finished: Workplace) -> None:
    for name in ("data/features/tiny/hog/shard-2.safetensors", "data/manifests/tiny.csv"):
        (finished.root / name).unlink()
    trees = ("data", "results")
    before = {path for tree in trees for path in (finished.root / tree).rglob("*")}
    finished.snakemake("-n", "all")
    assert {path for tree in trees for path in (finished.root / tree).rglob("*")} == before


def test_a_seed_added_trains_just_that(finished: Workplace) -> None:
    runs = finished.root / "results/models/tiny"
    old = {path: path.read_bytes() for path in runs.rglob("model.safetensors")}
    times = {path: path.stat().st_mtime_ns for path in old}
    finished.set_parameters(lambda t: t["benchmarks"]["tiny"].update(seeds=[0, 1]))
    plan = finished.snakemake("-n", "all")
    assert (planned(plan, "train"), planned(plan, "encode")) == (9, 0)
    finished.snakemake("all")
    assert {path: path.stat().st_mtime_ns for path in old} == times
    assert len(list(runs.rglob("model.safetensors"))) == 18
    summary = (finished.root / "results/tables/summary.csv").read_text()
    seeds = summary.splitlines()[0].split(",").index("seeds")
    assert {line.split(",")[seeds] for line in summary.splitlines()[1:] if ",ugcl," in line} == {"2"}
    assert NOTHING in finished.snakemake("all")


def test_a_fold_added_trains_just_that(finished: Workplace) -> None:
    finished.set_parameters(lambda t: t["benchmarks"]["tiny"].update(folds=[1, 2]))
    finished.snakemake("evaluate")
    (finished.root / "results/predictions/tiny/ugcl/seed0/fold3.csv").unlink()
    shutil.rmtree(finished.root / "results/models/tiny/ugcl/seed0/fold3")
    finished.set_parameters(lambda t: t["benchmarks"]["tiny"].update(folds=[1, 2, 3]))
    plan = finished.snakemake("-n", "all")
    assert planned(plan, "train") == 1
    assert planned(plan, "predict") == 3
