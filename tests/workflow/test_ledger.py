"""DVC records what Snakemake made, brings it to another machine, and refuses to bless what differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import Workplace

NOTHING = "Nothing to be done"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("experiments")]


@pytest.fixture(scope="module")
def recorded(recorded_once: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A recorded copy, pushed to a local remote."""
    root = tmp_path_factory.mktemp("pushed") / "project"
    shutil.copytree(recorded_once.root, root, symlinks=True)
    workplace = Workplace(root)
    workplace.run("dvc", "remote", "add", "-d", "store", str(root.parent / "store"))
    workplace.commit("remote")
    workplace.run("dvc", "push")
    return workplace


def test_status_is_clean_and_metrics_are_shown(recorded: Workplace) -> None:
    assert json.loads(recorded.run("dvc", "status", "--json").stdout.splitlines()[-1]) == {}
    metrics = json.loads(recorded.run("dvc", "metrics", "show", "--json").stdout)
    shown = json.dumps(metrics)
    assert "ugcl" in shown
    assert "uar" in shown


def test_push_clone_pull_adopt_nothing_to_do(recorded: Workplace, tmp_path: Path) -> None:
    recorded.run("git", "clone", "-q", str(recorded.root), str(tmp_path / "clone"))
    clone = Workplace(tmp_path / "clone")
    refused = clone.run("ugcl", "adopt", code=1).stdout
    assert "differ from dvc.lock" in refused
    assert not (clone.root / "results/models/tiny").exists()
    clone.run("dvc", "pull")
    clone.run("ugcl", "adopt")
    assert NOTHING in clone.snakemake("all")


def test_adopt_refuses_a_changed_result(recorded: Workplace, tmp_path: Path) -> None:
    recorded.run("git", "clone", "-q", str(recorded.root), str(tmp_path / "clone"))
    clone = Workplace(tmp_path / "clone")
    clone.run("dvc", "pull")
    clone.run("ugcl", "adopt")
    history = clone.root / "results/models/tiny/ugcl/seed0/fold1/history.csv"
    before = history.read_bytes()
    history.unlink()  # the recorded copy is a link to it
    history.write_bytes(before + b"\n")
    assert "history.csv" in clone.run("ugcl", "adopt", code=1).stdout
    assert history.read_bytes() == before + b"\n", "what is recorded nowhere is not replaced"
    history.unlink()
    clone.run("ugcl", "adopt")
    assert history.read_bytes() == before


def test_adopt_refuses_a_changed_copy(recorded: Workplace, tmp_path: Path) -> None:
    recorded.run("git", "clone", "-q", str(recorded.root), str(tmp_path / "clone"))
    clone = Workplace(tmp_path / "clone")
    clone.run("dvc", "pull")
    history = clone.root / ".ledger/train/files/results/models/tiny/ugcl/seed0/fold1/history.csv"
    history.write_text(history.read_text() + "\n")
    assert "train" in clone.run("ugcl", "adopt", code=1).stdout
    clone.run("dvc", "checkout", "--force")
    clone.run("ugcl", "adopt")
    assert NOTHING in clone.snakemake("all")


def test_an_experiment_recomputes_what_depends_on_it(recorded: Workplace, tmp_path: Path) -> None:
    recorded.run("git", "clone", "-q", str(recorded.root), str(tmp_path / "clone"))
    clone = Workplace(tmp_path / "clone")
    clone.run("git", "config", "user.name", "t")
    clone.run("git", "config", "user.email", "t@example.org")
    clone.run("dvc", "pull")
    clone.run("ugcl", "adopt")
    output = clone.run("dvc", "exp", "run", "-S", "benchmarks.tiny.overrides.train.epochs=1").stdout
    assert "rule train_tiny_seed_0_fold_1:" in output
    assert "rule encode" not in output
    assert "epochs" in clone.run("dvc", "params", "diff").stdout
    curves = pd.read_csv(clone.root / "results/tables/tiny/learning_curves.csv")
    assert curves["epoch"].max() == 1
    assert json.loads(clone.run("dvc", "metrics", "show", "--json").stdout)


def test_an_experiment_may_set_parameters_of_every_file(recorded: Workplace, tmp_path: Path) -> None:
    recorded.run("git", "clone", "-q", str(recorded.root), str(tmp_path / "clone"))
    clone = Workplace(tmp_path / "clone")
    clone.run("git", "config", "user.name", "t")
    clone.run("git", "config", "user.email", "t@example.org")
    clone.run("dvc", "pull")
    clone.run("ugcl", "adopt")

    def rates() -> dict[str, float]:
        cards = clone.root.glob("results/models/tiny/*/seed0/fold1/card.json")
        return {path.parts[-4]: json.loads(path.read_text())["run"]["train"]["lr"] for path in cards}

    before = rates()
    assert set(before) == {"ugcl", "ugcl-no-snd", "audio-only"} and len(set(before.values())) == 1
    own = "params/systems.yaml:+systems.audio-only.train.lr=0.25"  # +: the system has no such key so far
    output = clone.run("dvc", "exp", "run", "-S", own).stdout
    assert output.count("rule train_tiny_seed_0_fold_") == 3, "of one system of three"
    assert rates() == before | {"audio-only": 0.25}
    row = "params/grids.yaml:grids.ablations.rows.no-snd.method.weights.matching=0.25"
    output = clone.run("dvc", "exp", "run", "-S", "train.lr=0.125", "-S", row).stdout
    assert output.count("rule train_tiny_seed_0_fold_") == 6, "of the two others"
    assert rates() == {"ugcl": 0.125, "ugcl-no-snd": 0.125, "audio-only": 0.25}
    card = json.loads((clone.root / "results/models/tiny/ugcl-no-snd/seed0/fold1/card.json").read_text())
    assert card["run"]["method"]["weights"]["matching"] == 0.25
    changed = clone.run("dvc", "params", "diff").stdout
    assert "train.lr" in changed and "grids.ablations.rows.no-snd.method.weights.matching" in changed
    (clone.root / "params/mine.yaml").write_text("extraction: {workers: 1}\n")
    refused = clone.snakemake("-n", "all", code=1)
    assert "params/mine.yaml: not named in dvc.yaml" in refused and "Traceback" not in refused
    assert "FAULT  ledger" in clone.run("ugcl", "doctor", code=1).stdout


def test_doctor_calls_hard_links_a_fault(recorded: Workplace, tmp_path: Path) -> None:
    recorded.run("git", "clone", "-q", str(recorded.root), str(tmp_path / "clone"))
    clone = Workplace(tmp_path / "clone")
    checks = {c["name"]: c for c in json.loads(clone.run("ugcl", "doctor", "--json").stdout)}
    assert checks["dvc cache"]["ok"] is True
    clone.run("dvc", "config", "cache.type", "hardlink")
    output = clone.run("ugcl", "doctor", code=1).stdout
    assert "FAULT  dvc cache" in output
    assert "reflink,copy" in output


def test_persisted_results_survive_a_repro_after_a_crash(recorded: Workplace, tmp_path: Path) -> None:
    recorded.run("git", "clone", "-q", str(recorded.root), str(tmp_path / "clone"))
    clone = Workplace(tmp_path / "clone")
    clone.run("dvc", "pull")
    clone.run("ugcl", "adopt")
    folder = clone.root / "results/models/tiny/ugcl/seed0/fold2"
    before = (folder / "model.safetensors").read_bytes()
    for name in ("model.safetensors", "card.json", "history.csv"):
        (folder / name).unlink()
    output = clone.run("dvc", "repro", "train").stdout
    assert output.count("rule train_tiny_") == 1, "only the missing fold is trained"
    assert (folder / "model.safetensors").read_bytes() == before
