"""Another list of active benchmarks adds results and replaces none."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from tests.workflow.conftest import Workplace
from tests.workflow.test_workflow import NOTHING, digests

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

OTHER = ("--config", "active=[other]", "report={notebooks: [02_benchmark]}")
SUMMARY = "results/tables/summary.csv"


def add_benchmark(tree: dict) -> None:
    own = tree["benchmarks"]["tiny"]
    tree["benchmarks"]["other"] = own | {"systems": ["audio-only"], "reference": "audio-only", "folds": [1]}


def results(workplace: Workplace, *benchmarks: str) -> dict[str, str]:
    trees = ("tables", "figures", "reports", "scores", "models", "predictions")
    found = {}
    for benchmark in benchmarks:
        for tree in trees:
            files = digests(workplace.root, f"results/{tree}/{benchmark}/**/*")
            assert files, (tree, benchmark)
            found |= files
    return found


def covered(workplace: Workplace) -> list[str]:
    metrics = json.loads((workplace.root / "results/tables/metrics.json").read_text())
    names = list(dict.fromkeys(pd.read_csv(workplace.root / SUMMARY)["benchmark"]))
    assert set(metrics) == set(names)
    return names


def rules(output: str) -> set[str]:
    """The rules whose jobs ran or are planned."""
    words = [line.split() for line in output.splitlines()]
    return {w[1].rstrip(":") for w in words if len(w) == 2 and w[0] in ("rule", "localrule")}


def links(workplace: Workplace) -> list[str]:
    page = BeautifulSoup((workplace.root / "results/index.html").read_text(), "html.parser")
    return [link["href"] for link in page.select("#other-reports a")]


def test_a_run_with_another_list_keeps_the_results_of_the_first(finished: Workplace) -> None:
    finished.set_parameters(add_benchmark)
    assert NOTHING in finished.snakemake("-n", "all"), "a benchmark more in the parameters"
    finished.commit("the tables of tiny")
    before = results(finished, "tiny")
    assert covered(finished) == ["tiny"] and links(finished) == []

    output = finished.snakemake("all", *OTHER)
    assert {"train_other_seed_0_fold_1", "benchmark_tables", "summary", "site"} <= rules(output)
    assert not any("tiny" in rule for rule in rules(output))
    assert results(finished, "tiny") == before
    assert covered(finished) == ["tiny", "other"]
    assert links(finished) == ["reports/tiny/index.html"]
    changed = finished.run("git", "status", "--porcelain").stdout.split()
    changed = set(changed[1::2])
    assert changed == {"results/tables/other/", SUMMARY, "results/tables/metrics.json"}
    evidence = (finished.root / "results/reports/other/workflow.html").read_text()
    assert "train_other_seed_0_fold_1" in evidence and "train_tiny_seed" not in evidence
    assert NOTHING in finished.snakemake("all", *OTHER)

    both = results(finished, "tiny", "other")
    assert rules(finished.snakemake("all")) - {"all"} == {"site"}, "back to the first: the front page alone"
    assert results(finished, "tiny", "other") == both
    assert covered(finished) == ["tiny", "other"]
    assert links(finished) == ["reports/other/index.html"]
    assert NOTHING in finished.snakemake("all")
    assert "nothing to prune" in finished.run("ugcl", "prune").stdout

    finished.set_parameters(lambda t: t["benchmarks"]["tiny"].update(planned=["audio-only"]))
    output = finished.snakemake("all", *OTHER)
    assert "summary" in rules(output) and rules(output) <= {"summary", "site", "all"}
    assert covered(finished) == ["other"]
    log = (finished.root / "logs/evaluate/summary.log").read_text()
    assert "rows of tiny left out: they were made with other parameters or code" in log
    now = results(finished, "tiny")
    assert now == {path: digest for path, digest in both.items() if path in now}
    refused = finished.snakemake("results/tables/tiny/summary.csv", "--force", *OTHER, code=None)
    assert "rule benchmark_tables" not in refused and results(finished, "tiny") == now
