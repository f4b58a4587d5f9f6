"""What a search for settings found: its figures, and a notebook that exists only where a search does."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.fixtures.searched import IMPORTANCES, TRIALS, write_search
from ugcl.config import Config
from ugcl.plan import reports as outputs
from ugcl.reports import studies
from ugcl.reports.pages.render import render


@pytest.fixture
def searched(summarised: Config) -> Config:
    write_search("demo", "ugcl")
    return summarised


def test_tables_are_read_as_they_were_written(searched: Config) -> None:
    read = studies.read("demo", "ugcl", "trials")
    pd.testing.assert_frame_equal(read, TRIALS, check_dtype=False)
    assert studies.parameters(read) == ["train.lr", "train.schedule"]


def test_the_best_trials_come_first_and_the_earlier_of_equals(searched: Config) -> None:
    best = studies.best(studies.read("demo", "ugcl", "trials"), count=3)
    assert best["trial"].tolist() == ["2", "5", "4"]
    assert best["dev UAR"].tolist() == ["0.700", "0.700", "0.600"]
    assert best["train.lr"].tolist() == ["0.01", "0.02", "0.002"]


def test_the_history_shows_every_trial_and_the_best_so_far() -> None:
    axes = studies.history(TRIALS).axes[0]
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert lines["best so far"] == [[1, 0.5], [2, 0.7], [4, 0.7], [5, 0.7]]
    assert lines["complete"] == [[1, 0.5], [2, 0.7], [4, 0.6], [5, 0.7]]
    assert [x for x, _ in lines["cut short"]] == [3]


def test_slices_show_each_parameter_and_mark_the_best() -> None:
    rate, schedule = (axes for axes in studies.slices(TRIALS).axes if axes.get_visible())
    assert [rate.get_xlabel(), schedule.get_xlabel()] == ["train.lr", "train.schedule"]
    assert [text.get_text() for text in schedule.get_xticklabels()] == ["constant", "cosine"]
    _, best = schedule.get_lines()
    assert best.get_xydata().tolist() == [[0, 0.7]]


def test_importances_are_drawn_the_largest_on_top() -> None:
    axes = studies.importances(IMPORTANCES).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["train.lr", "train.schedule"]
    assert [line.get_xdata()[0] for line in axes.get_lines()] == [0.9, 0.1]


def test_the_notebook_is_rendered_where_a_search_is_and_only_there(searched: Config) -> None:
    assert outputs.notebooks(searched)[-1] == outputs.TUNING
    page = render(searched, outputs.TUNING).read_text()
    assert "5 trials, 4 of them complete" in page and "43 epochs, 4 minutes" in page
    for title in (
        "search for settings of ugcl",
        "importance of the parameters of ugcl",
        "settings of ugcl and dev UAR",
    ):
        assert f'alt="demo: {title}"' in page


def test_without_a_search_there_is_no_such_notebook(summarised: Config) -> None:
    assert outputs.studies(summarised) == []
    assert outputs.TUNING not in outputs.notebooks(summarised)
    assert not any(outputs.TUNING in path.name for path in outputs.site_inputs(summarised))
