"""Published systems that keep a state, draw numbers or change gradients, killed, end in the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.training.ended import end_after
from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.training.run import train_runs

FILES = Path("results/models/made/ugcl/seed0/fold1")


def trained() -> tuple[bytes, list[str]]:
    train_runs(config.load(), "made", "ugcl", [0], [1])
    rows = (FILES / "history.csv").read_text().splitlines()
    return (FILES / "model.safetensors").read_bytes(), [row.rpartition(",")[0] for row in rows]


@pytest.mark.parametrize("name", ["ogm_ge", "gap_penalty", "cberl", "drkf"])
def test_a_killed_run_ends_in_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(tmp_path, epochs=5, batch=6, save_every=0)
    tree = yaml.safe_load((tmp_path / "params.yaml").read_text())
    tree["method"] = {"name": name}
    tree["systems"] = {name: {} for name in tree["systems"]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    monkeypatch.chdir(tmp_path)
    undisturbed = trained()
    end_after(3, FILES, trained)
    assert trained() == undisturbed
