"""Fixtures that every room may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Tests run in a process a core: more threads would wait for one another, and bits depend on their number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root."""
    return PROJECT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The local mirror of real data: UGCL_MIRROR, else ../shared/data beside the project."""
    folder = Path(os.environ.get("UGCL_MIRROR") or PROJECT.parent / "shared" / "data").absolute()
    if not folder.is_dir():
        pytest.skip(f"no mirror of real data at {folder}; set UGCL_MIRROR")
    return folder
