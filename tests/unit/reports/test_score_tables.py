"""Tables of published results, groups and probabilities say what the summary's tables say."""

from __future__ import annotations

import pandas as pd
import pytest

from ugcl.config import Config
from ugcl.evaluation.tables import published
from ugcl.reports.tables import cells, scores
from ugcl.reports.tables.read import read

PUBLISHED = pd.DataFrame(
    [
        ("M", 2024, "audio", "theirs", "uar", 0.861, None, "yes", "", "epoch chosen on test"),
        ("M", 2024, "audio", "theirs", "war", 0.85, 0.019, "yes", "", "epoch chosen on test"),
        ("N", None, "audio", "random", "war", 0.94, None, "no", "folds 1, here 5", ""),
        ("N", None, "audio", "random", "uar", 0.93, None, "no", "folds 1, here 5", ""),
    ],
    columns=list(published.PUBLISHED[:-2]),
).assign(
    source="a paper",
    grade="primary",
    year=lambda t: t["year"].astype(float),
    spread=lambda t: t["spread"].astype(float),
)


def test_numbers_with_intervals_signs_and_gaps() -> None:
    nan = float("nan")
    assert cells.number(0.4123, 0.38, 0.4501, 3) == "0.412 [0.380, 0.450]"
    assert cells.number(-0.5, nan, nan, 2, signed=True) == "−0.50"
    assert cells.number(nan, 0, 1, 2) == "" == cells.p_value(nan)
    assert cells.p_value(0.00099) == "< 0.001" and cells.p_value(0.001) == "0.001"


def test_published_results_stand_below_the_systems_and_others_are_kept_out(summarised: Config) -> None:
    table = scores.published_table(read("summary", "ravdess"), PUBLISHED).set_index("system")
    assert list(table.index) == ["ugcl (here)", "ugcl-no-ugcl (here)", "audio-only (here)", "M"]
    theirs = table.loc["M"]
    assert theirs[["year", "UAR", "WAR", "macro-F1"]].tolist() == ["2024", "86.1", "85.0 ± 1.9", ""]
    assert theirs["caveat"] == "epoch chosen on test"
    value = read("summary", "ravdess").query("system == 'ugcl' and metric == 'uar'")["value"].iloc[0]
    assert table.loc["ugcl (here)", "UAR"].startswith(f"{100 * value:.1f} [")


def test_results_of_other_protocols_are_one_row_a_method_with_the_reason() -> None:
    table = scores.apart_table(PUBLISHED)
    assert len(table) == 1
    row = table.iloc[0]
    assert (
        row["scores"] == "WAR 94.0, UAR 93.0" and row["why apart"] == "folds 1, here 5" and row["year"] == ""
    )


def test_groups_are_those_of_the_one_system(summarised: Config) -> None:
    table = scores.subgroup_table(read("subgroups", "demo"), "ugcl")
    rows = read("subgroups", "demo").query("system == 'ugcl'").reset_index(drop=True)
    assert table[["attribute", "group", "small"]].equals(rows[["attribute", "group", "small"]])
    assert table["UAR"][0] == cells.percent(rows["uar"][0], rows["ci_low"][0], rows["ci_high"][0])
    assert table["gap"].str[0].isin(list("+−")).all()


def test_confidence_is_the_mean_over_clips_and_bins_give_the_ece(summarised: Config) -> None:
    bins, summary = read("calibration", "demo"), read("summary", "demo")
    table = scores.calibration_table(summary, bins).set_index("system")
    own = bins[bins["system"] == "ugcl"]
    share = own["clips"] / own["clips"].sum()
    gap = (own["accuracy"] - own["confidence"]).abs()
    assert float(table.loc["ugcl", "ECE"]) == pytest.approx(100 * (share * gap).sum(), abs=0.051)
    assert float(table.loc["ugcl", "confidence"]) == pytest.approx(
        100 * (share * own["confidence"]).sum(), abs=0.051
    )
    assert float(table.loc["ugcl", "WAR"]) == pytest.approx(100 * (share * own["accuracy"]).sum(), abs=0.051)
    assert "chance" not in table.index


def test_pairs_of_ranks_name_the_better_first() -> None:
    columns = ["system", "other", "rank", "other_rank", "p"]
    pairs = pd.DataFrame([("a", "b", 3.0, 1.5, 0.04), ("a", "c", 3.0, 5.0, 0.0001)], columns=columns)
    table = scores.pair_table(pairs)
    assert table.to_numpy().tolist() == [
        ["a (3.00)", "c (5.00)", "< 0.001"],
        ["b (1.50)", "a (3.00)", "0.040"],
    ]
    assert len(scores.pair_table(pairs, most=1)) == 1
