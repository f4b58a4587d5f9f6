"""A trained system uses its codebook, and the history would tell if it did not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.training.run import train_runs
from ugcl.training.state.checkpoint import load_run


def history(folder: Path, monkeypatch: pytest.MonkeyPatch, **method: object) -> pd.DataFrame:
    make_project(folder, epochs=8, monitor_test=False)
    tree = yaml.safe_load((folder / "params.yaml").read_text())
    tree["method"] |= method
    (folder / "params.yaml").write_text(yaml.safe_dump(tree))
    monkeypatch.chdir(folder)
    (run,) = train_runs(config.load(), "made", "ugcl", [0], [1])
    return pd.read_csv(run / "history.csv")


@pytest.mark.parametrize("method", [{}, {"granularities": ["frame", "segment", "clip"]}])
def test_no_token_dies_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: dict) -> None:
    rows = history(tmp_path, monkeypatch, **method)
    assert (rows["dead_tokens"] == 0).all()
    assert rows["token_perplexity"].iloc[-1] > 16 / 2, "of 16 tokens"
    assert rows["clip_perplexity"].iloc[-1] < rows["token_perplexity"].iloc[-1] - 0.1, "clips differ"


def test_a_codebook_that_collapses_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen cold from the start, clips crowd on few tokens."""
    rows = history(tmp_path, monkeypatch, token_temperature=0.01)
    assert rows["dead_tokens"].iloc[-1] > 0.25
    assert rows["clip_perplexity"].iloc[-1] < 2


def test_a_checkpoint_has_the_temperature_of_its_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 2 to 0.1 on a geometric path over 8 epochs; the scores are divided by it."""
    history(tmp_path, monkeypatch, token_temperature=2.0, token_temperature_end=0.1)
    model, card = load_run(Path("results/models/made/ugcl/seed0/fold1"))
    expected = 20 ** ((card.selected.epoch - 1) / 7)
    assert model.tokens.cooling.item() == pytest.approx(expected, rel=1e-5)
