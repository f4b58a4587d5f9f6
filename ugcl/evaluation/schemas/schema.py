"""The columns of a table: declared once, checked when it is written, used when it is read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.plan.names import COUNTED


class Columns(tuple[str, ...]):
    """The names of a table's columns in order.

    Attributes:
        text: those whose cells are text, though they may look like numbers, as speaker 01 does. The cells of
            all others are numbers or empty.
        more: the column after which further ones, of numbers, may follow; "" for none.

    A name such as `dev_{primary}` stands for `dev_uar` and its like: a table has it with the metric of its
    protocol.
    """

    text: frozenset[str]
    more: str

    def __new__(cls, names: str | Iterable[str], text: str | Iterable[str] = (), more: str = "") -> Columns:
        """Declare columns; strings hold names with spaces between."""
        columns = super().__new__(cls, _names(names))
        columns.text, columns.more = frozenset(_names(text)), more
        return columns

    def between(self, first: str, last: str = "") -> Columns:
        """These columns between others of text."""
        before, after = first.split(), last.split()
        return Columns([*before, *self, *after], {*before, *self.text, *after}, self.more)

    def of(self, primary: str) -> Columns:
        """These columns with a protocol's primary metric in their names."""
        return Columns([name.format(primary=primary) for name in self], self.text, self.more)

    def order(self, frame: pd.DataFrame, path: Path) -> list[str]:
        """The columns of a table in order.

        Raises:
            UgclError: a declared column is missing, or the table has another one.
        """
        if any("{primary}" in name for name in self):
            fitting = (own for own in map(self.of, COUNTED) if {*own} <= {*frame})
            return next(fitting, self.of(COUNTED[0])).order(frame, path)
        missing = [name for name in self if name not in frame]
        other = [name for name in frame if name not in self]
        if missing or (other and not self.more):
            fault = f"{missing[0]!r} is missing" if missing else f"{other[0]!r} is not declared"
            raise UgclError(f"{path}: column {fault}; make the table again, or declare its columns")
        place = self.index(self.more) + 1 if self.more else len(self)
        return [*self[:place], *other, *self[place:]]


def _names(names: str | Iterable[str]) -> Iterable[str]:
    return names.split() if isinstance(names, str) else names


def write(frame: pd.DataFrame, columns: Columns, path: Path) -> None:
    """Write a table with its columns in order.

    Raises:
        UgclError: a declared column is missing, or the table has another one.
    """
    tables.write(frame[columns.order(frame, path)], path)


def typed(frame: pd.DataFrame, columns: Columns, path: Path) -> pd.DataFrame:
    """A table read as text, with its columns of numbers as numbers, NaN where a cell is empty.

    Raises:
        UgclError: its columns are not those declared, or a cell is not a number.
    """
    for name in columns.order(frame, path):
        if name not in columns.text:
            numbers = pd.to_numeric(frame[name], errors="coerce")
            wrong = frame.loc[numbers.isna() & (frame[name] != ""), name]
            if len(wrong):
                fault = f"column {name!r}: {wrong.iloc[0]!r} is not a number"
                raise UgclError(f"{path}: {fault}; make the table again")
            frame[name] = numbers
    return frame
