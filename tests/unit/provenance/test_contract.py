"""dvc.yaml and the rules agree, and each way to break the contract is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from ugcl.errors import UgclError
from ugcl.provenance.contract import (
    RuleFile,
    Stage,
    check_parameter_files,
    faults,
    folders,
    read_stages,
    read_summary,
    unrecorded,
)

DATA = Stage("data", "snakemake data", (), ("data/raw", "data/splits"))
TRAIN = Stage("train", "snakemake train", ("data/splits",), ("results/models",))
SPLIT = RuleFile("data/splits/fold1.csv", "split", ())
RUN = RuleFile("results/models/a/model.safetensors", "run", ("data/splits/fold1.csv",))


def test_a_kept_contract_has_no_faults() -> None:
    assert faults([SPLIT, RUN], [DATA, TRAIN]) == []


def test_an_output_outside_every_out_is_a_fault() -> None:
    stray = RuleFile("elsewhere/x.csv", "stray", ())
    assert faults([stray], [DATA, TRAIN]) == ["elsewhere/x.csv (rule stray): lies under 0 DVC outs []"]


def test_an_output_under_two_outs_is_a_fault() -> None:
    greedy = Stage("greedy", "", (), ("data",))
    assert "2 DVC outs" in faults([SPLIT], [DATA, greedy])[0]


def test_a_name_that_only_begins_like_an_out_is_not_covered() -> None:
    sibling = RuleFile("data/splits-old/fold1.csv", "split", ())
    assert len(faults([sibling], [DATA])) == 1


def test_an_input_of_another_stage_must_be_a_dep() -> None:
    forgetful = Stage("train", "snakemake train", (), ("results/models",))
    (fault,) = faults([SPLIT, RUN], [DATA, forgetful])
    assert fault == "stage train: rule run reads data/splits/fold1.csv, which is not a dep"


def test_summary_is_read_from_the_header_on() -> None:
    text = (
        "Building DAG of jobs...\n"
        "output_file\tdate\trule\tlog-file(s)\tinput-file(s)\tshellcmd\tstatus\tplan\n"
        "b.csv\t-\tsecond\t-\ta.csv,c.csv\tcat 'x\"\tok\tno update\n"
        "Done.\n"
    )
    assert read_summary(text) == [RuleFile("b.csv", "second", ("a.csv", "c.csv"))]
    with pytest.raises(UgclError, match="no header line"):
        read_summary("nothing")


def test_raw_trees_whose_changes_no_stage_sees_are_named() -> None:
    roots = [Path("data/raw/demo"), Path("/clips/mine")]
    stage = Stage("data", "", ("/clips",), ("data/raw/demo", "data/splits"))
    assert unrecorded(roots, [stage]) == []
    assert unrecorded(roots, [Stage("data", "", (), ("data/raw/demo",))]) == [Path("/clips/mine")]


def test_folders_are_the_outs_without_a_suffix_and_the_raw_trees(tmp_path: Path) -> None:
    ledger = tmp_path / "dvc.yaml"
    ledger.write_text(
        "stages: {a: {cmd: x, deps: [data/raw/b, ugcl], outs: [data/a: {cache: false}, .ledger/a]}}"
    )
    assert folders(ledger) == [Path("data/a"), Path("data/raw/b")]


def test_what_dvc_checks_out_lies_in_its_own_tree_alone(project: Path) -> None:
    # DVC removes whatever else lies in a folder that it checks out, before an experiment and without asking.
    stages = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    outs = [out for stage in stages.values() for out in stage["outs"]]
    checked_out = [name for out in outs for name, options in out.items() if options.get("cache", True)]
    assert checked_out == [f".ledger/{name}" for name in ("data", "features", "train", "evaluate", "report")]


def test_a_cached_folder_of_results_is_a_fault() -> None:
    exposed = Stage("train", "", (), ("results/models",), cached=("results/models",))
    assert "DVC would remove what is put there" in faults([], [exposed])[0]


def test_the_listing_of_a_raw_tree_may_lie_under_a_dep() -> None:
    listing = RuleFile("data/raw/mine/fetched.csv", "fetch", ())
    media = RuleFile("data/raw/mine/clip.wav", "fetch", ())
    stage = Stage("data", "", ("data/raw/mine",), ("data/splits",))
    assert faults([listing], [stage]) == []
    assert len(faults([media], [stage])) == 1


def test_what_owners_and_users_bring_is_recorded_and_never_an_out(project: Path) -> None:
    stages = read_stages(project / "dvc.yaml")
    outs = {out for stage in stages for out in stage.outs}
    brought = {f"data/raw/{name}" for name in ("crema_d", "iemocap", "meld", "msp_improv", "ravdess")}
    assert brought <= set(stages[1].deps)
    assert not outs & {*brought, "data/raw", "data"}


def test_stages_are_read_with_their_outs(project: Path) -> None:
    stages = {stage.name: stage for stage in read_stages(project / "dvc.yaml")}
    assert list(stages) == ["lineage", "data", "features", "train", "evaluate", "report"]
    assert stages.pop("lineage").command == "python -m ugcl lineage"
    assert stages["train"].results == ("results/models",)
    assert stages["train"].cached == (".ledger/train",)
    assert all(stage.command == f"python -m ugcl stage {name}" for name, stage in stages.items())


def test_a_parameter_file_that_no_stage_names_is_refused(project: Path, tmp_path: Path) -> None:
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(project / name, tmp_path / name)
    shutil.copytree(project / "params", tmp_path / "params")
    check_parameter_files(tmp_path / "dvc.yaml")
    (tmp_path / "params/mine.yaml").write_text("extraction: {workers: 2}\n")
    with pytest.raises(UgclError, match=r"^params/mine\.yaml: not named in dvc\.yaml; add `- .*KEY"):
        check_parameter_files(tmp_path / "dvc.yaml")
    ledger = yaml.safe_load((tmp_path / "dvc.yaml").read_text())
    ledger["stages"]["features"]["params"].append({"params/mine.yaml": ["extraction"]})
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(ledger))
    check_parameter_files(tmp_path / "dvc.yaml")
