"""Grids: rows of a table of ablations, computed from one system, what its rows change, and sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from ugcl.config.base import Distinct, Section, first_fault, known
from ugcl.config.system.overrides import SECTIONS, System, SystemName, at, merge


def _are_parameters(sweep: dict[str, Any]) -> dict[str, Any]:
    for key in sweep:
        section, *rest = key.split(".")
        if section not in SECTIONS or not rest:
            raise ValueError(f"{key!r} is not a parameter; give a key of {', '.join(SECTIONS)}, as train.lr")
    return sweep


Values = Annotated[list[bool | int | float | str], Field(min_length=1), Distinct]
Sweep = Annotated[dict[str, Values], AfterValidator(_are_parameters)]


class Row(System):
    """A row of a grid: what it changes in the grid's system, or in another that it extends."""

    sweep: Sweep = Field(
        default_factory=dict,
        max_length=1,
        description="One dotted key, such as method.tokens → its values, each a row of its own. {value} in"
        " the row's key stands for the value; without it, -{value} follows the key.",
    )


class Grid(Section):
    """Systems that a benchmark may compare beside its own: `of`, its rows, its sweeps, then others."""

    model_config = ConfigDict(populate_by_name=True)

    of: str | None = Field(
        None, description="Key of `systems`: the first row, which the others change; default the base alone."
    )
    name: str | None = Field(None, description="Name of a row's system; default {of}-{row}, or {row}.")
    rows: dict[str, Row] = Field(default_factory=dict, description="Row → what it changes.")
    sweep: Sweep = Field(
        default_factory=dict,
        description="Dotted key, such as method.tokens → its values. Each is a row after `rows`, named by the"
        " last part of the key and the value, such as tokens-64.",
    )
    systems: Annotated[list[str], Distinct] = Field(
        default_factory=list, alias="with", description="Keys of `systems` that are compared too, at the end."
    )

    @field_validator("name")
    @classmethod
    def names_differ(cls, name: str | None) -> str | None:
        """The template holds what differs from row to row."""
        if name is not None and "{row}" not in name:
            raise ValueError("must contain {row}, or all rows would have one name")
        return name

    def named_rows(self) -> Iterator[tuple[str, System]]:
        """Name and system of every row, in table order."""
        template = self.name or ("{row}" if self.of is None else "{of}-{row}")
        swept = [(key.split(".")[-1], Row(sweep={key: values})) for key, values in self.sweep.items()]
        for key, row in [*self.rows.items(), *swept]:
            for name, changes in _variants(key, row):
                tree = merge({section: getattr(row, section) for section in SECTIONS}, changes)
                name = template.replace("{of}", self.of or "").replace("{row}", name)
                yield name, System(extends=row.extends or self.of, **tree)


def _variants(key: str, row: Row) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and changes of each row that a row stands for: itself, or one per swept value."""
    if not row.sweep:
        yield key, {}
    template = key if "{value}" in key else key + "-{value}"
    for parameter, values in row.sweep.items():
        for value in values:
            yield template.replace("{value}", _text(value)), at(parameter, value)


def _text(value: bool | int | float | str) -> str:
    """A value as YAML has it: true, 64, 0.05, mean."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


_AS_GRID = BeforeValidator(
    lambda grid: {"with": grid} if isinstance(grid, list) else grid, json_schema_input_type=list[str] | Grid
)
AnyGrid = Annotated[Grid, _AS_GRID]
"""A grid, or a plain list of systems."""


def expand(grids: dict[str, Grid], systems: dict[str, System]) -> dict[str, str]:
    """Add the systems of all rows to `systems`, and turn every grid into the list of its systems; in place.

    Rows stand before the systems of `systems` that extend others: colours follow the order, and stay when a
    system is added at the end of `systems`.

    Args:
        systems: the systems that have an entry of their own.

    Returns:
        System → its place in the parameters, for messages.

    Raises:
        ValueError: two systems would have one name, a name cannot be one, or a grid names an unknown system.
    """
    places = {name: f"systems.{name}" for name in systems}
    extending = {name: systems.pop(name) for name in places if systems[name].extends is not None}
    listed: dict[str, list[str]] = {}
    for grid, entry in grids.items():
        listed[grid] = [] if entry.of is None else [entry.of]
        for name, row in entry.named_rows():
            try:
                TypeAdapter(SystemName).validate_python(name)
            except ValidationError as error:
                raise ValueError(f"grids.{grid}.rows: {first_fault(error)}") from None
            if name in places:
                raise ValueError(f"grids.{grid}: row {name!r} is also {places[name]}; rename one of them")
            places[name] = f"grids.{grid}: row {name}"
            systems[name] = row
            listed[grid].append(name)
    systems |= extending
    for grid, entry in grids.items():
        if entry.of is not None:
            known(entry.of, systems, f"grids.{grid}.of", "systems")
        for name in entry.systems:
            known(name, systems, f"grids.{grid}.with", "systems")
            if name in listed[grid]:
                raise ValueError(f"grids.{grid}.with: {name!r} is a row already; drop it from `with`")
        grids[grid] = Grid(systems=listed[grid] + entry.systems)
    return places
