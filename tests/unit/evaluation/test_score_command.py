"""`ugcl evaluate score`: all systems of a benchmark, under the lineage that the workflow plans."""

from __future__ import annotations

import pandas as pd
import pytest

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.evaluation.tables.score import read_scores
from ugcl.plan import evaluation as outputs
from ugcl.provenance import lineage


def test_all_systems_are_scored_at_once_and_print_their_own_lineage(tiny: Config, ugcl) -> None:
    ugcl("evaluate", "score", "tiny")
    systems = tiny.benchmark("tiny").systems
    for path in outputs.score_outputs("tiny"):
        found = list(dict.fromkeys(pd.read_csv(path)["system"]))
        assert found == systems or (found == [] and path.stem in ("subgroups", "pairs")), path
    frame = pd.read_csv(outputs.score("tiny", "metrics"), dtype=str)
    printed = {system: set(rows["lineage"]) for system, rows in frame.groupby("system")}
    assert printed == {system: {lineage.score(tiny, "tiny", system)} for system in systems}
    assert len(set.union(*printed.values())) == len(systems)


def test_with_one_seed_its_rows_are_those_of_the_whole(tiny: Config, ugcl) -> None:
    ugcl("evaluate", "score", "tiny")
    frame = pd.read_csv(outputs.score("tiny", "metrics"))
    frame = frame[frame["system"] == "concat"]
    beside = frame["metric"].isin(["ece_calibrated", "ece_scaled"])
    assert set(frame.loc[beside, "scope"]) == {"pooled"} and beside.sum() == 2
    frame = frame[~beside]
    values = ["metric", "value", "ci_low", "ci_high", "clips", "speakers"]
    whole, seed = (
        frame.loc[frame["scope"] == scope, values].reset_index(drop=True) for scope in ("pooled", "seed")
    )
    assert len(whole) and whole.equals(seed)
    assert set(frame.loc[frame["scope"] == "seed", "seed"]) == {"0"}


def test_a_system_without_scores_is_not_left_out_of_the_summary(tiny: Config, ugcl) -> None:
    ugcl("evaluate", "score", "tiny")
    path = outputs.score("tiny", "metrics")
    frame = pd.read_csv(path, dtype=str)
    frame[frame["system"] != "concat"].to_csv(path, index=False)
    assert set(read_scores("tiny", "metrics", ["ugcl"])["system"]) == {"ugcl"}
    with pytest.raises(UgclError, match=r"scores/tiny/metrics\.csv: has no rows of concat"):
        read_scores("tiny", "metrics", ["ugcl", "concat"])
