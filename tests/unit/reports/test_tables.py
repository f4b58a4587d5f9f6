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


def test_best_and_second_are_of_trained_systems_and_mind_the_direction() -> None:
    frame = summary(
        {
            "a": {"uar": 0.70, "ece": 0.10},
            "b": {"uar": 0.80, "ece": 0.20},
            "c": {"uar": 0.8004, "ece": 0.05},
            "raters:voice": {"uar": 0.99},
            "chance": {"uar": 0.17},
        }
    )
    # 80.0 and 80.04 both read 80.0: they share the first place.
    assert tables.places(frame, ("uar", "ece")) == {
        ("b", "UAR"): 1,
        ("c", "UAR"): 1,
        ("a", "UAR"): 2,
        ("c", "ECE"): 1,
        ("a", "ECE"): 2,
    }


def test_markdown_and_latex_mark_the_same_cells() -> None:
    frame = summary({"sys_a": {"uar": 0.70}, "sys_b": {"uar": 0.80}})
    table, marked = tables.main_table(frame, ("uar",)), tables.places(frame, ("uar",))
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
            text = paper_table(benchmark, name, ".tex").read_text()
            columns = len(re.search(r"\\begin\{tabular\}\{(l+)\}", text).group(1))
            rows = [line for line in text.splitlines() if line.endswith(r"\\")]
            assert len(rows) > 1 and all(len(re.split(r"(?<!\\)&", row)) == columns for row in rows)
            assert text.count("{") == text.count("}")
    assert paper_table("demo", "main", ".md").read_text().startswith("[SYNTHETIC] demo")
    assert "SYNTHETIC" not in paper_table("ravdess", "main", ".md").read_text()


def test_the_csv_holds_the_summary_s_values(summarised: Config) -> None:
    tables.tables_of_all(summarised)
    with paper_table("ravdess", "main", ".csv").open() as stream:
        rows = {row["system"]: row for row in csv.DictReader(stream)}
    frame = tables.read("summary", "ravdess").set_index(["system", "metric"])["value"]
    assert float(rows["ugcl"]["UAR"].split()[0]) == pytest.approx(100 * frame["ugcl", "uar"], abs=0.051)
    assert rows["ugcl"]["lineage"] == "f00df00df00d"
