"""What runs were made with is counted from their cards; what differed between runs has two rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures import finished
from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.evaluation.schemas.summary import ENVIRONMENT
from ugcl.evaluation.tables.environment import environment
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths

FOLDS = 6


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path) -> Config:
    monkeypatch.chdir(tmp_path)
    config = finished.parameters(project)
    finished.finish(config, "demo", sentences=1)
    return config


def test_every_run_is_counted_and_a_file_by_those_that_read_it(config: Config) -> None:
    frame = environment(config, "demo")
    runs = len(finished.SKILL) * 2 * FOLDS
    assert tuple(frame) == ENVIRONMENT and list(dict.fromkeys(frame["kind"])) == [
        "code",
        "software",
        "device",
        "data",
    ]
    counts = frame.set_index("item")["runs"]
    assert counts["commit"] == counts["torch"] == counts["train"] == runs
    data = frame[frame["kind"] == "data"]
    assert len(data) == FOLDS and (data["runs"] == runs // FOLDS).all()
    assert data["content"].tolist() == [f"{fold:064d}" for fold in range(1, FOLDS + 1)]


def test_runs_that_differ_show_it_and_a_commit_may_be_unknown(config: Config) -> None:
    first, second, *_ = outputs.cards(config, "demo", "concat")
    card = json.loads(first.read_text())
    first.write_text(json.dumps(card | {"versions": {"torch": "2.12.0"}}))
    other = json.loads(second.read_text())
    second.write_text(json.dumps(other | {"commit": "", "versions": {}}))
    frame = environment(config, "demo").set_index(["item", "content"])["runs"]
    assert frame["torch", "2.12.0"] == 1
    assert frame["torch", "2.11.0"] == len(finished.SKILL) * 2 * FOLDS - 2
    assert frame["commit", "not known"] == 1


def test_a_broken_card_is_named(config: Config) -> None:
    path = paths.MODELS / paths.run("demo", "concat", 1, 3) / "card.json"
    path.write_text("{")
    with pytest.raises(UgclError, match=r"concat/seed1/fold3/card\.json"):
        environment(config, "demo")


def test_the_table_is_not_among_those_that_are_equal_on_a_re_run() -> None:
    assert "environment" in outputs.UNSTABLE
    assert paths.TABLES not in outputs.table("demo", "environment").parents
