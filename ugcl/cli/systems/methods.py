"""`ugcl methods`: the methods of the package, where they come from, and what they take."""

from __future__ import annotations

from typing import Annotated

import typer


def methods(
    name: Annotated[str, typer.Argument(help="A method, to show it in full; default a table of all.")] = "",
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the page docs/methods.md in place of tables.")
    ] = False,
) -> None:
    """List the methods with grade and reference; with NAME its deviations, settings, terms and abilities."""
    from ugcl.cli import terminal
    from ugcl.config.methods import METHODS
    from ugcl.reports import catalogue

    if as_markdown:
        typer.echo(catalogue.markdown(), nl=False)
    elif not name:
        every = [catalogue.described(each) for each in METHODS]
        rows = [(m.name, m.family, m.origin.grade, m.origin.citation) for m in every]
        terminal.show("", ("method", "family", "grade", "reference"), rows)
        terminal.show("", ("grade", "meaning"), catalogue.GRADES.items())
    else:
        _one(name)


def _one(name: str) -> None:
    from ugcl.cli import terminal
    from ugcl.reports import catalogue

    m = catalogue.described(name)
    origin = m.origin
    facts = [("purpose", m.purpose), ("family", m.family), ("reference", origin.citation)]
    facts += [("grade", f"{origin.grade}: {catalogue.GRADES[origin.grade]}")]
    facts += [("code", origin.code)] if origin.code else []
    facts += [("deviation", text) for text in origin.deviations]
    terminal.show(name, ("fact", "value"), [*facts, *m.abilities.items()])
    for title, rows in (("setting", m.settings), ("term", m.terms)):
        if rows:
            cells = [(f"method.{s.key}", s.values, s.default, s.description) for s in rows]
            terminal.show("", (title, "values", "default", "meaning"), cells)
