"""Tables for papers beside the main ones: published results, groups of clips, probabilities, ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.plan.names import COUNTED, TITLES, is_reference_row
from ugcl.reports.tables import cells
from ugcl.reports.tables.read import read

BESIDE = ("ece_calibrated", "ece_scaled")
SCORES = ("ece", "brier", "log_loss")
"""Scores of probabilities, lower is better."""

BAND = (
    "If calibrated: the ECE of a perfectly calibrated system with the same confidences, mean and 95 % band,"
    " clips as if independent; an ECE inside the band shows no miscalibration. After scaling: each run at the"
    " temperature of its dev clips, as `ugcl predict` uses it."
)
"""How the ECE's neighbours in the table of calibration are read."""

APART = ("method", "year", "modalities", "scores", "protocol", "why apart", "source", "grade")


def published_table(summary: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """The systems, and below them the published results of the same protocol.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        published: rows of one benchmark, columns of its published.csv; the comparable are taken.

    Returns:
        system (`here` is added to ours), year, modalities, one column per metric in per cent (ours with
        intervals, theirs with ± the published standard deviation), caveat, source, grade.
    """
    own = summary[~summary["system"].map(is_reference_row)]
    rows = []
    for system, group in own.groupby("system", sort=False):
        row = {"system": f"{system} (here)", "year": "", "modalities": group["modalities"].iloc[0]}
        shown = group[group["metric"].isin(COUNTED)].itertuples()
        row |= {TITLES[each.metric]: cells.percent(each.value, each.ci_low, each.ci_high) for each in shown}
        rows.append(row)
    comparable = published[published["comparable"] == "yes"]
    for (method, modalities), group in comparable.groupby(["method", "modalities"], sort=False):
        first = group.iloc[0]
        row = {"system": method, "year": _year(first["year"]), "modalities": modalities}
        row |= {TITLES[each.metric]: _with_spread(each) for each in group.itertuples()}
        rows.append(row | {name: first[name] for name in ("caveat", "source", "grade")})
    metrics = [TITLES[metric] for metric in COUNTED]
    columns = ["system", "year", "modalities", *metrics, "caveat", "source", "grade"]
    return pd.DataFrame(rows, columns=columns).fillna("")


def apart_table(published: pd.DataFrame) -> pd.DataFrame:
    """Published results of the corpus under other protocols, with what differs: the columns APART."""
    rows = []
    apart = published[published["comparable"] == "no"]
    keys = ["method", "family", "modalities", "reason"]
    for (method, family, modalities, reason), group in apart.groupby(keys, sort=False):
        first = group.iloc[0]
        scores = ", ".join(f"{TITLES[each.metric]} {_with_spread(each)}" for each in group.itertuples())
        source = first["source"], first["grade"]
        rows.append((method, _year(first["year"]), modalities, scores, family, reason, *source))
    return pd.DataFrame(rows, columns=APART)


def subgroup_table(subgroups: pd.DataFrame, system: str) -> pd.DataFrame:
    """A system's UAR on each group of clips, and its gap in points to the attribute's other groups.

    Args:
        subgroups: rows of one benchmark, columns of results/tables/<benchmark>/subgroups.csv.

    Returns:
        attribute, group, UAR, gap, clips, speakers, small (why little can be said of the group).
    """
    rows = []
    for row in subgroups[subgroups["system"] == system].itertuples():
        uar = cells.percent(row.uar, row.ci_low, row.ci_high)
        gap = cells.percent(row.gap, row.gap_low, row.gap_high, True)
        sizes = f"{row.clips:.0f}", f"{row.speakers:.0f}"
        rows.append((row.attribute, row.group, uar, gap, *sizes, row.small))
    return pd.DataFrame(rows, columns=["attribute", "group", "UAR", "gap", "clips", "speakers", "small"])


def calibration_table(summary: pd.DataFrame, calibration: pd.DataFrame) -> pd.DataFrame:
    """Scores of the systems' probabilities, and how sure they are beside how often they are right.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        calibration: rows of one benchmark, columns of results/tables/<benchmark>/calibration.csv.

    Returns:
        system, ECE in per cent, that of a calibrated system, that after scaling, Brier, log-loss, confidence
        (mean over all clips) and WAR in per cent.
    """
    rows = []
    own = summary[~summary["system"].map(is_reference_row)]
    for system, group in own.groupby("system", sort=False):
        by_metric = group.set_index("metric")
        row = {"system": system}
        for metric in (name for name in SCORES if name in by_metric.index):
            cell = by_metric.loc[metric, ["value", "ci_low", "ci_high"]]
            row[TITLES[metric]] = cells.percent(*cell) if metric == "ece" else cells.number(*cell, 3)  # pyright: ignore[reportCallIssue]
            for beside in BESIDE if metric == "ece" else ():
                there = beside in by_metric.index
                limits = by_metric.loc[beside, ["value", "ci_low", "ci_high"]] if there else [np.nan] * 3
                row[TITLES[beside]] = cells.percent(*limits)
        bins = calibration[calibration["system"] == system]
        row["confidence"] = f"{100 * np.average(bins['confidence'], weights=bins['clips']):.1f}"
        row["WAR"] = f"{100 * by_metric.loc['war', 'value']:.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def pair_table(pairs: pd.DataFrame, most: int = 20) -> pd.DataFrame:
    """Pairs of systems by Nemenyi's p, the surest difference first.

    Args:
        pairs: rows of one benchmark, columns of results/tables/<benchmark>/nemenyi.csv.
        most: rows to show.

    Returns:
        better and worse with their mean ranks, p.
    """
    rows = []
    for row in pairs.sort_values("p", kind="stable").head(most).itertuples():
        ranked = sorted([(row.rank, row.system), (row.other_rank, row.other)])
        (best, better), (worst, worse) = ranked
        rows.append((f"{better} ({best:.2f})", f"{worse} ({worst:.2f})", cells.p_value(row.p)))
    return pd.DataFrame(rows, columns=["better (mean rank)", "worse (mean rank)", "p"])


def chance(config: Config, benchmark: str) -> float:
    """What drawing classes uniformly scores in a benchmark's primary metric."""
    protocol = config.protocol(benchmark)
    if protocol.primary == "uar":
        return 1 / len(protocol.classes)
    rows = read("summary", benchmark).query("system == 'chance' and metric == @protocol.primary")
    return float(rows["value"].iloc[0])


def _year(year: float) -> str:
    return f"{year:.0f}" if np.isfinite(year) else ""


def _with_spread(row) -> str:
    return f"{100 * row.value:.1f}" + (f" ± {100 * row.spread:.1f}" if np.isfinite(row.spread) else "")
