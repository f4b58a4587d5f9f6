"""A corpus of one's own: what `ugcl init` writes runs, and folds are checked before any face or feature."""

from __future__ import annotations

import re

import pytest

from tests.workflow.conftest import Workplace

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]


def jobs(output: str) -> set[str]:
    """Rules of the jobs that a run starts or a dry run plans."""
    return set(re.findall(r"^(?:local)?rule (\w+):", output, flags=re.M))


def relabel(workplace: Workplace, old: str, new: str) -> None:
    table = workplace.root / "clips/clips.csv"
    lines = table.read_text().splitlines()
    table.write_text(
        "\n".join(f"{line[: -len(old)]}{new}" if line.endswith(old) else line for line in lines) + "\n"
    )


def test_a_bad_split_stops_before_faces_and_a_changed_scheme_makes_no_features_stale(
    fresh: Workplace,
) -> None:
    relabel(fresh, "1002,happy", "1002,bored")
    relabel(fresh, "1001,happy", "1001,bored")
    output = fresh.snakemake("features", code=1)
    assert "fold 1: test has no clip of class 'happy'" in output
    assert "manifest" in jobs(output) and jobs(output).isdisjoint({"faces", "encode"})
    assert not list(fresh.root.glob("data/faces/*/*")) + list(fresh.root.glob("data/features/*/*/*"))

    relabel(fresh, "1002,bored", "1002,happy")
    fresh.snakemake("features")
    log = (fresh.root / "logs/data/check-tiny.log").read_text()
    assert "left out: 1 label 'bored' is not a class (of 1 speakers)" in log

    def restratify(tree):
        tree["corpora"]["tiny"]["protocols"]["three"]["folds"] = {"scheme": "stratified", "folds": 3}

    fresh.set_parameters(restratify)
    plan = jobs(fresh.snakemake("-n", "data", "features"))
    assert "split" in plan and plan.isdisjoint({"check_folds", "faces", "encode", "index"})
    fresh.snakemake("data", "features")
    assert "Nothing to be done" in fresh.snakemake("-n", "data", "features")


def test_snakemake_takes_the_parameters_that_init_writes(fresh: Workplace) -> None:
    (fresh.root / "clips/clips.csv").unlink()
    fresh.run("ugcl", "init", "clips", "--name", "mine")
    fresh.environment["UGCL_PARAMS"] = "params-mine.yaml"
    plan = fresh.snakemake("-n", "all")
    assert {"manifest", "check_folds", "faces", "encode", "train_mine_seed_0_fold_4", "site"} <= jobs(plan)
    fresh.snakemake("data")
    assert (fresh.root / "data/splits/mine/main/fold4.csv").is_file()
    assert "ok     corpus mine" in fresh.run("ugcl", "doctor", code=None).stdout
