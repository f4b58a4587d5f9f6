"""Figures show the tables' numbers, are the same bytes each time, and keep a system's colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from ugcl.config import Config
from ugcl.plan import figures
from ugcl.plan.figures import Kind, kinds
from ugcl.plan.names import is_reference_row
from ugcl.plan.reports import SUFFIXES, figure, figure_outputs
from ugcl.reports import theme
from ugcl.reports.figures import draw, scores
from ugcl.reports.tables.read import read


def names(config: Config) -> list[str]:
    return [kind.name for kind in kinds(config, "demo")]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_every_kind_is_drawn_to_files_that_do_not_change(summarised: Config, tmp_path: Path) -> None:
    drawn = []
    for kind in names(summarised):
        first = theme.save(draw.draw(summarised, "demo", kind), figure(summarised, "demo", kind, ""), 60)
        again = theme.save(draw.draw(summarised, "demo", kind), tmp_path / kind, 60)
        for one, two in zip(first, again, strict=True):
            assert one.read_bytes() == two.read_bytes(), one
        drawn += first
    wanted = [p for p in figure_outputs(summarised) if p.name.startswith("demo") and "sheet" not in p.name]
    assert drawn == wanted and {p.suffix for p in drawn} == set(SUFFIXES)


def test_a_new_figure_is_one_entry_and_one_function(summarised: Config, monkeypatch) -> None:
    def sizes(table: pd.DataFrame, system: str, title: str) -> plt.Figure:
        shown, axes = plt.subplots()
        axes.plot(table.query("system == @system")["clips"].to_numpy())
        axes.set_title(title)
        return shown

    monkeypatch.setattr(scores, "sizes", sizes, raising=False)
    entry = Kind("sizes", "scores.sizes", ("per_fold",), "clips of {reference}", "Clips per fold.")
    monkeypatch.setattr(figures, "KINDS", (*figures.KINDS, entry))
    monkeypatch.setattr(draw, "KINDS", figures.KINDS)
    assert figure(summarised, "demo", "sizes", ".svg") in figure_outputs(summarised)
    axes = draw.draw(summarised, "demo", "sizes").axes[0]
    expected = read("per_fold", "demo").query("system == 'ugcl'")["clips"]
    assert list(axes.lines[0].get_ydata()) == expected.tolist()
    assert axes.get_title() == "demo: clips of ugcl  [SYNTHETIC]"


def test_the_forest_has_a_point_a_row_at_its_value_in_its_colour(summarised: Config) -> None:
    shown = draw.draw(summarised, "demo", "forest").axes[0]
    rows = read("summary", "demo").query("metric == 'uar'").reset_index(drop=True)
    points = [line for line in shown.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == pytest.approx(rows["value"].tolist())
    palette = theme.colours(summarised)
    for line, system in zip(points, rows["system"], strict=True):
        expected = theme.GREY if is_reference_row(system) else palette[system]
        assert to_hex(line.get_color()).lower() == expected.lower()
    dots = [c for c in shown.collections if len(c.get_offsets())]
    assert [len(c.get_offsets()) for c in dots] == [3, 3, 3]


def test_a_system_has_one_colour_in_all_benchmarks_and_no_two_systems_share_it(summarised: Config) -> None:
    palette = theme.colours(summarised)
    used = [palette[s] for b in summarised.active for s in summarised.benchmarks[b].systems]
    assert len(set(used)) == 3
    assert len(set(theme.PALETTE)) == len(theme.PALETTE)


def test_marks_are_in_the_title(summarised: Config) -> None:
    assert "[SYNTHETIC]" in draw.draw(summarised, "demo", "forest").axes[0].get_title(loc="left")
    assert "[" not in draw.draw(summarised, "ravdess", "forest").axes[0].get_title(loc="left")


def test_rows_of_the_confusion_add_to_one(summarised: Config) -> None:
    figure_ = draw.draw(summarised, "demo", "confusion")
    shares = [axes.images[0].get_array() for axes in figure_.axes if axes.images]
    assert len(shares) == 3
    for share in shares:
        assert np.asarray(share).sum(1) == pytest.approx(np.ones(6))


def test_figures_of_ablations_are_only_where_there_are_some(summarised: Config) -> None:
    assert "ablations" in names(summarised)
    tree = summarised.model_dump()
    tree["benchmarks"]["demo"] |= {"systems": ["ugcl", "audio-only"]}
    assert "ablations" not in names(type(summarised).model_validate(tree))


def test_one_system_has_nothing_to_be_compared_with(summarised) -> None:
    tree = summarised.model_dump(mode="json")
    tree["benchmarks"]["demo"] |= {"systems": ["ugcl"], "reference": "ugcl"}
    alone = type(summarised).model_validate(tree)
    assert "comparisons" in names(summarised)
    assert not {"comparisons", "ablations", "critical_difference"} & set(names(alone))
