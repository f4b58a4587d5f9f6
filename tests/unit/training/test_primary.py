"""The protocol's primary metric chooses the epoch, and the settings of a search."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from sklearn import metrics as sk

from tests.unit.training.made_project import make_project
from tests.unit.training.made_search import change, make_search, peak
from ugcl import config
from ugcl.config.system.loss import Loss
from ugcl.config.system.train import Train
from ugcl.models.criterion import Criterion
from ugcl.plan import paths
from ugcl.training import selection
from ugcl.training.loop import Outcome
from ugcl.training.run import train_runs
from ugcl.training.search import tuning
from ugcl.training.state.resume import State

MADE = [  # dev scores of three epochs: UAR is highest in the second, weighted-F1 in the third
    {"uar": 0.50, "war": 0.50, "macro_f1": 0.45, "weighted_f1": 0.40, "loss": 1.0},
    {"uar": 0.70, "war": 0.55, "macro_f1": 0.60, "weighted_f1": 0.50, "loss": 0.9},
    {"uar": 0.60, "war": 0.65, "macro_f1": 0.55, "weighted_f1": 0.66, "loss": 0.8},
]


class Silent:
    def facts(self) -> dict[str, float]:
        return {}


@pytest.mark.parametrize(("primary", "epoch"), [("uar", 2), ("macro_f1", 2), ("war", 3), ("weighted_f1", 3)])
def test_the_epoch_is_the_best_in_the_primary_metric(monkeypatch, primary: str, epoch: int) -> None:
    scores = iter(each for row in MADE for each in (row, {name: 1 - value for name, value in row.items()}))
    monkeypatch.setattr(selection, "_judge", lambda *_: next(scores))
    state = State(0, {}, [], {})
    for number in (1, 2, 3):
        weights = {"w": torch.tensor(float(number))}
        row = {"epoch": number, "loss": 1.0, "seconds": 1.0}
        selection.judge(state, row, Silent(), weights, {"dev": [], "test": []}, primary)
    assert state.best["epoch"] == epoch and state.tensors["best"]["w"] == epoch
    assert state.best[f"dev_{primary}"] == max(row[primary] for row in MADE)
    assert [f"test_{primary}" in row for row in state.history] == [True] * 3, "test is recorded, not followed"


def test_the_log_names_the_metric(caplog) -> None:
    row = {"epoch": 1, "loss": 1.0, "dev_uar": 0.9, "dev_weighted_f1": 0.5, "seconds": 1.0}
    state = State(1, {}, [row], {"epoch": 1, "dev_weighted_f1": 0.5})
    with caplog.at_level("INFO"):
        selection.log_epoch(state, Train(epochs=3), "weighted_f1")
    assert "dev weighted_f1 0.500, best 0.500 (epoch 1)" in caplog.text and "0.9" not in caplog.text


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_dev_scores_are_scikit_learn_s(average: str) -> None:
    generator = torch.Generator().manual_seed(3)
    logits, labels = torch.randn(40, 4, generator=generator), torch.randint(0, 4, (40,), generator=generator)
    found = selection.scores(logits, labels, Criterion(Loss()), f"{average}_f1")
    truth, predicted = labels.numpy(), logits.argmax(1).numpy()
    expected = sk.f1_score(truth, predicted, average=average, zero_division=0)
    assert found[f"{average}_f1"] == pytest.approx(expected)
    assert found["uar"] == pytest.approx(sk.recall_score(truth, predicted, average="macro"))
    assert list(found) == ["uar", "war", f"{average}_f1", "loss"]


def weighted(root: Path) -> None:
    change(corpora={"made": json.loads(json.dumps(_corpus("weighted_f1")))})


def _corpus(primary: str) -> dict[str, object]:
    made = config.read(Path("params.yaml"))["corpora"]["made"]
    made["protocols"]["intended"]["primary"] = primary
    return made


def test_a_run_of_such_a_protocol_has_its_scores_in_history_and_card(tmp_path, monkeypatch) -> None:
    make_project(tmp_path, epochs=5)
    monkeypatch.chdir(tmp_path)
    weighted(tmp_path)
    (folder,) = train_runs(config.load(), "made", "concat", [0], [1])
    history, card = pd.read_csv(folder / "history.csv"), json.loads((folder / "card.json").read_text())
    last = ["dev_uar", "dev_war", "dev_weighted_f1", "dev_loss", "test_weighted_f1", "seconds"]
    assert list(history)[-6:] == last and "test_uar" not in history
    order = history.sort_values(["dev_weighted_f1", "dev_loss", "epoch"], ascending=[False, True, True])
    assert card["selected"]["epoch"] == order["epoch"].iloc[0]
    assert card["selected"]["dev_weighted_f1"] == pytest.approx(order["dev_weighted_f1"].iloc[0], abs=1e-6)


def test_runs_in_step_select_by_it_too(tmp_path, monkeypatch) -> None:
    make_project(tmp_path, epochs=3, pack=2)
    monkeypatch.chdir(tmp_path)
    weighted(tmp_path)
    for folder in train_runs(config.load(), "made", "concat", [0, 1], [1]):
        history, card = pd.read_csv(folder / "history.csv"), json.loads((folder / "card.json").read_text())
        assert card["selected"]["dev_weighted_f1"] == pytest.approx(
            history["dev_weighted_f1"].max(), abs=1e-6
        )


def test_a_search_maximises_it(tmp_path, monkeypatch) -> None:
    make_search(tmp_path, monkeypatch)
    weighted(tmp_path)

    def fit(fabric, model, train, parts, seeds, watch, primary):
        score = peak(train, seeds[1])
        rows = [{"epoch": e, "dev_uar": 1 - score, f"dev_{primary}": score} for e in (1, 2)]
        for row in rows:
            watch(row)
        return Outcome({}, rows[-1], rows)

    monkeypatch.setattr(tuning, "assemble", lambda *_: (None, None))
    monkeypatch.setattr(tuning, "fit", fit)
    study = tuning.tune(config.load(), "made", "concat", 12)
    table = pd.read_csv(paths.study_table("made", "concat", "trials"))
    assert "dev_uar" not in table and table["dev_weighted_f1"].max() == pytest.approx(study.best_value)
    assert 0.003 < tuning.found(study, "concat")["train"]["lr"] < 0.03
