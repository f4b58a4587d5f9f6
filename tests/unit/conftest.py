"""A small finished project of real clips, and the command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.fixtures import trained
from ugcl import config as configuration
from ugcl.cli.main import app
from ugcl.config import Config
from ugcl.errors import UgclError


@pytest.fixture(scope="session")
def tiny_folder(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny clips encoded, with runs of three systems and their predictions; read it only."""
    folder = tmp_path_factory.mktemp("tiny")
    trained.finish(project, folder)
    return folder


@pytest.fixture
def tiny(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A copy of it, now the working folder."""
    shutil.copytree(tiny_folder, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return configuration.load()


@pytest.fixture
def ugcl() -> Callable[..., Result]:
    """Runs the command as a shell would; `code` is the exit code it must have."""

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(arguments))
        if isinstance(result.exception, UgclError):
            result.exit_code, result.error = 1, str(result.exception)
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return run
