"""The table of ablations of a benchmark, as in docs/results.md, from the tables of its last evaluation.

    python perf/ablations.py BENCHMARK [--root FOLDER] [--kept FILE]

In per cent, by the primary metric of the protocol: its mean over the dev parts at the selected epochs, by
which settings may be chosen; that over the test clips of all folds; its paired difference from the reference;
p after Holm's correction, the benchmark's planned comparisons and the others each by themselves; and how much
more a run's test fold would give if it also chose the epoch, which is never done. p is that of the interval.
Rows that were kept before there was such a p have that of the sign-flip test alone, which is given the
trained models: a table with one of them shows it for all.

A grid of many systems may be trained in parts: `--kept` names a file of rows, which those of this evaluation
join or replace, and the table is then of all of them; without an evaluation here it is of the kept rows. The
file also has the metric of each seed. Every part has the reference beside it, so that each
difference is between runs of one commit and one machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from ugcl import config
from ugcl.evaluation.statistics.paired import holm
from ugcl.evaluation.tables.comparisons import EXPLORATORY, PLANNED
from ugcl.plan import evaluation, paths
from ugcl.plan.names import TITLES
from ugcl.reports.tables.cells import p_value, percent
from ugcl.training.state.records import read_card

TABLES = ("summary", "comparisons", "runs", "optimism_by_system")


def evaluated(root: Path, benchmark: str, primary: str) -> pd.DataFrame:
    """What the last evaluation says of a benchmark's systems, one row each.

    Args:
        root: the project's folder; its results/ has the tables and the runs.
        benchmark: key of `benchmarks`.
        primary: the metric, such as `uar`.
    """
    own = {name: pd.read_csv(root / evaluation.table(benchmark, name)) for name in TABLES}
    runs = own["runs"].drop_duplicates("system").set_index("system")
    cards = {
        system: read_card(root / paths.MODELS / paths.run(benchmark, system, run["seed"], run["fold"]))
        for system, run in runs.iterrows()
    }
    scores, against = (
        table[table["metric"] == primary].set_index("system")
        for table in (own["summary"], own["comparisons"])
    )
    interval = {"ci_low": "difference_low", "ci_high": "difference_high"}
    tests = ["p", "p_permutation", "p_error"]
    compared = against.rename(columns=interval)[["difference", *interval.values(), *tests]]
    table = scores[["value", "ci_low", "ci_high", "lineage"]].join(compared)
    dev = f"dev_{primary}"
    table[dev] = own["runs"].groupby("system")[dev].mean()
    table["optimism"] = own["optimism_by_system"].set_index("system")["optimism"]
    table["commit"] = pd.Series({s: card.commit[:7] for s, card in cards.items()}, dtype=object)
    table = table.loc[[system for system in table.index if system in cards]]
    return table.join(by_seed(root, benchmark, list(table.index), primary))


def by_seed(root: Path, benchmark: str, systems: list[str], primary: str) -> pd.DataFrame:
    """The primary metric of each seed over all folds: systems × <primary>_seed<s>."""
    scores = pd.read_csv(root / evaluation.score(benchmark, "metrics"))
    rows = scores[(scores["scope"] == "seed") & (scores["metric"] == primary)]
    rows = rows[rows["system"].isin(systems)]
    named = rows.assign(name=f"{primary}_seed" + rows["seed"].astype(str))
    return named.pivot(index="system", columns="name", values="value")


def joined(kept: Path, rows: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Rows of a file with new ones in place of theirs, in some order; the file is written anew."""
    if kept.exists():
        old = pd.read_csv(kept, index_col="system", dtype={"commit": str, "lineage": str})
        kept_rows = old.drop(rows.index, errors="ignore")
        rows = pd.concat([rows, kept_rows]) if len(rows) else kept_rows
    rows = rows.loc[sorted(rows.index, key=lambda s: order.index(s) if s in order else len(order))]
    rows.to_csv(kept, float_format="%.6f")
    return rows


def table(rows: pd.DataFrame, planned: list[str], primary: str) -> pd.DataFrame:
    """The rows as people read them; Holm's correction is over all rows of a family that are here."""
    tested = rows.reindex(columns=["p", "p_permutation"]).dropna(how="all")
    name, title = ("p", "p") if tested["p"].notna().all() else ("p_permutation", "p, given the models")
    family = pd.Series(rows.index.isin(planned), rows.index).map({True: PLANNED, False: EXPLORATORY})
    corrected = rows[name].groupby(family).transform(lambda p: holm(p.to_numpy()))
    family = family.where(rows[name].notna(), "")
    return pd.DataFrame(
        {
            "system": system,
            f"dev {TITLES[primary]}": f"{100 * row[f'dev_{primary}']:.1f}",
            TITLES[primary]: percent(row["value"], row["ci_low"], row["ci_high"]),
            "difference": percent(
                row["difference"], row["difference_low"], row["difference_high"], signed=True
            ),
            "family": family[system],
            title: p_value(corrected[system]),
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
    parameters = config.load()
    entry, primary = parameters.benchmark(options.benchmark), parameters.protocol(options.benchmark).primary
    rows = evaluated(options.root, options.benchmark, primary)
    if options.kept:
        rows = joined(options.kept, rows, entry.systems)
    # Cells as they are, not padded: a row whose numbers stay does not change the file it is pasted into.
    print(table(rows, entry.planned, primary).to_markdown(index=False, disable_numparse=True, stralign=None))


if __name__ == "__main__":
    main()
