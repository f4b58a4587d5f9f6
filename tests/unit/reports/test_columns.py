"""Pages hold the tables' numbers in fewer columns and plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ugcl.config import Config
from ugcl.reports.pages import notebook
from ugcl.reports.tables import columns as listed
from ugcl.reports.tables.read import read


@pytest.mark.parametrize(
    ("condition", "level", "words"),
    [
        ("clean", "", "clean"),
        ("missing", "audio", "no audio"),
        ("noise", "10", "noise 10 dB"),
        ("shift", "-0.2", "audio 0.2 s early"),
        ("shift", "0.5", "audio 0.5 s late"),
        ("drop", "random", "half of the frames lost"),
        ("labels", "0.1", "10 % of training labels wrong"),
    ],
)
def test_conditions_have_words(condition: str, level: str, words: str) -> None:
    assert listed.condition_name(condition, level) == words


def test_changes_are_marked_where_zero_is_outside_and_reasons_are_gathered() -> None:
    rows = [
        ("a", "clean", "", 0.7, np.nan, np.nan, np.nan, ""),
        ("a", "noise", "10", 0.6, -0.1, -0.15, -0.05, ""),
        ("a", "noise", "0", 0.68, -0.02, -0.05, 0.01, ""),
        ("b", "clean", "", 0.5, np.nan, np.nan, np.nan, ""),
        ("b", "noise", "10", np.nan, np.nan, np.nan, np.nan, "does not read audio"),
        ("b", "noise", "0", np.nan, np.nan, np.nan, np.nan, "does not read audio"),
        ("a", "labels", "0.3", 0.45, -0.25, -0.3, -0.2, ""),
        ("a", "missing", "video", np.nan, np.nan, np.nan, np.nan, "does not read video"),
    ]
    columns = "system condition level value difference difference_low difference_high reason"
    table = pd.DataFrame(rows, columns=columns.split()).assign(metric="uar")
    shown = listed.robustness(table)
    words = "30 % of training labels wrong"
    assert list(shown) == ["system", "clean", "noise 10 dB", "noise 0 dB", words]
    rows = [["a", "70.0", "−10.0∗", "−2.0", "−25.0∗"], ["b", "50.0", "–", "–", "–"]]
    assert shown.to_numpy().tolist() == rows
    assert listed.cannot(table).to_numpy().tolist() == [
        ["b", "noise 10 dB; noise 0 dB", "does not read audio"],
        ["a", "no video", "does not read video"],
    ]


def test_a_pair_of_clips_is_listed_once() -> None:
    rows = [
        (1, "x", "a", "y", "b", 0.9, 0.5),
        (1, "y", "b", "x", "a", 0.9, 0.6),
        (2, "z", "a", "x", "b", 0.8, 0.7),
    ]
    columns = ["fold", "clip", "label", "other", "other_label", "similarity", "own_similarity"]
    shown = listed.hard_negatives(pd.DataFrame(rows, columns=columns))
    assert shown["clip"].tolist() == ["x", "z"]


def test_runs_and_environment_of_a_finished_project(summarised: Config) -> None:
    shown = listed.runs(read("runs", "demo"), read("summary", "demo")).set_index("system")
    assert shown.loc["ugcl", ["runs", "folds"]].tolist() == [3, 3]
    assert set(shown["lineage of the scores"]) == {"f00df00df00d"}
    table = read("environment", "demo")
    assert listed.environment(table, ("code",))["content"].tolist() == ["0123456789ab"]
    assert list(listed.environment(table, ("data",))) == ["item", "content", "runs"]


def test_class_names_stay_words_where_another_table_has_numbers(summarised: Config) -> None:
    assert read("pairs", "demo")["first"].isin(summarised.protocol("demo").classes).all()
    assert read("tokens", "demo")["first"].dtype == float


def test_numbers_stand_right_and_text_left() -> None:
    for cell in ("1,234", "−9.4∗", "73.1 [66.2, 80.4]", "–", "+3.5 [+0.0, +9.4]", "0.82", "12%", ""):
        assert notebook.NUMBER.fullmatch(cell), cell
    for cell in ("1001_BUS", "cpu", "3–10", "noise 10 dB"):
        assert not notebook.NUMBER.fullmatch(cell), cell
