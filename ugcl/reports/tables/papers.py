"""Tables that a paper can paste: CSV, Markdown and LaTeX (booktabs), a shown best in bold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ugcl import files
from ugcl.config import Config
from ugcl.data import tables as csv
from ugcl.plan.evaluation import by_speaker, marks
from ugcl.plan.names import LOWER_IS_BETTER, TITLES, is_reference_row
from ugcl.plan.reports import TABLES, paper_table
from ugcl.reports import labels
from ugcl.reports.tables import scores
from ugcl.reports.tables.cells import counted, number, p_value, percent
from ugcl.reports.tables.read import no_intervals, read
from ugcl.reports.text import plain

SHOWN = ("uar", "war", "macro_f1", "weighted_f1", "ece")
"""Metrics of the main table."""

COMPARED = ("uar", "war", "macro_f1")
"""Metrics of the tables of differences, after the protocol's primary metric."""

CITED = ["source", "grade"]
"""Columns that a paper says in its references: not in LaTeX."""

BY_SPEAKER = "features standardised over all of a test speaker's clips, unlabelled"
"""What is to be known of a system with `input.standardise: speaker` wherever its scores stand."""

TESTS = ("p", "p (Holm)", "family", "p sign flips", "detectable Δ {primary}", "effect size g")
"""Columns of the table of differences that say how sure one can be of the primary metric's."""

LEVEL = 0.05
"""A best value is marked where its corrected p is below this."""

MARKED = "bold: best, where its difference is shown (p < 0.05 after Holm); underlined: then the second"

LATEX = str.maketrans(
    {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "→": r"$\to$", "±": r"$\pm$", "−": "$-$", "–": "--"}
    | {"$": r"\$", "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
    | {"^": r"\textasciicircum{}"}
)


def main_table(summary: pd.DataFrame, metrics: tuple[str, ...] = SHOWN) -> pd.DataFrame:
    """Systems by metrics, in per cent with intervals.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.

    Returns:
        system, modalities, one column per metric (its title), folds, seeds, clips, speakers, lineage.
    """
    rows = []
    for system, group in summary.groupby("system", sort=False):
        by_metric = group.set_index("metric")
        row = {"system": system, "modalities": group["modalities"].iloc[0]}
        for metric in metrics:
            known = metric in by_metric.index
            limits = by_metric.loc[metric, ["value", "ci_low", "ci_high"]] if known else [np.nan] * 3
            row[TITLES[metric]] = percent(*limits)
        row |= {name: int(group[name].iloc[0]) for name in ("folds", "seeds", "clips", "speakers")}
        rows.append(row | {"lineage": group["lineage"].iloc[0]})
    return pd.DataFrame(rows)


def places(
    summary: pd.DataFrame, compared: pd.DataFrame, metrics: tuple[str, ...] = SHOWN
) -> dict[tuple[str, str], int]:
    """Which cells are best (1) and second (2) among trained systems: (system, metric title) → place.

    Equal values, to the digit shown, share a place. A column has no places where its best is not shown to
    differ (:func:`lead`), or where one of its ECEs lies in the band of a calibrated system.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        compared: rows of the same benchmark of comparisons.csv.
    """
    found = {}
    trained = summary[~summary["system"].map(is_reference_row)]
    for metric in metrics:
        groups = ranked(trained, metric)
        calibrated = metric == "ece" and any(in_band(trained, system) for each in groups for system in each)
        if len(groups) < 2 or calibrated or (metric != "ece" and not lead(compared, metric, groups) < LEVEL):
            continue
        for place, systems in enumerate(groups, start=1):
            found |= {(system, TITLES[metric]): place for system in systems}
    return found


def ranked(trained: pd.DataFrame, metric: str) -> list[list[str]]:
    """The systems of the best value of a metric and of the second, equal to the digit shown."""
    values = trained[trained["metric"] == metric].set_index("system")["value"].mul(100).round(1)
    order = np.sort(values.unique())[:: 1 if metric in LOWER_IS_BETTER else -1]
    return [list(values.index[values == value]) for value in order[:2]]


def lead(compared: pd.DataFrame, metric: str, groups: list[list[str]]) -> float:
    """The corrected p by which the best of a metric is shown to differ; 1 where nothing was compared.

    It is that of the best against the reference, or, where the reference is the best, of those that share
    the first place with it, or else of the second; the largest of several.

    Args:
        compared: rows of one benchmark of comparisons.csv.
        groups: of :func:`ranked`.
    """
    rows = compared[compared["metric"] == metric].set_index("system")
    if rows.empty or not groups:
        return 1.0
    reference = rows["reference"].iloc[0]
    rivals = groups[0]
    if reference in rivals:
        rivals = [s for s in rivals if s != reference] or [s for each in groups[1:] for s in each]
    p = rows["p_holm"].reindex(rivals)
    return 1.0 if p.isna().any() or p.empty else float(p.max())


def in_band(trained: pd.DataFrame, system: str) -> bool:
    """Whether a system's ECE is not higher than a calibrated system's would be with the same confidences."""
    own = trained[trained["system"] == system].set_index("metric")
    return "ece_calibrated" in own.index and own.loc["ece", "value"] <= own.loc["ece_calibrated", "ci_high"]


def difference_table(compared: pd.DataFrame, primary: str = "uar") -> pd.DataFrame:
    """Systems minus the reference in points with intervals, and what the tests say.

    Args:
        compared: rows of one benchmark of comparisons.csv, or of ablations.csv (then with `changes`).
        primary: the protocol's metric, which comes first and is tested.

    Returns:
        system, changes, one column per metric, and TESTS, all of the primary metric: p of the interval's own
        inference, the same after Holm, the family that it corrects, the sign-flip test's p, the smallest
        difference that the design finds in four of five tries, Hedges' g over speakers or dialogues.
    """
    rows, metrics = [], tuple(dict.fromkeys((primary, *COMPARED)))
    tests = [name.format(primary=TITLES[primary]) for name in TESTS]
    for system, group in compared.groupby("system", sort=False):
        by_metric = group.set_index("metric")
        row = {"system": system}
        if "changes" in group:
            row["changes"] = group["changes"].iloc[0]
        for metric in metrics:
            cell = by_metric.loc[metric]
            row[f"Δ {TITLES[metric]}"] = percent(cell["difference"], cell["ci_low"], cell["ci_high"], True)
        tested = by_metric.loc[primary]
        flips = p_value(tested["p_permutation"])
        drawn = f" ± {tested['p_error']:.1g}" if tested["p_error"] >= 5e-5 else ""
        family = f"{tested['family']} ({tested['family_size']:.0f})"
        size = number(tested["effect"], tested["effect_low"], tested["effect_high"], 2, True)
        least = percent(tested["detectable"], np.nan, np.nan)
        found = p_value(tested["p"]), p_value(tested["p_holm"]), family, flips + drawn, least, size
        rows.append(row | dict(zip(tests, found, strict=True)))
    front = ["system", *(["changes"] if "changes" in compared else [])]
    columns = [*front, *(f"Δ {TITLES[m]}" for m in metrics), *tests]
    return pd.DataFrame(rows, columns=columns)


def inference(compared: pd.DataFrame, primary: str = "uar") -> str:
    """The basis of the intervals and p of a table of differences, in two sentences."""
    rows = compared[compared["metric"] == primary]
    if rows.empty:
        return ""
    units = rows["covers"].iloc[0].removesuffix("+training")
    over = f"{units} and training runs"
    if (rows["covers"] == units).any():
        over = f"{units}, given the trained models (one seed shows no training noise in so few folds)"
    swapped = "" if primary == "uar" else f" (of {TITLES[primary]}, outputs swapped by {units[:-1]})"
    return (
        f"Interval and p: one t inference over {over}; Holm within each family."
        f" Sign flips{swapped}: given the trained models, not corrected; their smallest possible p is"
        f" {rows['p_smallest'].max():.2g}."
    )


def to_markdown(table: pd.DataFrame, caption: str, marked: dict[tuple[str, str], int] | None = None) -> str:
    """A Markdown table with a caption line; best bold, second underlined."""
    named = table.map(plain).rename(columns=plain)
    shown = _marked(named, marked or {}, {1: "**{}**", 2: "<u>{}</u>"})
    return f"{plain(caption)}\n\n{shown.to_markdown(index=False, disable_numparse=True)}\n"


def to_latex(
    table: pd.DataFrame, caption: str, label: str, marked: dict[tuple[str, str], int] | None = None
) -> str:
    """A LaTeX table (needs booktabs and graphicx); best bold, second underlined."""
    escaped = table.map(lambda cell: str(cell).translate(LATEX))
    escaped.insert(0, "_", table.iloc[:, 0])
    shown = _marked(escaped, marked or {}, {1: r"\textbf{{{}}}", 2: r"\underline{{{}}}"}).drop(columns="_")
    head = " & ".join(column.translate(LATEX).replace("Δ", r"$\Delta$") for column in shown)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption.translate(LATEX)}}}",
        rf"\label{{tab:{label}}}",
        r"\resizebox{\linewidth}{!}{%",
        rf"\begin{{tabular}}{{{'l' * shown.shape[1]}}}",
        r"\toprule",
        head + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in shown.itertuples(index=False, name=None)),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def caption(config: Config, benchmark: str, text: str) -> str:
    """What a table shows and under which protocol, with the benchmark's marks."""
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    few, drawn = no_intervals(benchmark), labels.units(config, benchmark)
    basis = f"; {100 * config.evaluate.confidence:g} % intervals by bootstrap over {drawn}."
    basis = f". {few}" if few else basis
    unusual = labels.basis(config, benchmark)
    basis += f" {unusual}" if unusual else ""
    mark, adapted = marks(config, benchmark), by_speaker(config, benchmark)
    return (
        (f"[{mark}] " if mark else "")
        + f"{benchmark}: {text} Corpus {entry.corpus}, protocol {entry.protocol},"
        + f" label target {protocol.label}, {len(protocol.classes)} classes,"
        + f" {counted(len(config.folds(benchmark)), 'fold')}, {counted(len(entry.seeds), 'seed')}{basis}"
        + (f" {', '.join(adapted)}: {BY_SPEAKER}." if adapted else "")
    )


def tables_of_all(config: Config) -> list[Path]:
    """Write the tables for papers of the active benchmarks (`ugcl report tables`)."""
    written = []
    for benchmark in config.active:
        for name, (table, text, marked) in paper_tables(config, benchmark).items():
            text = caption(config, benchmark, text)
            csv.write(table, paper_table(config, benchmark, name, ".csv"))
            files.write(paper_table(config, benchmark, name, ".md"), to_markdown(table, text, marked))
            latex = to_latex(table.drop(columns=CITED, errors="ignore"), text, f"{benchmark}-{name}", marked)
            files.write(paper_table(config, benchmark, name, ".tex"), latex)
            written += [paper_table(config, benchmark, name, suffix) for suffix in (".csv", ".md", ".tex")]
    return written


def paper_tables(
    config: Config, benchmark: str
) -> dict[str, tuple[pd.DataFrame, str, dict[tuple[str, str], int]]]:
    """The tables of a benchmark: name → table, what it shows, which cells are best and second."""
    summary, published = read("summary", benchmark), read("published", benchmark)
    compared, ablations = read("comparisons", benchmark), read("ablations", benchmark)
    reference, primary = config.benchmark(benchmark).reference, config.protocol(benchmark).primary
    against = f"against {reference}"
    beside = (
        "systems and published results of the same protocol, in per cent; ± as published."
        if (published["comparable"] == "yes").any()
        else "scores in per cent; no published result of the same protocol is listed."
    )
    groups = f"{reference} on groups of clips: UAR in per cent, gap in points to the other groups."
    sure = f"ECE, confidence and WAR in per cent; Brier score and log-loss; {MARKED}. {scores.BAND}"
    confidence = scores.calibration_table(summary, read("calibration", benchmark))
    found = {
        "main": (main_table(summary), f"scores in per cent; {MARKED}.", places(summary, compared)),
        "comparisons": (
            difference_table(compared, primary),
            f"points {against}. {inference(compared, primary)}",
            {},
        ),
        "ablations": (
            difference_table(ablations, primary),
            f"ablations {against}. {inference(ablations, primary)}",
            {},
        ),
        "published": (scores.published_table(summary, published), beside, {}),
        "subgroups": (scores.subgroup_table(read("subgroups", benchmark), reference), groups, {}),
        "calibration": (confidence, sure, places(summary, compared, scores.SCORES)),
    }
    return {name: found[name] for name in TABLES}


def _marked(table: pd.DataFrame, marked: dict[tuple[str, str], int], forms: dict[int, str]) -> pd.DataFrame:
    shown = table.astype(str)
    for i, system in enumerate(table.iloc[:, 0]):
        for column in shown:
            place = marked.get((system, column))
            if place:
                shown.iloc[i, shown.columns.get_loc(column)] = forms[place].format(shown.iloc[i][column])
    return shown
