"""Where templates lie, and how they are filled: a name that a template lacks is an error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"


def link(target: Path, page: Path) -> str:
    """The address of a file of the report, from one of its pages."""
    return Path(os.path.relpath(target, page.parent)).as_posix()


def fill(template: str, context: dict[str, Any]) -> str:
    """Fill a template of the reports; values are escaped in those that make HTML.

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
    )
    return environment.get_template(template).render(context)
