"""A summarised project to report on, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures import finished
from ugcl import config as configuration
from ugcl.config import Config


@pytest.fixture(scope="session")
def summarised_once(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    """A project with two benchmarks, the demo of 3 systems among them, up to results/tables."""
    folder = tmp_path_factory.mktemp("summarised")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        finished.summarised(project)
        shutil.copytree(project / "notebooks", folder / "notebooks")
    return folder


@pytest.fixture
def summarised(summarised_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A copy of the project, now the working folder."""
    shutil.copytree(summarised_once, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return configuration.load(Path("params.yaml"))
