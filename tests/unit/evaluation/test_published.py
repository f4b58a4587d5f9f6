"""Published results stand beside a benchmark of the same protocol alone, and say why otherwise."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ugcl import config as configuration
from ugcl.config import Config
from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.evaluation.tables import published
from ugcl.plan import names, paths

ROW = {
    "corpus": "ravdess",
    "family": "six folds",
    "protocol": "emotion8",
    "label_target": "intended",
    "classes": "8",
    "folds": "6",
    "method": "A",
    "year": "2024",
    "modalities": "audio",
    "metric": "uar",
    "value": "0.8",
    "spread": "",
    "clean": "yes",
    "caveat": "",
    "source": "paper",
    "grade": "primary",
}


@pytest.fixture
def config(project: Path) -> Config:
    tree = configuration.read(project / "params.yaml")
    return configuration.parse(tree)


def rows(tmp_path: Path, *changes: dict[str, str]) -> pd.DataFrame:
    path = tmp_path / "published.csv"
    tables.write(pd.DataFrame([ROW | change for change in changes]), path)
    return published.read(path)


def test_the_project_s_own_rows_are_whole_and_name_their_sources(project: Path) -> None:
    frame = published.read(project / paths.PUBLISHED)
    assert {"crema_d", "ravdess", "iemocap", "meld"} <= set(frame["corpus"])
    assert (frame[["method", "family", "source", "clean"]] != "").all().all()
    assert set(frame["clean"]) == {"yes", "no"}
    assert set(frame["metric"]) <= set(names.COUNTED)
    assert not frame.duplicated(["corpus", "family", "method", "modalities", "metric"]).any()


def test_the_same_protocol_is_comparable_and_the_best_comes_first(config: Config, tmp_path: Path) -> None:
    found = rows(tmp_path, {}, {"method": "B", "value": "0.9"}, {"method": "C", "classes": "7"})
    table = published.published(config, "ravdess", found)
    assert table["method"].tolist() == ["B", "A", "C"]
    assert table["comparable"].tolist() == ["yes", "yes", "no"]
    assert table["reason"].tolist() == ["", "", "classes 7, here 8"]
    assert published.published(config, "demo", found).empty


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label_target": "voice"}, "label target voice, here intended"),
        ({"folds": ""}, "folds not stated"),
        ({"protocol": ""}, "other split: six folds"),
        ({"protocol": "", "clean": "no"}, "speakers shared by train and test"),
        ({"folds": "5", "classes": "7"}, "classes 7, here 8; folds 5, here 6"),
    ],
)
def test_another_protocol_is_listed_with_the_reason(
    config: Config, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    assert published.published(config, "ravdess", rows(tmp_path, change))["reason"].tolist() == [reason]


def test_a_part_of_the_folds_is_not_the_published_protocol(config: Config, tmp_path: Path) -> None:
    tree = config.model_dump()
    tree["benchmarks"]["ravdess"]["folds"] = [1, 2]
    table = published.published(configuration.parse(tree), "ravdess", rows(tmp_path, {}))
    assert table["reason"].tolist() == ["only 2 of 6 folds are run here"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "80"}, "divide percentages"),
        ({"metric": "wa"}, "metric 'wa'"),
        ({"grade": "rumour"}, "grade 'rumour'"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(UgclError, match=message):
        rows(tmp_path, {}, change)


def test_a_project_without_the_file_has_no_published_rows(tmp_path: Path) -> None:
    assert published.read(tmp_path / "absent.csv").empty
