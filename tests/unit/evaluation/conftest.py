"""A finished project to evaluate, made once and copied for each test that changes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures import finished
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.evaluation.tables import benchmark
from ugcl.evaluation.tables.score import score
from ugcl.evaluation.tables.summary import summarise
from ugcl.provenance import kept, lineage


@pytest.fixture(scope="session")
def predicted_folder(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    """A project whose demo was trained and predicted with seeds 0 and 1."""
    folder = tmp_path_factory.mktemp("predicted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        finished.finish(finished.parameters(project), "demo", sentences=2)
    return folder


@pytest.fixture(scope="session")
def summarised_folder(predicted_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, scored with lineage f00d and summarised."""
    folder = tmp_path_factory.mktemp("summarised") / "project"
    shutil.copytree(predicted_folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = configuration.load(Path("params.yaml"))
        score(config, "demo", dict.fromkeys(config.benchmarks["demo"].systems, "f00d"))
        benchmark.write(config, "demo")
        kept.record("demo", lineage.tables(config, "demo"))
        summarise(config, ["demo"])
    return folder


@pytest.fixture
def finished_project(predicted_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A copy of the predicted project, now the working folder."""
    return _copy(predicted_folder, tmp_path, monkeypatch)


@pytest.fixture
def summarised(summarised_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A copy of the summarised project, now the working folder."""
    return _copy(summarised_folder, tmp_path, monkeypatch)


def _copy(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    shutil.copytree(source, target / "project")
    monkeypatch.chdir(target / "project")
    return configuration.load(Path("params.yaml"))
