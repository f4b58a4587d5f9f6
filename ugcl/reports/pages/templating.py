"""Where templates lie, and how they are filled: a name that a template lacks is an error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ugcl.reports.text import code, plain

TEMPLATES = Path(__file__).parent / "templates"


def link(target: Path, page: Path) -> str:
    """The address of a file of the report, from one of its pages."""
    return Path(os.path.relpath(target, page.parent)).as_posix()


def fill(template: str, context: dict[str, Any]) -> str:
    """Fill a template of the reports; values are escaped in those that make HTML, and in Markdown.

    In Markdown the filter `code` gives a code span; `safe` lets pass what is Markdown itself.

    Args:
        template: file name, such as index.html.j2.
        context: what its names stand for.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=template.endswith(".html.j2"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_markdown if template.endswith(".md.j2") else None,
    )
    environment.filters |= {"plain": plain, "code": lambda value: Markup(code(value))}
    return environment.get_template(template).render(context)


def _markdown(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    before, after = " " * value.startswith(" "), " " * value.endswith(" ")
    return before + plain(value) + after  # plain joins words: the blanks at the ends separate values
