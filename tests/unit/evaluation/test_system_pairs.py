"""Every two systems are compared as each is with the reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from tests.unit.evaluation.test_stats import CLASSES, QUICK, made
from ugcl.evaluation.statistics import paired
from ugcl.evaluation.tables.comparisons import pairs

SKILLS = {"good": 0.9, "fair": 0.6, "poor": 0.2, "blind": 0.0}


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return {
        name: pd.concat([made(seed + 7 * n, skill).assign(seed=seed) for seed in range(3)], ignore_index=True)
        for n, (name, skill) in enumerate(SKILLS.items())
    }


@pytest.fixture(scope="module", params=["uar", "weighted_f1"])
def found(request, frames) -> tuple[str, pd.DataFrame]:
    scored = {
        name: paired.scored(frame, CLASSES, QUICK).only(request.param) for name, frame in frames.items()
    }
    return request.param, pairs(scored, QUICK, request.param, "speaker")


def test_a_pair_has_the_numbers_of_a_comparison_with_a_reference(found, frames) -> None:
    metric, table = found
    assert len(table) == 6 and not table.isna().any().any()
    for row in table.itertuples():
        own, other = (paired.scored(frames[name], CLASSES, QUICK) for name in (row.system, row.other))
        expected = paired.compare(own, other, QUICK).set_index("metric").loc[metric]
        shown = (row.value, row.other_value, row.difference, row.ci_low, row.ci_high, row.p)
        names = ["value", "reference_value", "difference", "ci_low", "ci_high", "p"]
        assert shown == pytest.approx(tuple(expected[names]))


def test_shares_of_clips_are_counted_over_all_seeds(found, frames) -> None:
    for row in found[1].itertuples():
        first, second = (
            frames[name]["label"] == frames[name]["predicted"] for name in (row.system, row.other)
        )
        table = pd.crosstab(first, second, normalize="all").reindex(
            index=[True, False], columns=[True, False]
        )
        shown = [[row.both, row.only_system], [row.only_other, row.neither]]
        assert np.array(shown) == pytest.approx(table.fillna(0).to_numpy())


def test_p_is_corrected_over_all_pairs(found) -> None:
    table = found[1]
    assert table["p_holm"].to_numpy() == pytest.approx(multipletests(table["p"], method="holm")[1])


def test_one_system_has_no_pair(frames) -> None:
    scored = {"good": paired.scored(frames["good"], CLASSES, QUICK)}
    assert pairs(scored, QUICK, "uar", "speaker").empty
