"""`dvc plots show` gives a page of pictures that needs no network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

from ugcl import config
from ugcl.plan import reports


@pytest.fixture(scope="module")
def plots(project: Path) -> list[str]:
    """What dvc.yaml has under `plots`."""
    return yaml.safe_load((project / "dvc.yaml").read_text())["plots"]


def test_every_plot_is_a_figure_that_the_report_draws(project: Path, plots: list[str], monkeypatch) -> None:
    monkeypatch.chdir(project)
    drawn = {path.as_posix() for path in reports.figure_outputs(config.load())}
    assert set(plots) <= drawn
    assert {re.sub(r".*demo_|\.png", "", path) for path in plots} >= {"confusion", "learning_curves"}


def test_the_page_of_plots_asks_for_nothing(project: Path, plots: list[str], tmp_path: Path) -> None:
    for path in plots:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40), "grey").save(tmp_path / path)
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"plots": plots}))
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run([*dvc, "init", "-q"], cwd=tmp_path, check=True)
    shutil.copy(project / ".dvc/config", tmp_path / ".dvc/config")
    done = subprocess.run([*dvc, "plots", "show"], cwd=tmp_path, capture_output=True, text=True, check=True)
    page = tmp_path / "dvc_plots/index.html"
    assert page.as_uri() in done.stdout
    text = page.read_text()
    assert "http:" not in text and "https:" not in text
    images = BeautifulSoup(text, "html.parser").select("img")
    assert len(images) == len(plots)
    assert all((page.parent / image["src"]).is_file() for image in images)
