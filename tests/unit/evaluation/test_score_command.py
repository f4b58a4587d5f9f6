"""`ugcl evaluate score`: one system or all, under the lineage that the workflow plans."""

from __future__ import annotations

import pandas as pd

from ugcl.config import Config
from ugcl.plan import evaluation as outputs
from ugcl.provenance import lineage


def test_all_systems_are_scored_at_once_and_print_their_own_lineage(tiny: Config, ugcl) -> None:
    ugcl("evaluate", "score", "tiny")
    systems = tiny.benchmark("tiny").systems
    printed = {}
    for system in systems:
        assert all(path.is_file() for path in outputs.score_outputs(tiny, "tiny", system))
        frame = pd.read_csv(outputs.score("tiny", system, "metrics"), dtype=str)
        printed[system] = set(frame["lineage"])
    assert printed == {system: {lineage.score(tiny, "tiny", system)} for system in systems}
    assert len(set.union(*printed.values())) == len(systems)


def test_with_one_seed_its_rows_are_those_of_the_whole(tiny: Config, ugcl) -> None:
    ugcl("evaluate", "score", "tiny", "concat")
    assert not outputs.score("tiny", "ugcl", "metrics").exists()
    frame = pd.read_csv(outputs.score("tiny", "concat", "metrics"))
    beside = frame["metric"].isin(["ece_calibrated", "ece_scaled"])
    assert set(frame.loc[beside, "scope"]) == {"pooled"} and beside.sum() == 2
    frame = frame[~beside]
    values = ["metric", "value", "ci_low", "ci_high", "clips", "speakers"]
    whole, seed = (
        frame.loc[frame["scope"] == scope, values].reset_index(drop=True) for scope in ("pooled", "seed")
    )
    assert len(whole) and whole.equals(seed)
    assert set(frame.loc[frame["scope"] == "seed", "seed"]) == {"0"}


def test_a_system_that_the_benchmark_lacks_is_named(tiny: Config, ugcl) -> None:
    result = ugcl("evaluate", "score", "tiny", "other", code=1)
    assert "tiny has no system 'other'; choose from ugcl, concat, audio-only" in result.error
