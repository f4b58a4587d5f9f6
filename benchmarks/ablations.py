"""The table of ablations of a benchmark, as it stands in README.md, from the tables of its last evaluation.

    python benchmarks/ablations.py BENCHMARK [--root FOLDER] [--kept FILE]

In per cent: the mean dev UAR of the selected epochs, by which settings may be chosen; the UAR over the test
clips of all folds; its paired difference from the reference, with the p of the permutation test after Holm's
correction over all rows; and how much more a run's test fold would give if it also chose the epoch, which is
never done. Intervals, 95 %, and tests are over speakers.

A grid of many systems may be trained in parts: `--kept` names a file of rows, which those of this evaluation
join or replace, and the table is then of all of them. Every part has the reference beside it, so that each
difference is between runs of one commit and one machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from ugcl import config
from ugcl.evaluation.statistics.paired import holm
from ugcl.plan import paths
from ugcl.reports.tables.cells import p_value, percent
from ugcl.training.card import read_card

TABLES = ("summary", "comparisons", "runs", "optimism_by_system")


def evaluated(root: Path, benchmark: str) -> pd.DataFrame:
    """What the last evaluation says of a benchmark's systems, one row each.

    Args:
        root: the project's folder; its results/ has the tables and the runs.
        benchmark: key of `benchmarks`.
    """
    read = {name: pd.read_csv(root / paths.TABLES / f"{name}.csv") for name in TABLES}
    own = {name: table[table["benchmark"] == benchmark] for name, table in read.items()}
    runs = own["runs"].drop_duplicates("system").set_index("system")
    cards = {
        system: read_card(root / paths.MODELS / paths.run(benchmark, system, run["seed"], run["fold"]))
        for system, run in runs.iterrows()
    }
    scores, against = (
        table[table["metric"] == "uar"].set_index("system") for table in (own["summary"], own["comparisons"])
    )
    interval = {"ci_low": "difference_low", "ci_high": "difference_high"}
    compared = against.rename(columns=interval)[["difference", *interval.values(), "p_permutation"]]
    table = scores[["value", "ci_low", "ci_high", "lineage"]].join(compared)
    table["dev_uar"] = own["runs"].groupby("system")["dev_uar"].mean()
    table["optimism"] = own["optimism_by_system"].set_index("system")["optimism"]
    table["commit"] = {system: card.commit[:7] for system, card in cards.items()}
    return table.loc[[system for system in table.index if system in cards]]


def joined(kept: Path, rows: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Rows of a file with new ones in place of theirs, in some order; the file is written anew."""
    if kept.exists():
        old = pd.read_csv(kept, index_col="system", dtype={"commit": str, "lineage": str})
        rows = pd.concat([rows, old.drop(rows.index, errors="ignore")])
    rows = rows.loc[sorted(rows.index, key=lambda s: order.index(s) if s in order else len(order))]
    rows.to_csv(kept, float_format="%.6f")
    return rows


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as people read them; Holm's correction is over all that are here."""
    corrected = pd.Series(holm(rows["p_permutation"].to_numpy()), rows.index)
    return pd.DataFrame(
        {
            "system": system,
            "dev UAR": f"{100 * row['dev_uar']:.1f}",
            "UAR": percent(row["value"], row["ci_low"], row["ci_high"]),
            "difference": percent(
                row["difference"], row["difference_low"], row["difference_high"], signed=True
            ),
            "p": p_value(corrected[system]),
            "chosen on test": f"+{100 * row['optimism']:.1f}",
            "lineage": row["lineage"],
            "commit": row["commit"],
        }
        for system, row in rows.iterrows()
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's folder")
    parser.add_argument("--kept", type=Path, help="file of rows that this evaluation's join")
    options = parser.parse_args()
    rows = evaluated(options.root, options.benchmark)
    if options.kept:
        rows = joined(options.kept, rows, config.load().benchmark(options.benchmark).systems)
    # Cells as they are, not padded: a row whose numbers stay is no change of the file it is pasted into.
    print(table(rows).to_markdown(index=False, disable_numparse=True, stralign=None))


if __name__ == "__main__":
    main()
