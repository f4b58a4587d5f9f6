"""Parameters of the search for better settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from ugcl.config.base import Distinct, Section
from ugcl.config.methods import METHODS
from ugcl.config.system.overrides import at, change, merge
from ugcl.config.system.sections import ADAPTERS


class Dimension(Section):
    """Values that a search may give to one parameter: from low to high, or some choices."""

    low: float | None = Field(None, description="Smallest value.")
    high: float | None = Field(None, description="Largest value.")
    log: bool = Field(False, description="Search evenly in the logarithm.")
    choices: list[bool | int | float | str | None] | None = Field(
        None,
        min_length=2,
        description="The values, where they are not a range; null turns the block of the parameter off.",
    )

    @model_validator(mode="after")
    def is_a_range_or_choices(self) -> Dimension:
        """Either both ends of a range, in order, or choices."""
        ends = self.low is not None and self.high is not None
        if ends == (self.choices is not None) or (self.low is None) != (self.high is None):
            raise ValueError("give low and high, or choices")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}; change one of them")
        if self.log and (self.low is None or self.low <= 0):
            raise ValueError("log needs a range above 0; raise low or drop log")
        return self

    @property
    def values(self) -> list[Any]:
        """The choices, or the ends of the range."""
        return [self.low, self.high] if self.choices is None else self.choices

    def __contains__(self, value: Any) -> bool:
        """Whether a search may give this value."""
        if self.choices is not None:
            return value in self.choices
        return value is not None and self.low <= value <= self.high


class Tune(Section):
    """The search of `ugcl tune`: which parameters, and on what."""

    space: dict[str, Dimension] = Field(
        default_factory=dict,
        description="Dotted key of a section of a system, such as train.lr → its values. Keys of `method`"
        " that a system's method lacks are left out of its search.",
    )
    folds: Annotated[list[int], Distinct] | None = Field(
        None, min_length=1, description="Folds whose dev parts judge a trial; default all of the benchmark."
    )
    startup: int = Field(8, ge=1, description="Random trials, never pruned, before the search learns.")
    seed: int = Field(0, ge=0, description="Seed of the search.")


def setting(key: str, value: Any) -> dict[str, Any]:
    """The tree of changes that gives a parameter a value; null turns the block of the parameter off.

    A parameter that stands in a section itself, in no block, becomes null.
    """
    block = key.rpartition(".")[0]
    return at(block, None) if value is None and "." in block else at(key, value)


def settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """The tree of changes of several parameters; a block that one of them turns off stays off."""
    tree: dict[str, Any] = {}
    for key in sorted(values, key=lambda key: values[key] is None):
        tree = merge(tree, setting(key, values[key]))
    return tree


def own_value(tree: dict[str, Any], key: str) -> Any:
    """The value at a dotted key of a tree, None inside a block that is off.

    Raises:
        KeyError: a part of the key is not a parameter there.
    """
    branch: Any = tree
    for part in key.split("."):
        if branch is None:
            return None
        if not isinstance(branch, dict) or part not in branch:
            raise KeyError(part)
        branch = branch[part]
    return branch


def with_value(base: dict[str, dict[str, Any]], key: str, value: Any) -> Any:
    """A parameter's section, from a tree of sections, where the parameter has a value.

    Raises:
        ValidationError: it cannot have this value.
    """
    section = key.split(".")[0]
    changed = change(section, base[section], setting(key, value)[section])
    return ADAPTERS[section].validate_python(changed)


def check_space(space: dict[str, Dimension], base: dict[str, dict[str, Any]], place: str) -> None:
    """Hold every key and value of a search space against the parameter tree.

    Args:
        space: dotted key → its values.
        base: section → its tree of parameters.
        place: dotted key of the space, for the message.

    Raises:
        ValueError: a key is not a parameter, or its parameter cannot have a value; one line.
    """
    for key, dimension in space.items():
        where = f"{place}.{key}"
        tree = _with_method_of(key, base)
        value = _known_value(where, tree, key)
        if dimension.choices is None and isinstance(value, bool | str):
            raise ValueError(f"{where}: is {value!r}, which is not a number; give choices")
        for tried in dimension.values:
            try:
                with_value(tree, key, tried)
            except ValidationError as error:
                raise ValueError(f"{where}: {tried!r}: {error.errors()[0]['msg']}") from None


def _with_method_of(key: str, base: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The base, with the method that has such a setting where its own has not."""
    first = key.split(".")[1] if key.startswith("method.") else ""
    if not first or first in base["method"]:
        return base
    having = [settings().model_dump() for settings in METHODS.values() if first in settings.model_fields]
    return base | {"method": having[0]} if having else base


def _known_value(where: str, tree: dict[str, Any], key: str) -> Any:
    parts = key.split(".")
    for depth in range(1, len(parts) + 1):
        branch = own_value(tree, ".".join(parts[: depth - 1])) if depth > 1 else tree
        if isinstance(branch, dict) and parts[depth - 1] not in branch:
            raise ValueError(f"{where}: {parts[depth - 1]!r} is unknown; choose from {', '.join(branch)}")
        if branch is not None and not isinstance(branch, dict):
            raise ValueError(f"{where}: {parts[depth - 1]!r} is not a parameter there")
    value = own_value(tree, key)
    if isinstance(value, dict):
        raise ValueError(f"{where}: is a section; name one of {', '.join(value)} in it")
    return value
