"""Every figure of the active benchmarks, from the summary's tables to files."""

from __future__ import annotations

import logging
from importlib import import_module
from inspect import signature
from pathlib import Path

from matplotlib.figure import Figure

from ugcl.config import Config
from ugcl.config.corpora import DemoCorpus
from ugcl.plan.evaluation import marks
from ugcl.plan.figures import KINDS, kinds, worded
from ugcl.plan.reports import contact_sheet, contact_sheet_corpora, figure
from ugcl.reports import theme
from ugcl.reports.labels import units
from ugcl.reports.tables.read import read
from ugcl.reports.tables.scores import chance

log = logging.getLogger(__name__)


def title(config: Config, benchmark: str, text: str) -> str:
    """A figure's title: benchmark, what is shown, and the benchmark's marks."""
    mark = marks(config, benchmark)
    return f"{benchmark}: {text}" + (f"  [{mark}]" if mark else "")


def draw(config: Config, benchmark: str, name: str) -> Figure:
    """Draw a figure of a benchmark from results/tables.

    Args:
        name: of one of :data:`ugcl.plan.figures.KINDS`.
    """
    kind = {kind.name: kind for kind in KINDS}[name]
    module, function = kind.function.split(".")
    drawing = getattr(import_module(f"{__package__}.{module}"), function)
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    known = {
        "palette": theme.colours(config),
        "classes": protocol.classes,
        "systems": entry.systems,
        "system": entry.reference,
        "metric": protocol.primary,
        "units": units(config, benchmark),
        "chance": chance(config, benchmark),
        "title": title(config, benchmark, worded(kind.title, config, benchmark)),
    }
    wanted = signature(drawing).parameters
    tables = [read(stem, benchmark) for stem in kind.tables]
    return drawing(*tables, **{key: value for key, value in known.items() if key in wanted})


def figures_of_all(config: Config) -> list[Path]:
    """Draw and write every figure of the active benchmarks (`ugcl report figures`)."""
    written: list[Path] = []
    for benchmark in config.active:
        for kind in kinds(config, benchmark):
            stem = figure(config, benchmark, kind.name, "")
            written += theme.save(draw(config, benchmark, kind.name), stem, config.report.dpi)
        log.info("%s: figures drawn", benchmark)
    for corpus in contact_sheet_corpora(config):
        from ugcl.data import sources
        from ugcl.demo import contact_sheet as sheets

        entry, picture = config.corpora[corpus], contact_sheet(config, corpus)
        if isinstance(entry, DemoCorpus) and entry.form == "dialogues":
            written.append(sheets.dialogue_sheet(sources.root(config, corpus), picture, entry.seed))
        else:
            written.append(sheets.contact_sheet(sources.root(config, corpus), picture))
    return written
