"""The front page: one file with every active benchmark, readable without network, script or mouse.

Figures are part of it, but for those of dozens of systems, which lie beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ugcl import __version__, files
from ugcl.config import Config
from ugcl.plan import paths, transfer
from ugcl.plan import reports as plan
from ugcl.plan.evaluation import by_speaker, marks, table, table_outputs
from ugcl.plan.figures import kinds, worded
from ugcl.plan.names import LOWER_IS_BETTER, TITLES, is_reference_row
from ugcl.reports.labels import basis, label_notes, shared_speakers
from ugcl.reports.pages.card import embedded
from ugcl.reports.pages.glance import glance
from ugcl.reports.pages.model_card import disjoint, seeds
from ugcl.reports.pages.templating import fill, link
from ugcl.reports.tables import cells
from ugcl.reports.tables.papers import BY_SPEAKER, SHOWN, places
from ugcl.reports.tables.read import no_intervals, read
from ugcl.reports.theme import colour, colours
from ugcl.reports.vector import data_uri

LARGEST = 200_000
"""Characters of a figure that is part of the page; a larger one stays in its file."""


def build(config: Config) -> Path:
    """Write the front page, and the one that stays with this report (`ugcl report site`).

    Raises:
        UgclError: a table or figure is missing.
    """
    for page in plan.site_outputs(config):
        files.write(page, fill("index.html.j2", context(config, page)))
    return paths.INDEX


def context(config: Config, page: Path, alone: bool = False) -> dict[str, Any]:
    """What the template shows on a page, with links from there.

    Args:
        page: where it will lie.
        alone: for a copy of this report alone, without other reports and the archive.
    """
    found = [_benchmark(config, name, page) for name in config.active]
    # A page that stays would not know the others.
    others = plan.other_reports(config) if page == paths.INDEX and not alone else []
    return {
        "title": config.report.title,
        "version": __version__,
        "metrics": [(name, TITLES[name], name in LOWER_IS_BETTER) for name in SHOWN],
        "primary": primary_note(config),
        "drawn": _drawn(config),
        "usual": not any(b["basis"] or b["leaks"] for b in found),
        "confidence": f"{100 * config.evaluate.confidence:g}",
        "rows": [row for name in config.active for row in _rows(config, name)],
        "benchmarks": found,
        "label_notes": label_notes(config, config.active),
        "synthetic": [b["name"] for b in found if "SYNTHETIC" in b["marks"]],
        "leaky": [b["name"] for b in found if "LEAKY" in b["marks"] or b["leaks"]],
        "notebooks": [
            (plan.notebook_title(name), _link(plan.notebook_output(config, name), page))
            for name in plan.notebooks(config)
        ],
        "workflow": _link(plan.workflow_report(config), page),
        "archive": "" if alone else _link(plan.archive(config), page),
        "others": [(other.parent.name, _link(other, page)) for other in others],
    }


def primary_note(config: Config) -> str:
    """The primary metric of the active benchmarks, with their names where they differ."""
    found: dict[str, list[str]] = {}
    for name in config.active:
        found.setdefault(TITLES[config.protocol(name).primary], []).append(name)
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{metric} in {', '.join(names)}" for metric, names in found.items())


def _drawn(config: Config) -> str:
    """What the intervals of the active benchmarks draw."""
    by_dialogue = [name for name in config.active if config.protocol(name).intervals == "dialogue"]
    if not by_dialogue:
        return "speakers"
    every = len(by_dialogue) == len(config.active)
    return "dialogues" if every else f"speakers, of {', '.join(by_dialogue)} dialogues"


def _rows(config: Config, benchmark: str) -> list[dict[str, Any]]:
    own, runs = read("summary", benchmark), read("runs", benchmark)
    best = places(own, read("comparisons", benchmark))
    palette, adapted = colours(config), by_speaker(config, benchmark)
    size = runs.groupby("system")["parameters"].max()
    rows = []
    for system, group in own.groupby("system", sort=False):
        by_metric = group.set_index("metric")
        shown = []
        for metric in SHOWN:
            if metric not in by_metric.index:
                shown.append(None)
                continue
            value, low, high = by_metric.loc[metric, ["value", "ci_low", "ci_high"]]
            known = np.isfinite(low) and np.isfinite(high)
            ends = [cells.fixed(100 * end, 1) for end in (low, high)]
            interval = "–".join(ends) if known and ends[0] != ends[1] else ""
            cell = {"value": f"{100 * value:.1f}", "sort": f"{value:.6f}", "interval": interval}
            shown.append(cell | {"place": best.get((system, TITLES[metric]), 0)})
        first = group.iloc[0]
        rows.append(
            {
                "benchmark": benchmark,
                "system": system,
                "colour": colour(palette, system),
                "reference_row": is_reference_row(system),
                "is_reference": system == config.benchmark(benchmark).reference,
                "by_speaker": BY_SPEAKER if system in adapted else "",
                "modalities": first["modalities"],
                "cells": shown,
                "parameters": "" if system not in size.index else f"{size[system]:.0f}",
                "seeds": int(first["seeds"]),
                "clips": int(first["clips"]),
                "speakers": int(first["speakers"]),
                "lineage": first["lineage"],
                "marks": marks(config, benchmark),
            }
        )
    return rows


def _recalls(config: Config, benchmark: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """System, its colour, and the recall of each class in per cent with the depth of its shade, 0 to 1."""
    frame, classes = read("per_class", benchmark), config.protocol(benchmark).classes
    frame["recall"] = frame["recall"].astype(float).where(frame["support"].astype(float) > 0)
    values = frame.pivot(index="system", columns="class", values="recall")
    palette, rows = colours(config), []
    for system in config.benchmark(benchmark).systems:
        own = values.loc[system, classes]
        shown = [("–", "0") if np.isnan(v) else (f"{100 * v:.0f}", f"{v:.2f}") for v in own]
        rows.append((system, colour(palette, system), shown))
    return rows


def _tables(config: Config, benchmark: str) -> list[Path]:
    """Every table of a benchmark, by name."""
    found = [path for path in table_outputs(benchmark) if path.suffix == ".csv"]
    found += [path for path in transfer.outputs(config) if path.parent.name == benchmark]
    return sorted([*found, table(benchmark, "cost")], key=lambda path: path.stem)


def _benchmark(config: Config, name: str, page: Path) -> dict[str, Any]:
    entry, protocol = config.benchmark(name), config.protocol(name)
    parts, quarantine = read("parts", name), read("quarantine", name)
    quarantine["failure"] = quarantine["failure"].str.replace("_", " ")
    reasons = quarantine.groupby(["modality", "failure"])["clip"].nunique().reset_index()
    clips = read("clips", name)
    sheet = entry.corpus in plan.contact_sheet_corpora(config)
    return {
        "name": name,
        "marks": marks(config, name),
        "corpus": entry.corpus,
        "protocol": entry.protocol,
        "label": protocol.label,
        "classes": protocol.classes,
        "features": [f"{modality}: {encoder}" for modality, encoder in entry.features.items()],
        "folds": cells.counted(len(config.folds(name)), "fold"),
        "seeds": seeds(entry.seeds),
        "few": no_intervals(name),
        "basis": basis(config, name),
        "reference": entry.reference,
        "glance": glance(config, name),
        "model_card": _link(plan.model_card(config, name), page),
        "card": embedded(plan.model_card(config, name)),
        "clip_page": _link(plan.clip_page(config, name), page),
        "recalls": _recalls(config, name),
        "tables": [(path.stem, _link(path, page)) for path in _tables(config, name)],
        "parts": parts.to_dict("records"),
        "leaks": shared_speakers(parts),
        "disjoint": disjoint(config, name),
        "quarantined": quarantine["clip"].nunique(),
        "reasons": reasons.to_dict("records"),
        "clips": len(clips),
        "absent": clips["absent"].str.split().explode().value_counts().to_dict(),
        "figures": [
            {
                "kind": kind.name,
                "title": kind.name.replace("_", " "),
                "caption": worded(kind.caption, config, name),
                "open": kind.open,
                "source": _source(plan.figure(config, name, kind.name, ".svg"), page),
                "png": _link(plan.figure(config, name, kind.name, ".png"), page),
            }
            for kind in kinds(config, name)
            if kind.caption
        ],
        "contact_sheet": _link(plan.contact_sheet(config, entry.corpus), page) if sheet else "",
        "paper_tables": [
            (f"{kind} {suffix[1:]}", _link(plan.paper_table(config, name, kind, suffix), page))
            for kind in plan.TABLES
            for suffix in (".md", ".tex", ".csv")
        ],
    }


def _source(figure: Path, page: Path) -> str:
    """A figure in the page itself, or its file's address where it is large, as with dozens of systems."""
    address = data_uri(figure.read_text())
    return address if len(address) <= LARGEST else quote(_link(figure, page))


def _link(path: Path, page: Path) -> str:
    return link(path, page)
