"""Names that users chose (classes, speakers, sentences), as text inside Markdown and code spans."""

from __future__ import annotations

import re

SPECIAL = re.compile(
    r"[|`*\\$~]"  # tables, code, emphasis, escapes, mathematics, strike-through
    r"|<(?=[A-Za-z/!?])"  # tags
    r"|&(?=#?\w+;)"  # entities
    r"|\](?=[(\[:])"  # links
    r"|(?<!\w)_|_(?!\w)"  # emphasis, not the underscore inside a name
    r"|(?<=^)[#>+=-](?=\W|$)"  # headings, quotes and lists
)
"""What Markdown would read as more than text. It is written as an HTML entity, which all renderers show."""


def plain(value: object) -> str:
    """A value that Markdown shows as it stands, on one line."""
    return SPECIAL.sub(lambda found: f"&#{ord(found[0])};", " ".join(str(value).split()))


def code(value: object) -> str:
    """A value as a code span, in which entities and tags are text; it ends at a backtick alone."""
    return f"`{' '.join(str(value).replace('`', chr(39)).split())}`"
