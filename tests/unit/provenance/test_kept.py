"""The summary covers the active benchmarks and others whose tables are current, and says why not the rest."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from ugcl import config as configuration
from ugcl.config import Config, parse, read
from ugcl.errors import UgclError
from ugcl.evaluation.schemas.summary import SUMMARY
from ugcl.evaluation.tables.summary import summarise
from ugcl.plan import evaluation as plan
from ugcl.provenance import doctor, kept, lineage

NUMBERS = {"value": "0.612345", "ci_low": "0.500000", "ci_high": "0.700000", "folds": "3", "seeds": "1"}


@pytest.fixture
def tree(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Parameters with the benchmark ravdess active, and recorded tables of it and of the demo."""
    monkeypatch.chdir(tmp_path)
    tree = read(project / "params.yaml") | {"active": ["ravdess"]}
    for benchmark in ("ravdess", "demo"):
        place(benchmark)
        kept.record(benchmark, lineage.tables(parse(tree), benchmark))
    return tree


def place(benchmark: str, value: str = "0.612345") -> None:
    """A benchmark's table of two systems and a reference row."""
    text = dict.fromkeys(SUMMARY, "") | NUMBERS | {"benchmark": benchmark, "metric": "uar", "value": value}
    rows = [text | {"system": system} for system in ("ugcl", "concat", "chance")]
    path = plan.table(benchmark, "summary")
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows)[list(SUMMARY)].to_csv(path, index=False)


def write(tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run `ugcl evaluate summary`; the benchmarks of the rows, in order."""
    from ugcl.cli import evaluate

    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    monkeypatch.delenv("UGCL_PARAMS", raising=False)
    evaluate.summary()
    return list(dict.fromkeys(pd.read_csv(plan.summary())["benchmark"]))


def test_current_tables_of_other_benchmarks_stay_in_the_summary(tree: dict, monkeypatch) -> None:
    assert write(tree, monkeypatch) == ["demo", "ravdess"], "in the order of the parameters"
    files = [plan.summary().read_bytes(), plan.metrics_json().read_bytes()]
    tables = [plan.table(name, "summary").read_text().splitlines() for name in ("demo", "ravdess")]
    assert plan.summary().read_text().splitlines() == [tables[0][0], *tables[0][1:], *tables[1][1:]]
    assert json.loads(plan.metrics_json().read_text()) == {
        name: {"concat": {"uar": 0.612345}, "ugcl": {"uar": 0.612345}} for name in ("demo", "ravdess")
    }
    assert write(tree | {"active": ["demo"]}, monkeypatch) == ["demo", "ravdess"]
    assert [plan.summary().read_bytes(), plan.metrics_json().read_bytes()] == files


def parameters(tree: dict[str, Any]) -> None:
    tree["benchmarks"]["demo"].setdefault("overrides", {})["train"] = {"lr": 0.5}


def removed(tree: dict[str, Any]) -> None:
    for name in ("demo", "demo_peers"):
        tree["benchmarks"].pop(name)
        tree["tuned"].pop(name, None)


def without_record(tree: dict[str, Any]) -> None:
    plan.table_record("demo").unlink()


def damaged(tree: dict[str, Any]) -> None:
    plan.table_record("demo").write_text('{"benchmark": "demo"')


def of_another(tree: dict[str, Any]) -> None:
    plan.table_record("demo").write_bytes(plan.table_record("ravdess").read_bytes())


def edited(tree: dict[str, Any]) -> None:
    place("demo", value="0.999999")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (parameters, "other parameters or code"),
        (removed, "the parameters do not name this benchmark"),
        (without_record, "results/tables/demo/lineage.json is missing or damaged"),
        (damaged, "results/tables/demo/lineage.json is missing or damaged"),
        (of_another, "other parameters or code"),
        (edited, "results/tables/demo/summary.csv is not the file that was recorded"),
    ],
)
def test_tables_that_are_not_current_are_left_out_with_the_reason_and_stay(
    tree: dict, change, reason: str, caplog: pytest.LogCaptureFixture, monkeypatch
) -> None:
    change(tree)
    before = plan.table("demo", "summary").read_bytes()
    with caplog.at_level(logging.WARNING):
        assert write(tree, monkeypatch) == ["ravdess"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert "demo" in line and reason in line and "\n" not in line
    assert set(json.loads(plan.metrics_json().read_text())) == {"ravdess"}
    assert plan.table("demo", "summary").read_bytes() == before
    check = doctor._summary(configuration.load())
    assert check.ok is None and "demo" in check.text and reason in check.text


def test_a_change_of_one_benchmark_leaves_the_others_lineage(tree: dict) -> None:
    before: Config = parse(tree)
    parameters(tree)
    after = parse(tree)
    assert list(kept.included(before)) == ["demo", "ravdess"]
    assert kept.included(after) == {"ravdess": kept.included(before)["ravdess"]}
    assert lineage.summary(kept.included(before)) != lineage.summary(kept.included(after))


def test_an_active_benchmark_is_covered_before_it_has_tables(tree: dict) -> None:
    config = parse(tree | {"active": ["crema_d_audio"]})
    assert list(kept.included(config)) == [
        n for n in tree["benchmarks"] if n in {"demo", "ravdess", "crema_d_audio"}
    ]
    assert kept.left_out(config) == {}


def test_a_damaged_table_is_named(tree: dict) -> None:
    path = plan.table("demo", "summary")
    path.write_text(path.read_text().replace("0.612345", "high", 1))
    with pytest.raises(UgclError, match=r"demo/summary\.csv: column 'value': 'high'"):
        summarise(parse(tree), ["demo"])
