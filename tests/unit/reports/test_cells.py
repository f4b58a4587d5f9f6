"""Numbers in tables: no negative zero, no interval of one number, none over a handful of speakers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from ugcl import config as configuration
from ugcl.config import Config
from ugcl.plan.evaluation import table
from ugcl.reports.figures import drawing
from ugcl.reports.labels import label_notes
from ugcl.reports.pages import model_card, site
from ugcl.reports.tables import cells, papers
from ugcl.reports.tables.read import read


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (-0.004, 2, False, "0.00"),
        (-0.004, 2, True, "0.00"),
        (0.0, 1, True, "0.0"),
        (-0.006, 2, True, "−0.01"),
        (1.25, 1, True, "+1.2"),
        (-3.0, 0, False, "−3"),
    ],
)
def test_zero_has_no_sign_and_minus_is_a_minus(value: float, digits: int, signed: bool, text: str) -> None:
    assert cells.fixed(value, digits, signed) == text


def test_figures_write_numbers_as_tables_do() -> None:
    assert drawing.points(-0.04) == "0.0" and drawing.points(-0.06) == "−0.1"


def test_an_interval_of_one_number_is_left_out() -> None:
    assert cells.percent(1 / 6, 0.16664, 0.16671) == "16.7"
    assert cells.percent(0.5, 0.45, 0.55) == "50.0 [45.0, 55.0]"
    assert cells.percent(-0.0001, -0.0302, 0.0001, signed=True) == "0.0 [−3.0, 0.0]"


def test_ranges_and_counts_are_written_as_people_write_them() -> None:
    assert [cells.span(12, 12), cells.span(4, 12)] == ["12", "4–12"]
    assert [cells.counted(1, "seed"), cells.counted(3, "seed")] == ["1 seed", "3 seeds"]
    assert model_card.seeds([0]) == "1 seed (0)" and model_card.seeds([0, 5]) == "2 seeds (0, 5)"


def two_speakers() -> None:
    """As if the demo's scores, and one group of clips, were of two speakers."""
    for name in ("summary", "subgroups"):
        frame = pd.read_csv(table("demo", name), keep_default_na=False, dtype=str)
        rows = frame["benchmark"] == "demo"
        frame.loc[rows & (frame.get("attribute", "sex") == "sex"), "speakers"] = "2"
        frame.to_csv(table("demo", name), index=False)


def test_an_interval_over_two_speakers_is_nowhere(summarised: Config) -> None:
    before = papers.main_table(read("summary", "demo"))
    assert before["UAR"].str.contains("[", regex=False).any()
    two_speakers()
    main = papers.main_table(read("summary", "demo"))
    assert not main.map(lambda cell: "[" in str(cell)).any(axis=None)
    values = before["UAR"].str.split(" ").str[0]
    assert main["UAR"].tolist() == values.tolist()
    differences = papers.difference_table(read("comparisons", "demo")).filter(regex="^Δ")
    assert not differences.map(lambda cell: "[" in cell).any(axis=None) and len(differences)
    groups = read("subgroups", "demo").set_index("attribute")
    assert np.isnan(groups.loc["sex", ["ci_low", "gap_low"]].to_numpy()).all()
    assert np.isfinite(groups.loc["sentence", "ci_low"]).all()
    assert papers.main_table(read("summary", "ravdess"))["UAR"].str.contains("[", regex=False).any()
    assert "No intervals: with 2 speakers" in papers.caption(summarised, "demo", "scores")
    assert "No intervals" not in papers.caption(summarised, "ravdess", "scores")
    model_card.cards_of_all(summarised)
    assert "No intervals: with 2 speakers" in model_card.model_card(summarised, "demo").read_text()


def test_labels_of_a_user_s_clips_are_not_called_what_actors_showed(summarised: Config) -> None:
    assert label_notes(summarised, ["demo", "ravdess"]) == [
        "Labels of demo, ravdess: what actors were asked to show.",
        "A label is not what a person felt.",
    ]
    tree = yaml.safe_load(Path("params.yaml").read_text())
    folder = {"adapter": "folder", "root": "clips", "shards": 1}
    protocol = {
        "label": "mood",
        "classes": ["low", "high"],
        "folds": {"scheme": "speaker_blocks", "folds": 3},
    }
    tree["corpora"]["mine"] = folder | {"protocols": {"own": protocol}}
    tree["benchmarks"]["mine"] = tree["benchmarks"]["demo"] | {"corpus": "mine", "protocol": "own"}
    config = configuration.parse(tree)
    assert label_notes(config, ["mine"])[0] == "Labels of mine: the column mood of your own table."
    assert "raters perceived" in label_notes(config, ["crema_d_audio_consensus"])[0]
    assert site.label_notes is label_notes
