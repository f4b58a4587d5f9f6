"""What commands share: the option for threads, and tables: colour on a terminal, whole lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ugcl.threads import set_threads

if TYPE_CHECKING:
    from rich.console import Console

# A callback runs before the command imports what reads the number.
Threads = Annotated[int, typer.Option(min=1, callback=set_threads, help="Threads of torch, BLAS and OpenCV.")]

WIDE = 200
"""Columns of the output where the output is not a terminal."""


def console() -> Console:
    """Standard output as rich sees it."""
    import sys

    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def show(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()
) -> None:
    """Print a table.

    Args:
        title: over it; "" for none.
        rows: cells, plain text.
        right: headings whose cells are numbers.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    numbers = set(right)
    style = {"title_justify": "left", "box": box.SIMPLE_HEAD, "pad_edge": False}
    named = Text(title, "bold", justify="left") if title else None  # plain text, as cells are
    table = Table(title=named, **style)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def percent(value: float, digits: int = 0) -> str:
    """A share as per cent; a dash where there is none."""
    return "–" if value != value else f"{100 * value:.{digits}f} %"


def seconds(value: float) -> str:
    """Seconds with one digit; a dash where there are none."""
    return "–" if value != value else f"{value:.1f} s"
