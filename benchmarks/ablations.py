"""The table of ablations of a benchmark, as it stands in README.md, from the tables of its last evaluation.

    python benchmarks/ablations.py BENCHMARK [--root FOLDER]

In per cent: the mean dev UAR of the selected epochs, by which settings may be chosen; the UAR over the test
clips of all folds; its paired difference from the reference, with the p of the permutation test after Holm's
correction over all rows; and how much more a run's test fold would give if it also chose the epoch, which is
never done. Intervals, 95 %, and tests are over speakers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from ugcl.reports.cells import p_value, percent


def ablations(tables: Path, benchmark: str) -> pd.DataFrame:
    """One row a system, in the order of the benchmark.

    Args:
        tables: folder of summary.csv, comparisons.csv, runs.csv and optimism_by_system.csv.
        benchmark: key of `benchmarks`.
    """
    read = {
        name: pd.read_csv(tables / f"{name}.csv")
        for name in ("summary", "comparisons", "runs", "optimism_by_system")
    }
    own = {name: table[table["benchmark"] == benchmark] for name, table in read.items()}
    dev = own["runs"].groupby("system")["dev_uar"].mean()
    peeking = own["optimism_by_system"].set_index("system")["optimism"]
    scores, against = (
        table[table["metric"] == "uar"].set_index("system") for table in (own["summary"], own["comparisons"])
    )
    rows = []
    for system, score in scores[scores.index.isin(dev.index)].iterrows():
        row = {
            "system": system,
            "dev UAR": f"{100 * dev[system]:.1f}",
            "UAR": percent(score["value"], score["ci_low"], score["ci_high"]),
        }
        if system in against.index:
            other = against.loc[system]
            row["difference"] = percent(other["difference"], other["ci_low"], other["ci_high"], signed=True)
            row["p"] = p_value(other["p_holm"])
        rows.append(row | {"chosen on test": f"+{100 * peeking[system]:.1f}", "lineage": score["lineage"]})
    columns = ["system", "dev UAR", "UAR", "difference", "p", "chosen on test", "lineage"]
    return pd.DataFrame(rows, columns=columns).fillna("")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's folder")
    options = parser.parse_args()
    table = ablations(options.root / "results" / "tables", options.benchmark)
    print(table.to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
