"""Which files the reports write; light, so that the Snakefile may import it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ugcl.config import Config
from ugcl.plan import evaluation, figures, paths, transfer

SUFFIXES = (".svg", ".png")
TUNING = "10_tuning"
"""The notebook of searches for settings."""

TABLES = ("main", "comparisons", "ablations", "published", "subgroups", "calibration")
"""Tables for papers, each as CSV, Markdown and LaTeX."""


LONGEST = 100
"""Letters that the name of a report's folder may have."""


def report_set(config: Config) -> str:
    """The name of the report's folders: of the active benchmarks, so that another list has others.

    Where it would be too long, or could stand for two lists, it ends with a hash of the list.
    """
    name = "+".join(config.active)
    if len(name) <= LONGEST and (len(config.active) == 1 or name.count("+") < len(config.active)):
        return name
    digest = hashlib.sha256("\n".join(config.active).encode()).hexdigest()[:12]
    return f"{name[: LONGEST - 13]}-{digest}"


def folder(config: Config) -> Path:
    """Where the pages of the active benchmarks lie."""
    return paths.REPORTS / report_set(config)


def figure(config: Config, benchmark: str, kind: str, suffix: str) -> Path:
    """One figure file."""
    return paths.FIGURES / report_set(config) / f"{benchmark}_{kind}{suffix}"


def contact_sheet(config: Config, corpus: str) -> Path:
    """The page of example faces of a synthetic corpus."""
    return paths.FIGURES / report_set(config) / f"{corpus}_contact_sheet.png"


def may_show(config: Config, corpus: str) -> bool:
    """Whether pages may hold pictures and sound of a corpus: only of what the project makes itself.

    Other corpora show actors under licences with conditions (ODbL, CC BY-NC-SA, an owner's agreement) that a
    page passed from hand to hand would not keep.
    """
    return config.corpora[corpus].adapter == "demo"


def may_link(config: Config, corpus: str) -> bool:
    """Whether pages may play clips where they lie on this machine, and show words: also of a user's own."""
    return config.corpora[corpus].adapter in ("demo", "folder")


def contact_sheet_corpora(config: Config) -> list[str]:
    """Active corpora whose faces pages may show."""
    names = dict.fromkeys(config.benchmarks[name].corpus for name in config.active)
    return [name for name in names if may_show(config, name)]


def figure_outputs(config: Config) -> list[Path]:
    """What `ugcl report figures` writes."""
    drawn = [
        figure(config, benchmark, kind.name, suffix)
        for benchmark in config.active
        for kind in figures.kinds(config, benchmark)
        for suffix in SUFFIXES
    ]
    return [*drawn, *(contact_sheet(config, corpus) for corpus in contact_sheet_corpora(config))]


def paper_table(config: Config, benchmark: str, name: str, suffix: str) -> Path:
    """One table for papers."""
    return folder(config) / "tables" / f"{benchmark}_{name}{suffix}"


def table_outputs(config: Config) -> list[Path]:
    """What `ugcl report tables` writes."""
    return [
        paper_table(config, benchmark, name, suffix)
        for benchmark in config.active
        for name in TABLES
        for suffix in (".csv", ".md", ".tex")
    ]


def model_card(config: Config, benchmark: str) -> Path:
    """The model card of a benchmark's best system."""
    return folder(config) / f"model_card_{benchmark}.md"


def model_cards(config: Config) -> list[Path]:
    """What `ugcl report cards` writes."""
    return [model_card(config, benchmark) for benchmark in config.active]


def studies(config: Config) -> list[tuple[str, str]]:
    """Benchmark and system of the searches for settings that were made on active benchmarks."""
    return [
        (benchmark, system)
        for benchmark in config.active
        for system in config.systems
        if paths.study_table(benchmark, system, "trials").is_file()
    ]


def study_tables(config: Config) -> list[Path]:
    """The tables of these searches, which `ugcl tune` wrote."""
    names = ("trials", "importances")
    return [paths.study_table(*study, name) for study in studies(config) for name in names]


def notebooks(config: Config) -> list[str]:
    """The notebooks to render, in order; those of searches and of other corpora where there are such."""
    own = {TUNING: bool(studies(config)), transfer.NOTEBOOK: bool(transfer.targets(config))}
    named = [name for name in config.report.notebooks if name not in own]
    return [*named, *(name for name, made in own.items() if made)]


def notebook_source(name: str) -> Path:
    """The jupytext script of a notebook."""
    return Path("notebooks") / f"{name}.py"


def notebook_title(name: str) -> str:
    """The first heading of a notebook's script; its name where it has none."""
    lines = notebook_source(name).read_text().splitlines()
    return next((line.removeprefix("# # ") for line in lines if line.startswith("# # ")), name)


def notebook_output(config: Config, name: str) -> Path:
    """The page that `ugcl report notebook NAME` writes."""
    return folder(config) / f"{name}.html"


def clip_page(config: Config, benchmark: str) -> Path:
    """The page of a benchmark's test clips."""
    return folder(config) / f"clips_{benchmark}.html"


def clip_pages(config: Config) -> list[Path]:
    """What `ugcl report clips` writes."""
    return [clip_page(config, benchmark) for benchmark in config.active]


def archive(config: Config) -> Path:
    """What `ugcl report archive` writes: the report in one file, to pass on."""
    return folder(config) / "report.zip"


def notebook_outputs(config: Config) -> list[Path]:
    """All pages of notebooks."""
    return [notebook_output(config, name) for name in notebooks(config)]


def workflow_report(config: Config) -> Path:
    """The page that `snakemake --report` makes of all that the front page rests on."""
    return folder(config) / "workflow.html"


def evidence(config: Config) -> list[Path]:
    """The tables, figures, notebooks and cards that a report consists of."""
    shown = [*figure_outputs(config), *table_outputs(config), *notebook_outputs(config)]
    return [*evaluation.tables(config), *transfer.outputs(config), *shown, *model_cards(config)]


def site_inputs(config: Config) -> list[Path]:
    """What `ugcl report site` reads or links to."""
    return [*evidence(config), *clip_pages(config), workflow_report(config)]


def front_page(config: Config) -> Path:
    """The front page that stays with this report when another list of benchmarks is active."""
    return folder(config) / "index.html"


def site_outputs(config: Config) -> list[Path]:
    """What `ugcl report site` writes."""
    return [paths.INDEX, front_page(config)]


def other_reports(config: Config) -> list[Path]:
    """The front pages that earlier runs with other active benchmarks left, by name."""
    return sorted(path for path in paths.REPORTS.glob("*/index.html") if path != front_page(config))
