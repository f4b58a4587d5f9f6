"""A method outside the package, made exactly as CONTRIBUTING.md shows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from tests.unit.training.made_project import make_project
from ugcl.cli.main import app
from ugcl.errors import UgclError


def blocks(project: Path) -> tuple[str, dict]:
    """The module and the parameters that the page shows."""
    text = (project / "CONTRIBUTING.md").read_text().split("*A method of your own*")[1]
    module = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    return module, yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])


def ugcl(root: Path, *arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "ugcl", *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def root(tmp_path: Path, project: Path) -> Path:
    make_project(tmp_path)
    module, changes = blocks(project)
    (tmp_path / "my_method.py").write_text(module)
    params = yaml.safe_load((tmp_path / "params.yaml").read_text())
    params["systems"] |= changes["systems"]
    params["active"] = ["made"]
    params["benchmarks"]["made"].update(systems=["ugcl", "concat", "mine"], folds=[1])
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    return tmp_path


def test_the_page_needs_forty_lines(project: Path) -> None:
    assert len(blocks(project)[0].splitlines()) <= 40


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("my_method:", "my_methods:", "systems.mine: method my_methods:"),
        ("my_method:", "my_method:X", "has no attribute 'X"),
        ("name: my_method", "depths: 3\n      name: my_method", "systems.mine: method.depths: "),
    ],
)
def test_mistakes_in_its_parameters_are_found_before_anything_runs(
    root: Path, old: str, new: str, words: str
) -> None:
    assert "ok: active made" in ugcl(root, "params", "check")
    params = root / "params.yaml"
    assert old in params.read_text()
    params.write_text(params.read_text().replace(old, new))
    error = ugcl(root, "params", "check", code=1)
    assert words in error and "Traceback" not in error


def test_a_mistake_in_its_code_is_one_line(root: Path) -> None:
    (root / "my_method.py").write_text("def broken(:\n")
    assert "my_method.py, line 1: invalid syntax; fix it" in ugcl(root, "params", "check", code=1)
    assert "my_method.py, line 1: " in ugcl(root, "train", "made", "mine", code=1).splitlines()[-1]


def test_it_trains_predicts_and_loads_again(root: Path) -> None:
    ugcl(root, "train", "made", "mine")
    folder = root / "results/models/made/mine/seed0/fold1"
    history = pd.read_csv(folder / "history.csv")
    assert list(history.columns[:5]) == ["epoch", "lr", "loss", "classification", "agreement"]
    total = 0.7 * history["classification"] + 0.2 * history["agreement"]
    assert history["loss"].to_numpy() == pytest.approx(total.to_numpy(), abs=2e-5)
    assert history["classification"].iloc[-1] < history["classification"].iloc[0]
    ugcl(root, "evaluate", "predict", "made", "mine")
    predicted = pd.read_csv(root / "results/predictions/made/mine/seed0/fold1.csv")
    assert len(predicted) == 12 and predicted["p_angry"].between(0, 1).all()
    card = json.loads((folder / "card.json").read_text())
    (root / "my_method.py").write_text((root / "my_method.py").read_text().replace(".var(", ".std("))
    planned = ugcl(root, "train", "made", "mine", "--lineage", card["lineage"], code=1)
    assert "code or parameters changed" in planned, "its source is part of the lineage"


def test_it_stands_in_the_tables_and_on_the_front_page(root: Path, project: Path, monkeypatch) -> None:
    """From training to the report, each command as a user types it but in one process, which starts once."""
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["benchmarks"]["made"].update(systems=["concat", "mine"], reference="concat")
    params["evaluate"] = {"bootstrap": 100, "permutations": 100, "robustness": []}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / "workflow/resources").mkdir(parents=True)
    shutil.copy(project / "workflow/resources/sources.csv", root / "workflow/resources")
    (root / "notebooks").symlink_to(project / "notebooks")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(root)
    of_systems = [
        f"{verb} made {name}" for verb in ("train", "evaluate predict") for name in ("concat", "mine")
    ]
    of_benchmark = [f"evaluate {verb} made" for verb in ("score", "cost", "tokens", "tables")]
    for command in (*of_systems, *of_benchmark, "evaluate summary", "report figures", "report tables"):
        assert CliRunner().invoke(app, command.split(), catch_exceptions=False).exit_code == 0, command
    with pytest.raises(UgclError, match="run `ugcl report cards` first"):
        CliRunner().invoke(app, ["report", "site"], catch_exceptions=False)
    for command in ("report cards", "report site"):
        assert CliRunner().invoke(app, command.split(), catch_exceptions=False).exit_code == 0, command
    summary = pd.read_csv("results/tables/summary.csv").query("metric == 'uar'").set_index("system")["value"]
    page = BeautifulSoup(Path("results/index.html").read_text(), "html.parser")
    rows = [row.get_text(" ", strip=True).split() for row in page.select("tbody tr")]
    assert any("mine" in row and f"{100 * summary['mine']:.1f}" in row for row in rows)
    sys.modules.pop("my_method")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("class MyMethod(", "class Other(", "has no attribute 'MyMethod'"),
        ("hidden: int", "hidden: str", "method.hidden"),
        ('return {"agreement"', 'return {"closeness"', "gives the terms closeness"),
        ("import torch\n", "import torch\nimport nowhere_to_be_found\n", "nowhere_to_be_found"),
    ],
)
def test_a_fault_is_one_line(root: Path, old: str, new: str, words: str) -> None:
    path = root / "my_method.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    output = ugcl(root, "train", "made", "mine", code=1)
    errors = [line for line in output.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and words in errors[0]


def test_the_doctor_says_what_the_ledger_does_not_see(root: Path, project: Path) -> None:
    stages = (project / "dvc.yaml").read_text().replace("data/raw/ravdess", "data/raw/made")
    (root / "dvc.yaml").write_text(stages)

    def ledger() -> str:
        found = json.loads(ugcl(root, "doctor", "--json"))
        return next(check["text"] for check in found if check["name"] == "ledger")

    assert "add `- my_method.py` to the deps of the stage lineage" in ledger()
    named = stages.replace("      - params.yaml\n", "      - params.yaml\n      - my_method.py\n", 1)
    (root / "dvc.yaml").write_text(named)
    assert "records every corpus, parameter file and method" in ledger()
