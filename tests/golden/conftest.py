"""Where the golden files lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference(project: Path) -> Callable[[str, str], Path]:
    """Find a golden file: the one an environment variable names, else by its name in `shared/reference`."""

    def find(name: str, variable: str) -> Path:
        named = os.environ.get(variable)
        path = Path(named) if named else project.parent / "shared" / "reference" / name
        if not path.is_file():
            if named:
                pytest.fail(f"{variable}: {named} is not there")
            pytest.skip(f"no golden file: set {variable} to {name}")
        return path

    return find
