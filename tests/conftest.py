"""Fixtures that every room may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Tests run in a process a core: more threads would wait for one another, and bits depend on their number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A machine that does other work is slow now and then; tests state behaviour, not speed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

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
