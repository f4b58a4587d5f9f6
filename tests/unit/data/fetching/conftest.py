"""A server that misbehaves, a client that gives up soon, and a project folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.data.fetching.http_server import Server, serve
from tests.unit.data.fetching.made_corpus import Project
from ugcl.config import read
from ugcl.data.fetching.download import Client


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as state:
        yield state


@pytest.fixture
def client() -> Client:
    """Quick to give up: three repetitions, no waiting to speak of."""
    return Client(retries=3, timeout=5, pause=0.001)


@pytest.fixture
def project_folder(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("UGCL_MIRROR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Client.__init__, "__defaults__", (3, 5, 0.001))
    tree = read(project / "params.yaml")
    tree["data"]["mirror"] = None
    return Project(tree, tmp_path)
