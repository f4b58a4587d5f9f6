"""`ugcl report`: figures, tables for papers, notebooks and the front page."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Show results: figures, tables, notebooks, front page.")


@app.command()
def figures() -> None:
    """Draw every figure of the active benchmarks into results/figures/<benchmarks>."""
    from ugcl import config
    from ugcl.reports.figures.draw import figures_of_all

    figures_of_all(config.load())


@app.command()
def tables() -> None:
    """Write the tables for papers (CSV, Markdown, LaTeX) into results/reports/<benchmarks>/tables."""
    from ugcl import config
    from ugcl.reports.tables.papers import tables_of_all

    tables_of_all(config.load())


@app.command()
def cards() -> None:
    """Write a model card of each active benchmark's best system into results/reports/<benchmarks>."""
    from ugcl import config
    from ugcl.reports.pages.model_card import cards_of_all

    cards_of_all(config.load())


@app.command()
def notebook(
    name: Annotated[str, typer.Argument(help="Stem of a script in notebooks/, such as 01_data.")],
) -> None:
    """Execute a notebook and write it as a page into results/reports/<benchmarks>."""
    from ugcl import config
    from ugcl.reports.pages.render import render

    render(config.load(), name)


@app.command()
def clips() -> None:
    """Write the pages of test clips, two systems side by side, into results/reports/<benchmarks>."""
    from ugcl import config
    from ugcl.reports.pages.media.clip_table import build_all

    build_all(config.load())


@app.command()
def archive() -> None:
    """Pack the report with its pages, figures and tables into results/reports/<benchmarks>/report.zip."""
    from ugcl import config
    from ugcl.reports.pages.archive import pack

    pack(config.load())


@app.command()
def site() -> None:
    """Write the front page, results/index.html, and its copy beside the pages of these benchmarks."""
    from ugcl import config
    from ugcl.reports.pages.site import build

    build(config.load())
