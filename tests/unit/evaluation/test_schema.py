"""Every column of a written table is declared, and its declaration says how it is read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.evaluation.schemas.schema import Columns, typed, write
from ugcl.evaluation.schemas.scores import SCORES
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.evaluation.statistics import metrics
from ugcl.evaluation.tables.score import score
from ugcl.plan import evaluation as outputs
from ugcl.plan import transfer
from ugcl.reports.tables.read import read

MADE = Columns("speaker uar epoch marks", text="speaker marks")


def header(path: Path) -> list[str]:
    return path.read_text().partition("\n")[0].split(",")


def test_the_tables_of_a_finished_project_have_the_declared_columns(summarised: Config) -> None:
    of_any = {*outputs.TABLES, *outputs.NETWORK_TABLES, *outputs.UNSTABLE}
    assert set(TABLES) == of_any | {*transfer.TABLES}
    for name in of_any:
        found = header(outputs.table("demo", name))
        assert found == list(TABLES[name].of("uar")) or name == "learning_curves", name
    assert set(SCORES) == set(outputs.SCORES)
    for name, columns in SCORES.items():
        assert header(outputs.score("demo", name)) == ["system", *columns], name


def test_columns_of_the_history_follow_the_epoch_and_are_numbers(summarised: Config) -> None:
    front, back = ["benchmark", "system", "seed", "fold", "epoch"], ["marks"]
    scores = ["lr", "loss", "dev_uar", "dev_war", "dev_loss", "test_uar"]
    assert header(outputs.table("demo", "learning_curves")) == [*front, *scores, *back]
    assert all(pd.api.types.is_numeric_dtype(read("learning_curves", "demo")[name]) for name in scores)


def test_a_table_with_an_undeclared_column_is_not_written(
    finished_project: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = outputs.score("demo", "per_class")
    path.unlink(missing_ok=True)
    own = metrics.per_class
    monkeypatch.setattr(metrics, "per_class", lambda *given: own(*given).assign(specificity=0.5))
    with pytest.raises(UgclError, match=r"per_class\.csv: column 'specificity' is not declared"):
        score(finished_project, "demo", dict.fromkeys(finished_project.benchmark("demo").systems, "f00d"))
    assert not path.exists()


def test_columns_are_written_in_order_and_a_missing_one_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"marks": [""], "epoch": [3], "uar": [0.5], "speaker": ["01"]})
    write(frame, MADE, tmp_path / "made.csv")
    assert (tmp_path / "made.csv").read_text() == "speaker,uar,epoch,marks\n01,0.500000,3,\n"
    with pytest.raises(UgclError, match=r"made\.csv: column 'uar' is missing"):
        write(frame.drop(columns="uar"), MADE, tmp_path / "made.csv")


def test_numbers_are_read_as_numbers_and_names_that_look_like_them_as_text(tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    text = pd.DataFrame(
        {"speaker": ["01", "02"], "uar": ["0.5", ""], "epoch": ["3", "4"], "marks": ["", "x"]}
    )
    frame = typed(text.copy(), MADE, path)
    assert frame["speaker"].tolist() == ["01", "02"]
    assert frame["uar"].isna().tolist() == [False, True] and frame["epoch"].sum() == 7
    with pytest.raises(UgclError, match=r"made\.csv: column 'epoch': 'last' is not a number"):
        typed(text.assign(epoch=["3", "last"]), MADE, path)
    with pytest.raises(UgclError, match="column 'rank' is not declared"):
        typed(text.assign(rank="1"), MADE, path)


def test_a_damaged_table_is_named_when_it_is_read(summarised: Config) -> None:
    path = outputs.table("demo", "parts")
    path.write_text(path.read_text().replace(",train,", ",train,x", 1))
    with pytest.raises(UgclError, match=r"results/tables/demo/parts\.csv: column 'clips': 'x"):
        read("parts", "demo")
