"""The page of the tiny project, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.browser import RECORDING, started
from tests.fixtures.served import Served, served

MEGABYTES, SECONDS = "2", "20"


@pytest.fixture(scope="session")
def app(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The running app of its system ugcl."""
    scratch = tmp_path_factory.mktemp("scratch")
    with served(
        tiny_folder, scratch, "tiny/ugcl", "--max-mb", MEGABYTES, "--max-seconds", SECONDS
    ) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium with a camera and a microphone that are not real."""
    with started(*RECORDING) as running:
        yield running
