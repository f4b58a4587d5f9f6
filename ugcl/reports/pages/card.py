"""A model card inside a page."""

from __future__ import annotations

import re
from pathlib import Path

from ugcl.errors import UgclError

DEEPER = 2
"""Levels by which the headings of a card are lower in a page than in its file."""


def embedded(path: Path) -> str:
    """A Markdown file of the report as HTML for a section of a page; its tables scroll.

    Raises:
        UgclError: it was not made yet.
    """
    import mistune

    if not path.is_file():
        raise UgclError(f"{path}: not found; run `ugcl report cards` first")
    page = mistune.create_markdown(plugins=["table"], escape=True)(path.read_text())
    page = re.sub(r"(</?h)(\d)", lambda found: f"{found[1]}{int(found[2]) + DEEPER}", page)  # pyright: ignore[reportCallIssue]
    scroll = '<div class="scroll" tabindex="0" role="region" aria-label="table">'
    return page.replace("<table>", f"{scroll}<table>").replace("</table>", "</table></div>")
