"""Tables for papers: what is bold, how intervals read, and that LaTeX is well formed."""

from __future__ import annotations

import csv
import re

import numpy as np
import pandas as pd
import pytest

from ugcl.config import Config
from ugcl.plan.reports import TABLES, paper_table, table_outputs
from ugcl.reports.tables import papers as tables


def summary(values: dict[str, dict[str, float]]) -> pd.DataFrame:
    rows = [
        {"system": s, "metric": m, "value": v, "ci_low": v - 0.05, "ci_high": v + 0.05, "modalities": "audio"}
        for s, each in values.items()
        for m, v in each.items()
    ]
    return pd.DataFrame(rows).assign(folds=3, seeds=1, clips=10, speakers=2, lineage="f00d")


def test_percent_with_and_without_interval() -> None:
    assert tables.percent(0.7312, 0.6621, 0.8041) == "73.1 [66.2, 80.4]"
    assert tables.percent(-0.0351, -0.07, 0.006, signed=True) == "−3.5 [−7.0, +0.6]"
    assert tables.percent(1 / 6, np.nan, np.nan) == "16.7"
    assert tables.percent(np.nan, np.nan, np.nan) == ""


def compared(p: dict[str, dict[str, float]], reference: str) -> pd.DataFrame:
    rows = [{"system": s, "metric": m, "p_holm": v} for s, each in p.items() for m, v in each.items()]
    return pd.DataFrame(rows, columns=["system", "metric", "p_holm"]).assign(reference=reference)


def test_best_and_second_are_of_trained_systems_and_mind_the_direction() -> None:
    frame = summary(
        {
            "a": {"uar": 0.70, "brier": 0.10},
            "b": {"uar": 0.80, "brier": 0.20},
            "c": {"uar": 0.8004, "brier": 0.05},
            "raters:voice": {"uar": 0.99},
            "chance": {"uar": 0.17},
        }
    )
    tests = compared({"b": {"uar": 0.01, "brier": 0.9}, "c": {"uar": 0.04, "brier": 0.0}}, "a")
    # 80.0 and 80.04 both read 80.0: they share the first place.
    assert tables.places(frame, tests, ("uar", "brier")) == {
        ("b", "UAR"): 1,
        ("c", "UAR"): 1,
        ("a", "UAR"): 2,
        ("c", "Brier"): 1,
        ("a", "Brier"): 2,
    }


@pytest.mark.parametrize(
    ("p", "reference", "marked"),
    [
        ({"a": 1.0, "b": 0.001}, "c", False),  # the best is a, against the reference
        ({"a": 0.04, "b": 1.0}, "c", True),
        ({"b": 0.04, "c": 1.0}, "a", True),  # the best is the reference: the second counts
        ({"b": 1.0, "c": 0.001}, "a", False),
        ({"b": np.nan, "c": 0.001}, "a", False),
        ({}, "a", False),
    ],
)
def test_a_best_that_is_not_shown_is_not_marked(p, reference: str, marked: bool) -> None:
    frame = summary({"a": {"uar": 0.8}, "b": {"uar": 0.7}, "c": {"uar": 0.6}})
    tests = compared({system: {"uar": value} for system, value in p.items()}, reference)
    assert (("a", "UAR") in tables.places(frame, tests, ("uar",))) == marked


@pytest.mark.parametrize(("top", "marked"), [(0.06, False), (0.04, True)])
def test_no_ece_is_best_inside_the_band_of_a_calibrated_system(top: float, marked: bool) -> None:
    band = {"metric": "ece_calibrated", "value": 0.03, "ci_low": 0.02, "ci_high": [top, 0.04]}
    band = pd.DataFrame({"system": ["a", "b"], **band})
    frame = pd.concat([summary({"a": {"ece": 0.05}, "b": {"ece": 0.08}}), band])
    assert bool(tables.places(frame, compared({}, "b"), ("ece",))) == marked


def test_markdown_and_latex_mark_the_same_cells() -> None:
    frame = summary({"sys_a": {"uar": 0.70}, "sys_b": {"uar": 0.80}})
    tests = compared({"sys_b": {"uar": 0.01}}, "sys_a")
    table, marked = tables.main_table(frame, ("uar",)), tables.places(frame, tests, ("uar",))
    markdown = tables.to_markdown(table, "caption", marked)
    assert "**80.0 [75.0, 85.0]**" in markdown and "<u>70.0 [65.0, 75.0]</u>" in markdown
    latex = tables.to_latex(table, "100 % of_it", "x", marked)
    assert r"\textbf{80.0 [75.0, 85.0]}" in latex and r"\underline{70.0 [65.0, 75.0]}" in latex
    assert r"sys\_a" in latex and r"100 \% of\_it" in latex
    assert r"\toprule" in latex and r"\bottomrule" in latex


def test_every_table_is_written_and_latex_rows_have_as_many_cells_as_columns(summarised: Config) -> None:
    assert tables.tables_of_all(summarised) == table_outputs(summarised)
    for benchmark in ("demo", "ravdess"):
        for name in TABLES:
            text = paper_table(summarised, benchmark, name, ".tex").read_text()
            columns = len(re.search(r"\\begin\{tabular\}\{(l+)\}", text).group(1))
            rows = [line for line in text.splitlines() if line.endswith(r"\\")]
            assert len(rows) > 1 and all(len(re.split(r"(?<!\\)&", row)) == columns for row in rows)
            assert text.count("{") == text.count("}")
    assert paper_table(summarised, "demo", "main", ".md").read_text().startswith("[SYNTHETIC] demo")
    assert "SYNTHETIC" not in paper_table(summarised, "ravdess", "main", ".md").read_text()


def test_the_csv_holds_the_summary_s_values(summarised: Config) -> None:
    tables.tables_of_all(summarised)
    with paper_table(summarised, "ravdess", "main", ".csv").open() as stream:
        rows = {row["system"]: row for row in csv.DictReader(stream)}
    frame = tables.read("summary", "ravdess").set_index(["system", "metric"])["value"]
    assert float(rows["ugcl"]["UAR"].split()[0]) == pytest.approx(100 * frame["ugcl", "uar"], abs=0.051)
    assert rows["ugcl"]["lineage"] == "f00df00df00d"
