"""From raw media to a finished report, and nothing twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from ugcl.provenance.contract import faults, read_stages, read_summary

NOTHING = "Nothing to be done"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]


def digests(root: Path, pattern: str) -> dict[str, str]:
    """SHA-256 of files, by their path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.glob(pattern))
        if path.is_file()
    }


def planned(output: str, rule: str) -> int:
    """How many jobs a dry run plans of the rules whose name starts so."""
    table = output[output.index("Job stats:") : output.index("\ntotal ")]
    rows = [line.split() for line in table.splitlines()]
    return sum(int(row[1]) for row in rows if len(row) == 2 and row[0].startswith(rule) and row[1].isdigit())


def test_the_report_and_the_public_tables_are_there(finished_once) -> None:
    root = finished_once.root
    assert (root / "results/index.html").stat().st_size > 10_000
    made = (root / "results/reports/tiny/workflow.html").read_text()
    assert "train_tiny_seed_0_fold_1" in made and "forest" in made
    summary = pd.read_csv(root / "results/tables/summary.csv")
    assert ",".join(summary.columns) == (
        "benchmark,corpus,protocol,label_target,system,modalities,metric,value,ci_low,ci_high,"
        "folds,seeds,clips,speakers,lineage"
    )
    uar = summary[summary["metric"] == "uar"].set_index("system")
    assert {"ugcl", "ugcl-no-snd", "audio-only"} <= set(uar.index)
    trained = uar.loc[["ugcl", "ugcl-no-snd", "audio-only"]]
    assert (trained["ci_low"] <= trained["value"]).all()
    assert (trained["value"] <= trained["ci_high"]).all()
    assert (trained["clips"] == 12).all()
    assert trained["lineage"].str.fullmatch(r"[0-9a-f]{12}").all()


def test_predictions_cover_each_clip_once_and_sum_to_one(finished_once) -> None:
    files = sorted((finished_once.root / "results/predictions/tiny/ugcl/seed0").glob("fold*.csv"))
    frame = pd.concat(map(pd.read_csv, files))
    assert len(files) == 3
    assert frame["clip"].is_unique
    assert len(frame) == 12
    probabilities = frame[["p_angry", "p_happy", "p_neutral"]]
    assert (probabilities.sum(axis=1) - 1).abs().max() < 1e-5
    assert (probabilities.idxmax(axis=1).str.removeprefix("p_") == frame["predicted"]).all()


def test_a_second_run_has_nothing_to_do(finished) -> None:
    assert NOTHING in finished.snakemake("all")


def test_the_ledger_covers_every_file(finished_once) -> None:
    files = read_summary(finished_once.run("snakemake", "-D", "all").stdout)
    assert len(files) > 50
    assert faults(files, read_stages(finished_once.root / "dvc.yaml")) == []


def test_a_comment_recomputes_nothing_and_a_statement_what_depends_on_it(finished) -> None:
    loop = finished.root / "ugcl/training/loop.py"
    text = loop.read_text()
    loop.write_text(text + "\n# a remark\n")
    assert NOTHING in finished.snakemake("-n", "all")
    loop.write_text(text + "\nADDED = 1\n")
    plan = finished.snakemake("-n", "all")
    assert planned(plan, "train_tiny") == 9
    assert planned(plan, "encode") == 0


def test_one_systems_parameter_retrains_that_system_alone(finished) -> None:
    finished.set_parameters(lambda t: t["systems"]["audio-only"].update(train={"lr": 0.01}))
    assert planned(finished.snakemake("-n", "all"), "train_tiny") == 3


def test_folds_that_share_a_job_are_one_job_a_system(finished) -> None:
    finished.set_parameters(lambda t: t["benchmarks"]["tiny"].update(folds_per_job=2))
    plan = finished.snakemake("-n", "train")
    assert planned(plan, "train_tiny_seed_0_fold_1_2") == 3
    assert planned(plan, "train_tiny") == 3, "the last fold is in a job of its own, as before"


def test_wrong_labels_train_more_runs_and_no_other_again(finished) -> None:
    finished.set_parameters(lambda t: t["benchmarks"]["tiny"].update(label_noise={"ugcl": [0.1, 0.3]}))
    plan = finished.snakemake("-n", "all")
    jobs = [planned(plan, rule) for rule in ("train_tiny", "predict_tiny", "score", "robustness")]
    assert jobs == [6, 2, 0, 1]


def test_a_removed_system_leaves_the_tables_but_stays_on_disk(finished) -> None:
    finished.set_parameters(lambda t: t["benchmarks"]["tiny"].update(systems=["ugcl", "audio-only"]))
    finished.snakemake("evaluate")
    systems = set(pd.read_csv(finished.root / "results/tables/summary.csv")["system"])
    assert "ugcl-no-snd" not in systems
    assert (finished.root / "results/models/tiny/ugcl-no-snd/seed0/fold1/model.safetensors").exists()
    assert "results/models/tiny/ugcl-no-snd" in finished.run("ugcl", "prune").stdout


def test_data_splits_features_and_scores_come_out_byte_equal(finished) -> None:
    patterns = [
        "data/**/*",
        "results/models/**/model.safetensors",
        "results/predictions/**/*",
        "results/tables/**/*",
    ]
    before = [digests(finished.root, pattern) for pattern in patterns]
    finished.snakemake("--forceall", "evaluate")
    assert [digests(finished.root, pattern) for pattern in patterns] == before
    assert all(before)


def test_code_that_changed_since_the_plan_is_not_trained_under_its_name(finished_once) -> None:
    command = ["ugcl", "train", "tiny", "ugcl", "--fold", "1", "--lineage", "0" * 12]
    output = finished_once.run("python", "-m", *command, code=1).stdout
    assert "changed since the workflow planned this run" in output


def test_parameters_on_the_command_line_change_no_order(finished) -> None:
    finished.snakemake("-n", "all", "--config", "report={title: mine}")
    (merged,) = finished.root.glob(".snakemake/params-*.yaml")
    tree = yaml.safe_load(merged.read_text())
    assert tree["report"]["title"] == "mine"
    assert list(tree["systems"]) == list(finished.parameters()["systems"]), "their colours follow it"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("active=[nothing]", "active: 'nothing' is not in benchmarks"),
        ("train={lr: fast}", "train.lr"),
        ("trian={}", "trian: unknown key"),
    ],
)
def test_a_wrong_parameter_stops_before_any_job(finished_once, config: str, words: str) -> None:
    output = finished_once.snakemake("-n", "all", "--config", config, code=1)
    assert words in output
    assert "Traceback" not in output
