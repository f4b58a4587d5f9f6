"""How files are written: whole or not at all, and with one line of advice where the disk is full."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ugcl.errors import UgclError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
ADVICE = "free some, or move the project to a larger disk, then run again: what is done is kept"


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk, or a user's share of it, is full; safetensors has its own class."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return any(f"(os error {code})" in str(error) for code in FULL)


def full(path: Path | str) -> UgclError:
    """The error for a file that did not find room."""
    return UgclError(f"{path}: no space left on its disk; {ADVICE}")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file in one step: the block writes another path, which then takes the place of `path`.

    Raises:
        UgclError: the disk is full; what the block wrote is removed.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except Exception as error:
        if not is_full(error):
            raise
        partial.unlink(missing_ok=True)
        raise full(path) from None


def write(path: Path, text: str) -> None:
    """Write a text in one step; see :func:`whole`."""
    with whole(path) as partial:
        partial.write_text(text)
