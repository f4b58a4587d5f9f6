"""Where the golden files lie, and how they are read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from torch import Tensor


@dataclass(frozen=True)
class Golden:
    """Numbers of one run of released code.

    Attributes:
        tensors: `weight.*`, `input.*`, `activation.*` and `output.*`.
        arguments: what the released network was built with. Tests read all sizes here or from the tensors, so
            that they hold for files of other sizes and seeds too.
    """

    tensors: dict[str, Tensor]
    arguments: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with a prefix, without it."""
        return {k.removeprefix(prefix): x for k, x in self.tensors.items() if k.startswith(prefix)}


@pytest.fixture(scope="session")
def peer() -> Callable[[str], Golden]:
    """Read a file of tests/golden/peers, or of the folder that UGCL_PEERS names."""

    def read(name: str) -> Golden:
        folder = Path(os.environ.get("UGCL_PEERS", Path(__file__).parent / "peers"))
        with safe_open(folder / f"{name}.safetensors", "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
            return Golden(tensors, json.loads(file.metadata()["kwargs"]))

    return read
