"""A run's card is read whole or refused with one line that names the file and the fault."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.fixtures import finished
from ugcl.errors import UgclError
from ugcl.training.state.checkpoint import save_run
from ugcl.training.state.records import read_card


@pytest.fixture
def fields() -> dict:
    made = finished.card(finished.history(np.random.default_rng(0)), "demo", "concat", 1, 3)
    return made | {"features": {"audio": {"encoder": "logmel", "dim": 6, "rate": 12.5, "later": 1}}}


def test_what_is_saved_is_read_with_its_types(tmp_path: Path, fields: dict) -> None:
    save_run(tmp_path, {"w": torch.zeros(1)}, fields | {"threads": 2})
    card = read_card(tmp_path)
    assert (card.system, card.seed, card.fold, card.parameters) == ("concat", 1, 3, 123456)
    assert card.selected.dev_uar == fields["selected"]["dev_uar"]
    assert card.features["audio"].dim == 6 and card.features["audio"].offset == 0
    written = json.loads((tmp_path / "card.json").read_text())
    weights = hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    assert written == fields | {"threads": 2, "files": {"model.safetensors": weights}}


def test_a_card_that_could_not_be_read_is_not_written(tmp_path: Path, fields: dict) -> None:
    del fields["selected"]
    with pytest.raises(ValidationError, match="selected"):
        save_run(tmp_path, {"w": torch.zeros(1)}, fields)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "not found; train this run first"),
        ("{", "Invalid JSON"),
        ('{"seed": 0}', "benchmark: Field required"),
        ("[]", "train this run again"),
    ],
)
def test_a_missing_or_damaged_card_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "card.json").write_text(text)
    with pytest.raises(UgclError, match=message) as caught:
        read_card(tmp_path)
    assert str(tmp_path / "card.json") in str(caught.value) and "\n" not in str(caught.value)


def test_cards_are_read_without_torch(project: Path) -> None:
    script = "import sys, ugcl.training.state.records; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=project, check=False).returncode == 0
