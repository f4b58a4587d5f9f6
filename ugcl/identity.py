"""What a file says it is, against what it has to be: the one comparison that all readers use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ugcl.errors import UgclError

DIGEST = 64
"""Letters of a SHA-256; a message shows the first twelve."""


def compare(where: Path | str, found: Mapping[str, Any], expected: Mapping[str, Any], advice: str) -> None:
    """Refuse a file that is not the one meant.

    Args:
        where: the file, for the message.
        found: what the file says of itself, or what its bytes hash to; other fields are not compared.
        expected: what each field has to be.
        advice: how to fix it.

    Raises:
        UgclError: the first field that differs.
    """
    for field, wanted in expected.items():
        if found.get(field) != wanted:
            has = _shown(found[field]) if found.get(field) not in (None, "") else "not known"
            raise UgclError(f"{where}: {field} is {has} instead of {_shown(wanted)}; {advice}")


def _shown(value: Any) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) == DIGEST else text
