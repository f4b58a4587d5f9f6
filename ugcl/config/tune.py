"""Parameters of the search for better settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from ugcl.config.base import Distinct, Section
from ugcl.config.overrides import SECTIONS, at, merge


class Dimension(Section):
    """Values that a search may give to one parameter: from low to high, or some choices."""

    low: float | None = Field(None, description="Smallest value.")
    high: float | None = Field(None, description="Largest value.")
    log: bool = Field(False, description="Search evenly in the logarithm.")
    choices: list[bool | int | float | str] | None = Field(
        None, min_length=2, description="The values, where they are not a range."
    )

    @model_validator(mode="after")
    def is_a_range_or_choices(self) -> Dimension:
        """Either both ends of a range, in order, or choices."""
        ends = self.low is not None and self.high is not None
        if ends == (self.choices is not None) or (self.low is None) != (self.high is None):
            raise ValueError("give low and high, or choices")
        if ends and not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}; change one of them")
        if self.log and (self.choices is not None or self.low <= 0):
            raise ValueError("log needs a range above 0; raise low or drop log")
        return self

    @property
    def values(self) -> list[Any]:
        """The choices, or the ends of the range."""
        return [self.low, self.high] if self.choices is None else self.choices

    def __contains__(self, value: Any) -> bool:
        """Whether a search may give this value."""
        return self.low <= value <= self.high if self.choices is None else value in self.choices


class Tune(Section):
    """The search of `ugcl tune`: which parameters, and on what."""

    space: dict[str, Dimension] = Field(
        default_factory=dict, description="Dotted key of model, loss or train, such as train.lr → its values."
    )
    folds: Annotated[list[int], Distinct] | None = Field(
        None, min_length=1, description="Folds whose dev parts judge a trial; default all of the benchmark."
    )
    startup: int = Field(
        8, ge=1, description="Trials drawn at random, and never cut short, before the search learns."
    )
    seed: int = Field(0, ge=0, description="Seed of the search.")


def check_space(space: dict[str, Dimension], base: dict[str, dict[str, Any]]) -> None:
    """Hold every key and value of a search space against the parameter tree.

    Args:
        space: dotted key → its values.
        base: section → its tree of parameters.

    Raises:
        ValueError: a key is not a parameter, or its parameter cannot have a value; one line.
    """
    for key, dimension in space.items():
        where = f"tune.space.{key}"
        branch: Any = base
        for part in key.split("."):
            if not isinstance(branch, dict) or part not in branch:
                known = f"; choose from {', '.join(branch)}" if isinstance(branch, dict) else ""
                raise ValueError(f"{where}: {part!r} is not a parameter there{known}")
            branch = branch[part]
        if isinstance(branch, dict):
            raise ValueError(f"{where}: is a section; name one of {', '.join(branch)} in it")
        if dimension.choices is None and (isinstance(branch, bool) or not isinstance(branch, int | float)):
            raise ValueError(f"{where}: is {branch!r}, which is not a number; give choices")
        section = key.split(".")[0]
        for value in dimension.values:
            try:
                SECTIONS[section].model_validate(merge(base[section], at(key, value)[section]))
            except ValidationError as error:
                raise ValueError(f"{where}: {value!r}: {error.errors()[0]['msg']}") from None
