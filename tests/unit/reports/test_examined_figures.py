"""Figures of conditions, cost and the inside of a system show the tables' numbers where they belong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from ugcl.config import Config
from ugcl.evaluation.networks.robustness import CLEAN
from ugcl.plan.figures import kinds
from ugcl.reports import theme
from ugcl.reports.figures import conditions as condition_figures
from ugcl.reports.figures import draw
from ugcl.reports.figures import inside as inside_figures
from ugcl.reports.tables.read import read


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def line_of(axes, shade: str) -> np.ndarray:
    (line,) = [
        line for line in axes.lines if to_hex(line.get_color()) == shade.lower() and line.get_marker() == "o"
    ]
    return np.asarray(line.get_ydata(), dtype=float)


def test_noise_goes_from_clean_to_loud_and_shift_from_early_to_late(summarised: Config) -> None:
    noise, shift, others = draw.draw(summarised, "demo", "robustness").axes
    uar = read("robustness", "demo").query("metric == 'uar' and system == 'ugcl'")
    value = uar.set_index(["condition", "level"])["value"]
    shade = theme.colours(summarised)["ugcl"]
    assert line_of(noise, shade) == pytest.approx(
        [value[CLEAN, ""], *(value["noise", n] for n in ("20", "10", "0"))]
    )
    levels = [label.get_text() for label in shift.get_xticklabels()]
    assert levels == ["-0.5", "-0.2", "clean", "0.2", "0.5"]
    assert line_of(shift, shade)[2] == pytest.approx(value[CLEAN, ""])
    # No made-up system can be without video, so it has no place.
    names = [" ".join(label.get_text().split()) for label in others.get_xticklabels()]
    assert names == ["clean", "no audio", "every second frame lost", "half of the frames lost"]
    assert np.isfinite(line_of(others, shade)).all()


def test_what_one_system_cannot_have_is_a_gap_and_what_none_can_is_no_panel(summarised: Config) -> None:
    table = read("robustness", "demo").query("metric == 'uar'").copy()
    lost = (table["condition"] == "missing") & (table["level"] == "audio") & (table["system"] == "ugcl")
    table.loc[lost | (table["condition"] == "shift"), "value"] = np.nan
    palette = theme.colours(summarised)
    noise, others = condition_figures.robustness(table, palette).axes
    assert noise.get_title(loc="left") == "white noise in the sound"
    assert np.isnan(line_of(others, palette["ugcl"])[1])
    assert np.isfinite(line_of(others, palette["audio-only"])).all()


def test_wrong_labels_are_drawn_for_the_systems_that_were_trained_on_them(summarised: Config) -> None:
    table = read("robustness", "demo")
    clean = table[table["condition"] == "clean"]
    own = clean[clean["system"] == "ugcl"].assign(condition="labels")
    noisy = pd.concat([clean, own.assign(level="0.3", value=0.2), own.assign(level="0.1", value=0.4)])
    palette = theme.colours(summarised)
    (axes,) = condition_figures.robustness(noisy, palette).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["clean", "10 %", "30 %"]
    uar = clean.query("metric == 'uar' and system == 'ugcl'")["value"].iloc[0]
    assert line_of(axes, palette["ugcl"]) == pytest.approx([uar, 0.4, 0.2])
    assert len(axes.lines) == 1


def test_a_benchmark_without_noise_has_a_figure_all_the_same(summarised: Config) -> None:
    table = read("robustness", "demo")
    few = table[table["condition"].isin(["clean", "missing"])]
    assert len(condition_figures.robustness(few, {}, 1 / 6).axes) == 1


def test_cost_puts_every_system_at_its_size_and_score(summarised: Config) -> None:
    axes = draw.draw(summarised, "demo", "cost").axes
    cost, uar = (
        read("cost", "demo"),
        read("summary", "demo").query("metric == 'uar'").set_index("system")["value"],
    )
    for panel, column in zip(axes, ("parameters", "flops", "latency_ms"), strict=True):
        points = np.array([(line.get_xdata()[0], line.get_ydata()[0]) for line in panel.lines])
        assert points == pytest.approx(np.column_stack([cost[column], uar[cost["system"]]]))


def test_tokens_fall_from_the_most_used_one_beside_an_even_share(summarised: Config) -> None:
    left, right = draw.draw(summarised, "demo", "tokens").axes
    table = read("tokens", "demo")
    curves = [line.get_ydata() for line in left.lines if len(line.get_ydata()) > 2]
    assert len(curves) == table.groupby(["modality", "fold"]).ngroups
    assert all((np.diff(curve) <= 0).all() for curve in curves)
    assert sum(map(np.sum, curves)) == pytest.approx(table["share"].sum())
    assert any(list(line.get_ydata()) == [1 / 6, 1 / 6] for line in left.lines)
    assert right.get_yticklabels()[0].get_text() == "audio, all clips"


def test_the_map_shows_the_same_points_three_times(summarised: Config) -> None:
    table = read("token_map", "demo")
    figure = draw.draw(summarised, "demo", "token_map")
    for axes in figure.axes:
        points = np.concatenate([c.get_offsets() for c in axes.collections])
        assert sorted(map(tuple, points)) == sorted(zip(table["x"], table["y"], strict=True))


def test_many_speakers_have_as_many_colours(summarised: Config) -> None:
    rows = pd.DataFrame({"speaker": [f"s{i:02d}" for i in range(40)], "label": "a", "modality": "audio"})
    figure = inside_figures.token_map(rows.assign(x=range(40), y=0.0), ["a"])
    colours = figure.axes[1].collections[0].get_facecolors()
    assert len({tuple(colour) for colour in colours}) == 40 and figure.axes[1].get_legend() is None


def test_attention_is_in_even_shares(summarised: Config) -> None:
    rows = pd.DataFrame({"clip": "c", "label": "sad", "modality": "audio", "time": [0.1, 0.2, 0.3, 0.4]})
    figure = inside_figures.attention(rows.assign(weight=[0.25, 0.25, 0.5, 0.0]), ["happy", "sad"])
    assert figure.axes[0].lines[0].get_ydata() == pytest.approx([1, 1, 2, 0])
    assert figure.axes[0].get_title(loc="left") == "sad: c"


def test_hard_negatives_are_counted_by_labels() -> None:
    rows = pd.DataFrame({"label": ["a", "a", "b"], "other_label": ["b", "b", "a"]})
    axes = inside_figures.hard_negatives(rows, ["a", "b", "c"]).axes[0]
    assert np.asarray(axes.images[0].get_array()).tolist() == [[0, 2, 0], [1, 0, 0], [0, 0, 0]]


def test_figures_of_tokens_are_only_where_the_reference_has_some(summarised: Config) -> None:
    inside = {"tokens", "token_map", "retrieval", "hard_negatives", "attention"}
    assert {*inside, "robustness"} <= {kind.name for kind in kinds(summarised, "demo")}
    tree = summarised.model_dump()
    tree["benchmarks"]["demo"] |= {"reference": "audio-only"}
    tree["evaluate"]["robustness"] = []
    changed = type(summarised).model_validate(tree)
    assert not {*inside, "robustness"} & {kind.name for kind in kinds(changed, "demo")}
