"""Figures of ranks, differences, groups, speakers and calibration hold what their tables say, and no more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from scipy import stats

from ugcl.config import Config
from ugcl.evaluation.statistics.ranks import ranks
from ugcl.reports.figures import calibration as calibration_figures
from ugcl.reports.figures import comparisons as comparison_figures
from ugcl.reports.figures import draw, drawing
from ugcl.reports.figures import errors as error_figures
from ugcl.reports.figures import groups as group_figures
from ugcl.reports.figures import ranks as rank_figures
from ugcl.reports.tables.read import read

PALETTE = {"a": "#0072b2", "b": "#d55e00"}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def points(axes) -> list[tuple[float, float]]:
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in lines]


def test_mean_ranks_are_those_of_the_folds() -> None:
    random = np.random.default_rng(5)
    values = pd.DataFrame(random.normal(size=(6, 4)), columns=list("abcd"))
    table = values.rename_axis("fold").reset_index().melt("fold", var_name="system")
    _, pairs = ranks(table.assign(seed=0, metric="uar"))
    expected = stats.rankdata(-values.to_numpy(), axis=1).mean(0)
    found = rank_figures.mean_ranks(pairs)
    assert found.to_dict() == pytest.approx(dict(zip("abcd", expected, strict=True)))
    assert found.is_monotonic_increasing


def test_bars_join_by_hand() -> None:
    ordered = pd.Series([1.0, 2.0, 3.5, 4.0])
    assert rank_figures.joined(ordered, 1.6) == [(1, 2), (2, 3.5), (3.5, 4)]
    assert rank_figures.joined(ordered, 3.1) == [(1, 4)]
    assert rank_figures.joined(ordered, 0.4) == []
    # A difference of just the critical one is a difference.
    assert rank_figures.joined(ordered, 0.5) == []


@given(st.lists(st.integers(4, 40), min_size=2, max_size=12), st.integers(1, 30))
def test_two_systems_share_a_bar_when_and_only_when_they_are_within_the_difference(values, critical) -> None:
    ordered = pd.Series(sorted(value / 4 for value in values))
    bars = rank_figures.joined(ordered, critical / 4)
    for i, one in enumerate(ordered):
        for two in ordered[i + 1 :]:
            under = any(low <= one and two <= high for low, high in bars)
            assert under == (two - one < critical / 4)
    assert not any(a[0] >= b[0] and a[1] <= b[1] for a in bars for b in bars if a is not b)


def test_the_diagram_names_every_system_and_its_rank(summarised: Config) -> None:
    figure = draw.draw(summarised, "demo", "critical_difference")
    texts = " | ".join(text.get_text() for text in figure.axes[0].texts)
    for system, rank in rank_figures.mean_ranks(read("nemenyi", "demo")).items():
        assert system in texts and f"{rank:.2f}" in texts
    assert "[SYNTHETIC]" in figure.get_suptitle()
    critical = read("friedman", "demo")["critical_difference"].iloc[0]
    assert f"critical difference {critical:.2f}" in texts


def test_without_ranks_the_diagram_says_so(summarised: Config) -> None:
    empty = read("friedman", "demo").iloc[:0], read("nemenyi", "demo").iloc[:0]
    axes = rank_figures.critical_difference(*empty, {}).axes[0]
    assert "not compared" in axes.texts[0].get_text()


def test_ablations_stand_under_what_they_change() -> None:
    changes = pd.Series(
        ["method.a: 1 → 0; method.b: 1 → 0", "encoder.width: 64 → 32", "method.a: 1 → 0; train.lr: 1 → 2"]
    )
    assert comparison_figures.groups(changes).tolist() == ["method", "encoder", "several at once"]
    row = {"reference": "full", "metric": "uar", "ci_low": -0.1, "ci_high": 0.05, "p_holm": 0.2}
    table = pd.DataFrame(
        [
            row | {"system": name, "changes": change, "difference": d, "detectable": 0.08}
            for name, change, d in zip("cab", changes, (-0.01, -0.02, -0.03), strict=True)
        ]
    )
    axes = comparison_figures.differences(table, PALETTE).axes[0]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["encoder", "a", "method", "c", "several at once", "b"]
    assert points(axes) == [(-0.02, 1), (-0.01, 3), (-0.03, 5)]
    bands = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert bands == [pytest.approx((-0.08, 0.08))] * 3
    # One kind of change needs no heading.
    alone = comparison_figures.differences(table.iloc[:1], PALETTE).axes[0]
    assert [text.get_text() for text in alone.get_yticklabels()] == ["c"]


def test_published_results_stand_among_ours_by_value_and_look_otherwise() -> None:
    summary = pd.DataFrame(
        {"system": ["a", "chance"], "metric": "uar", "value": [0.7, 0.2], "ci_low": 0.6, "ci_high": 0.8}
    ).assign(modalities="audio+video")
    theirs = {"metric": "uar", "modalities": "audio", "year": 2024.0}
    published = pd.DataFrame(
        [
            theirs | {"method": "Best", "value": 0.9, "spread": 0.02},
            theirs | {"method": "Worst", "value": 0.5},
            theirs | {"method": "Other", "metric": "war", "value": 0.5},
        ]
    )
    assert comparison_figures.shared_metric(published) == "uar"
    assert comparison_figures.shared_metric(published.iloc[:0]) is None
    axes = comparison_figures.published(summary, published, PALETTE, "uar").axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["Best, 2024 (A)", "a (AV)", "Worst, 2024 (A)"]
    hollow = [line for line in axes.lines if line.get_marker() == "D"]
    assert [line.get_xdata()[0] for line in hollow] == [0.9, 0.5]
    assert all(line.get_markerfacecolor() == "white" for line in hollow)


def test_small_groups_are_grey_and_attributes_of_many_groups_are_named_only() -> None:
    row = {"system": "a", "uar": 0.6, "ci_low": 0.5, "ci_high": 0.7, "gap_low": -0.1, "gap_high": 0.1}
    row |= {"clips": 10, "speakers": 6, "small": ""}
    table = pd.DataFrame(
        [
            row | {"attribute": "sex", "group": "female", "gap": 0.02},
            row | {"attribute": "sex", "group": "male", "gap": -0.02, "small": "2 speakers", "gap_high": 9.0},
        ]
        + [
            row | {"attribute": "sentence", "group": f"s{i}", "gap": 0.0}
            for i in range(group_figures.MANY + 1)
        ]
    )
    figure = group_figures.subgroups(table, PALETTE, "a")
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["sex", "female", "male"]
    shades = [to_hex(line.get_color()) for line in left.lines if line.get_marker() == "o"]
    assert shades == [PALETTE["a"], drawing.FAINT]
    assert [x for x, _ in points(right)] == [0.02, -0.02]
    assert "sentence (21 groups)" in figure.get_supxlabel()
    # The small group's interval does not stretch the axis.
    assert right.get_xlim()[1] < 0.2


def test_a_dot_a_speaker_and_the_hardest_is_named(summarised: Config) -> None:
    table = read("per_speaker", "demo")
    axes = draw.draw(summarised, "demo", "speakers").axes[0]
    for dots, (system, rows) in zip(axes.collections, table.groupby("system", sort=False), strict=True):
        assert sorted(dots.get_offsets()[:, 0]) == pytest.approx(sorted(rows["uar"])), system
    worst = [
        rows.sort_values(["uar", "speaker"])["speaker"].iloc[0]
        for _, rows in table.groupby("system", sort=False)
    ]
    assert [text.get_text() for text in axes.texts] == worst


def test_reliability_averages_seeds_bin_by_bin() -> None:
    table = pd.DataFrame(
        {
            "system": "a",
            "seed": [0, 0, 1, 1],
            "bin": [1, 2, 1, 2],
            "clips": 5,
            "confidence": [0.4, 0.8, 0.6, 1.0],
            "accuracy": [0.2, 0.8, 0.4, 0.6],
            "ci_low": 0.1,
            "ci_high": 0.9,
        }
    )
    summary = pd.DataFrame({"system": ["a"], "metric": ["ece"], "value": [0.1234]})
    axes = calibration_figures.reliability(table, summary, PALETTE).axes[0]
    line = next(line for line in axes.lines if line.get_marker() == "o")
    assert line.get_xdata() == pytest.approx([0.5, 0.9]) and line.get_ydata() == pytest.approx([0.3, 0.7])
    assert "ECE 12.3 %" in axes.get_title(loc="left")


def test_pairs_are_those_taken_for_each_other_most(summarised: Config) -> None:
    rows = read("pairs", "demo").query("system == 'ugcl'").sort_values("rate", ascending=False)
    axes = draw.draw(summarised, "demo", "pairs").axes[0]
    assert [x for x, _ in points(axes)] == pytest.approx(rows["rate"].head(error_figures.MOST).tolist())
    first = rows.iloc[0]
    assert axes.get_yticklabels()[0].get_text() == f"{first['first']} – {first['second']}"


def test_raters_have_a_panel_a_channel_with_the_disputed_clips_counted(summarised: Config) -> None:
    table = read("disagreement", "demo")
    figure = error_figures.raters(table, PALETTE)
    assert len(figure.axes) == table["channel"].nunique() == 3
    row = table.iloc[0]
    disputed = round(row["clips"] * (1 - row["label_agreement"]))
    assert f"{disputed} of {row['clips']:.0f} clips disputed" in figure.axes[0].get_title(loc="left")
