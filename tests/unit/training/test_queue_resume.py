"""A run with a queue of past clips that is killed goes on to the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.training.ended import end_after
from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.training.run import train_runs
from ugcl.training.state import resume

FILES = Path("results/models/made/ugcl/seed0/fold1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_project(tmp_path, epochs=4, batch=6, save_every=0)
    tree = yaml.safe_load((tmp_path / "params.yaml").read_text())
    # Half an epoch of clips, so that what is lost at the kill would matter.
    tree["method"] |= {"contrast": {"queue": 24}, "matching": {"queue": 24, "negatives": "sample", "top": 4}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trained() -> tuple[bytes, list[str]]:
    train_runs(config.load(), "made", "ugcl", [0], [1])
    rows = (FILES / "history.csv").read_text().splitlines()
    return (FILES / "model.safetensors").read_bytes(), [row.rpartition(",")[0] for row in rows]


def test_a_killed_run_with_a_queue_ends_in_the_same_bits(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = trained()
    end_after(2, FILES, trained)
    assert trained() == undisturbed

    # The queue makes the difference: without it the run ends elsewhere.
    end_after(2, FILES, trained)
    load = resume.load

    def forgetful(folder: Path, key: str) -> resume.State | None:
        state = load(folder, key)
        assert any(x.any() for x in state.tensors["memory"].values()), "past clips were saved"
        state.tensors["memory"] = {name: x.zero_() for name, x in state.tensors["memory"].items()}
        return state

    monkeypatch.setattr(resume, "load", forgetful)
    assert trained()[1] != undisturbed[1]
