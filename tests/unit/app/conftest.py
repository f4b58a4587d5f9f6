"""The tiny project as one that was trained on synthetic clips, and its page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fixtures.served import ARGUMENTS, Served, chromium, served

MEGABYTES, SECONDS = "2", "20"


@pytest.fixture(scope="session")
def synthetic(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project, whose corpus its parameters call synthetic; read it only."""
    folder = tmp_path_factory.mktemp("synthetic") / "project"
    shutil.copytree(tiny_folder, folder)
    tree = yaml.safe_load((folder / "params.yaml").read_text())
    tree["corpora"]["tiny"]["synthetic"] = True
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder


@pytest.fixture(scope="session")
def app(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The running app of its system ugcl."""
    pytest.importorskip("gradio", reason="the browser app needs the extra `app`")
    scratch = tmp_path_factory.mktemp("scratch")
    with served(synthetic, scratch, "tiny/ugcl", "--max-mb", MEGABYTES, "--max-seconds", SECONDS) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium with a camera and a microphone that are not real."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()
