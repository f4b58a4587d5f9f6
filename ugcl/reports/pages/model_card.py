"""Model cards (Mitchell et al., Model cards for model reporting, FAT* 2019): what a system is good for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl import __version__, files
from ugcl.config import Config
from ugcl.data.fetching import registry, status
from ugcl.plan import paths
from ugcl.plan.evaluation import marks
from ugcl.plan.names import TITLES, is_reference_row
from ugcl.plan.reports import model_card
from ugcl.reports import labels
from ugcl.reports.pages.templating import fill
from ugcl.reports.tables import papers, scores
from ugcl.reports.tables.cells import counted, p_value
from ugcl.reports.tables.columns import condition_name
from ugcl.reports.tables.papers import percent
from ugcl.reports.tables.read import dialogues, no_intervals, read

METRICS = ("uar", "war", "macro_f1", "ece")
"""Metrics of a card's table of results, after the protocol's primary metric."""


def best(summary: pd.DataFrame, primary: str = "uar") -> str:
    """The trained system with the highest pooled test score; the first of equals.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        primary: the protocol's metric.
    """
    rows = summary[(summary["metric"] == primary) & ~summary["system"].map(is_reference_row)]
    return str(rows.loc[rows["value"].idxmax(), "system"])


def standing(summary: pd.DataFrame, compared: pd.DataFrame, primary: str = "uar") -> dict[str, Any]:
    """How sure the first place of :func:`best` is.

    Args:
        summary: rows of one benchmark, columns of results/tables/summary.csv.
        compared: rows of the same benchmark of comparisons.csv.
        primary: the protocol's metric.

    Returns:
        tied: the other systems of the same score, to the digit shown; against: whom the best is tested
        against (:func:`ugcl.reports.tables.papers.lead`); p: the corrected p, None where nothing was
        compared; shown: whether it is below the level.
    """
    system, trained = best(summary, primary), summary[~summary["system"].map(is_reference_row)]
    groups = papers.ranked(trained, primary)
    if compared.empty or len(trained["system"].unique()) < 2:
        return {"tied": [], "against": [], "p": None, "shown": False}
    reference, p = compared["reference"].iloc[0], papers.lead(compared, primary, groups)
    tied = [name for name in groups[0] if name != system]
    against = [reference] if reference not in groups[0] else tied or groups[1]
    return {"tied": tied, "against": against, "p": p, "shown": p < papers.LEVEL}


def cards_of_all(config: Config) -> list[Path]:
    """Write a card for the best system of every active benchmark (`ugcl report cards`).

    Raises:
        UgclError: a table or the registry of sources is missing.
    """
    written = []
    for benchmark in config.active:
        path = model_card(config, benchmark)
        files.write(path, fill("model_card.md.j2", context(config, benchmark)))
        written.append(path)
    return written


def context(config: Config, benchmark: str) -> dict[str, Any]:
    """What the template shows, all of it from results/tables and the parameters."""
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    summary, parts = read("summary", benchmark), read("parts", benchmark)
    primary = protocol.primary
    system = best(summary, primary)
    run = config.resolve(benchmark, system)
    own = summary[summary["system"] == system].set_index("metric")
    trained = [name for name in dict.fromkeys(summary["system"]) if not is_reference_row(name)]
    runs = read("runs", benchmark).query("system == @system")
    quarantine = read("quarantine", benchmark)
    place = standing(summary, read("comparisons", benchmark), primary)
    return {
        "benchmark": benchmark,
        "system": system,
        "version": __version__,
        "marks": marks(config, benchmark).split(),
        "synthetic": config.corpora[entry.corpus].synthetic,
        "corpus": entry.corpus,
        "licence": status.licence(config, entry.corpus, registry.read(Path(config.data.sources))),
        "protocol": entry.protocol,
        "label": protocol.label,
        "classes": protocol.classes,
        "folds": counted(len(config.folds(benchmark)), "fold"),
        "seeds": seeds(entry.seeds),
        "one_seed": len(entry.seeds) == 1,
        "labels": labels.label_source(config, benchmark),
        "few": no_intervals(benchmark),
        "primary": TITLES[primary],
        "units": labels.units(config, benchmark),
        "drawn": dialogues(benchmark),
        "basis": labels.basis(config, benchmark),
        "dev": dev_clips(config, benchmark),
        "leaks": labels.shared_speakers(parts),
        "disjoint": disjoint(config, benchmark),
        "clips": int(own["clips"].iloc[0]),
        "speakers": int(own["speakers"].iloc[0]),
        "quarantined": quarantine["clip"].nunique(),
        "method": run.method.name,
        "modalities": run.input.modalities,
        "by_speaker": run.input.by_speaker,
        "refit": run.train.refit,
        "features": {m: name for m, name in entry.features.items() if m in run.input.modalities},
        "parameters": f"{runs['parameters'].max():,.0f}",
        "runs": len(runs),
        "lineages": list(dict.fromkeys(runs["lineage"])),
        "weights": (paths.MODELS / benchmark / system).as_posix(),
        "candidates": len(trained),
        "place": place | {"p": p_value(place["p"]) if place["p"] is not None else ""},
        "ece_band": _value(own, "ece_calibrated"),
        "ece_scaled": _value(own, "ece_scaled"),
        "confidence": f"{100 * config.evaluate.confidence:g}",
        "results": _results(summary, system, primary),
        "recall": _recall(read("per_class", benchmark), system),
        "pair": _pair(read("pairs", benchmark), system),
        "temperature": _temperature(read("temperature", benchmark), system),
        "conditions": _conditions(read("robustness", benchmark), system, primary),
        "groups": _groups(read("subgroups", benchmark), system),
        "optimism": _optimism(read("optimism_by_system", benchmark), system),
    }


def disjoint(config: Config, benchmark: str) -> str:
    """What a benchmark without leaks may say of the speakers of its parts."""
    if config.protocol(benchmark).dev_shares_speakers:
        return "In every fold the test speakers are in no other part; dev has dialogues of training speakers."
    unit = config.corpora[config.benchmark(benchmark).corpus].speaker_is
    if unit == "person":
        return "In every fold the speakers of train, dev and test are disjoint."
    return f"Who speaks is not known: each {unit} counts as a speaker, and a person may be in several parts."


def dev_clips(config: Config, benchmark: str) -> str:
    """What chooses a benchmark's epochs: dev speakers, or dev dialogues where the parts share speakers."""
    protocol = config.protocol(benchmark)
    shared = protocol.dev_shares_speakers or protocol.intervals == "dialogue"
    return "dev dialogues" if shared else "dev speakers"


def seeds(values: Sequence[int]) -> str:
    """How many seeds a benchmark has, and which."""
    return f"{counted(len(values), 'seed')} ({', '.join(map(str, values))})"


def _results(summary: pd.DataFrame, system: str, primary: str) -> list[dict[str, str]]:
    """The system and the reference rows, a column per metric."""
    rows = []
    for name in [system, *(n for n in dict.fromkeys(summary["system"]) if is_reference_row(n))]:
        by_metric = summary[summary["system"] == name].set_index("metric")
        row = {"system": name}
        for metric in dict.fromkeys((primary, *METRICS)):
            cell = by_metric.loc[metric] if metric in by_metric.index else None
            text = "" if cell is None else percent(cell["value"], cell["ci_low"], cell["ci_high"])
            row[TITLES[metric]] = text or "–"
        rows.append(row)
    return rows


def _value(own: pd.DataFrame, metric: str) -> str:
    """One of the system's pooled values in per cent with its limits; "" without."""
    if metric not in own.index:
        return ""
    return percent(*own.loc[metric, ["value", "ci_low", "ci_high"]])


def _recall(table: pd.DataFrame, system: str) -> list[tuple[str, str]]:
    rows = table[table["system"] == system].sort_values("recall", ascending=False)
    return [(row["class"], f"{100 * row['recall']:.0f} %") for row in rows.to_dict("records")]


def _pair(table: pd.DataFrame, system: str) -> dict[str, str] | None:
    """The two classes that are taken for each other most often."""
    rows = table[table["system"] == system]
    if rows.empty:
        return None
    row = rows.loc[rows["rate"].idxmax()]
    return {"first": row["first"], "second": row["second"], "rate": f"{100 * row['rate']:.0f} %"}


def _temperature(table: pd.DataFrame, system: str) -> str:
    values = table.loc[table["system"] == system, "temperature"]
    return f"{values.min():.2f} to {values.max():.2f}" if len(values) else ""


def _conditions(table: pd.DataFrame, system: str, primary: str) -> list[tuple[str, str]]:
    rows = table[(table["system"] == system) & (table["metric"] == primary)]
    found = []
    for row in rows[np.isfinite(rows["difference"])].itertuples():
        change = percent(row.difference, row.difference_low, row.difference_high, signed=True)
        found.append((condition_name(row.condition, row.level), change))
    return found


def _groups(table: pd.DataFrame, system: str) -> list[dict[str, Any]]:
    shown = scores.subgroup_table(table, system)
    return shown.rename(columns={"UAR": "uar"}).to_dict("records")


def _optimism(table: pd.DataFrame, system: str) -> str:
    rows = table[table["system"] == system]
    return f"{100 * rows['optimism'].iloc[0]:.1f}" if len(rows) else ""
