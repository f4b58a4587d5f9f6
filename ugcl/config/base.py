"""The base of every parameter section, and the types that sections share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
    WrapValidator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.+-]*$")]
"""A name of the parameters: it becomes a file's name, a rule's and a column's, and stands in shell lines."""

NAMES = "use letters, digits and _ . + -, and start with a letter or a digit"


def _differ(values: list[Any]) -> list[Any]:
    twice = next((value for i, value in enumerate(values) if value in values[:i]), None)
    if twice is not None:
        raise ValueError(f"{twice!r} is listed twice; keep it once")
    return values


Distinct = AfterValidator(_differ)
"""Metadata of a list whose values all differ."""


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        text = "a truth value (in YAML also yes, no, on, off) is not a number; give a number"
        raise PydanticCustomError("truth_value", text)
    return value


def _only_numbers(schema: Any) -> Any:
    """A core schema in which truth values are not numbers; pydantic's strict mode would refuse 1e-3 too."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(_only_numbers, schema))
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if kind == "function-before" and schema["function"].get("function") is _number:
        return schema
    if kind in ("int", "float"):
        return core_schema.no_info_before_validator_function(_number, schema)
    return {key: value if key == "metadata" else _only_numbers(value) for key, value in schema.items()}


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass

    class Constructed(ModelMetaclass):
        """Type checkers do not know a default that is the first argument of `Field`, and want a value."""

        def __call__(cls, *args: Any, **values: Any) -> Any: ...
else:
    Constructed = type(BaseModel)


class Section(BaseModel, metaclass=Constructed):
    """A parameter section: unknown keys are refused, values are frozen, defaults checked, numbers finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the section's fields, without numbers that are truth values."""
        return _only_numbers(handler(source))


def _untagged(value: Any, handler: Callable[[Any], Any]) -> Any:
    try:
        return handler(value)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            kind, text, ctx = fault["type"], fault["msg"], fault.get("ctx", {})
            if kind == "union_tag_invalid":
                text = f"{ctx['tag']!r} does not exist; choose from {ctx['expected_tags']}"
            elif kind == "union_tag_not_found":
                text = f"{ctx['discriminator']} is missing; add it"
            named = PydanticCustomError(kind, text)
            faults.append(InitErrorDetails(type=named, loc=fault["loc"][1:], input=fault["input"]))
        raise ValidationError.from_exception_data(error.title, faults) from None


Untagged = WrapValidator(_untagged)
"""Metadata of a tagged union: its tag is not a key, so it is left out of the place of a fault."""


def first_fault(error: ValidationError, within: str = "") -> str:
    """The first fault of a validation as one line: its place, what is wrong and how to fix it.

    Args:
        error: what pydantic found.
        within: place of what was validated; default the top level.
    """
    fault = error.errors()[0]
    parts = [str(part) for part in fault["loc"] if not str(part).startswith("function-")]
    text = fault["msg"].removeprefix("Value error, ")
    if parts[-1:] == ["[key]"]:
        parts = parts[:-2]
    elif parts and not isinstance(fault["input"], dict):
        text += f" (got {fault['input']!r})"
    if fault["type"] == "extra_forbidden":
        text = "unknown key; remove it or correct it (workflow/schemas/params.schema.json lists all)"
    elif fault["type"] == "model_type":
        text = f"{fault['input']!r} is not a section; give its keys (workflow/schemas/params.schema.json)"
    elif fault["type"] == "string_pattern_mismatch":
        text = f"{fault['input']!r} is not a name; {NAMES}"
    place = ".".join([within, *parts] if within else parts)
    more = len(error.errors()) - 1
    line = f"{place + ': ' if place else ''}{' '.join(text.split())}"
    return line + (f" [and {more} more]" if more else "")


def known(name: str, names: Iterable[str], where: str, source: str) -> None:
    """Refuse a name that a section lacks.

    Args:
        name: the name that is used.
        names: the names that there are.
        where: place of the use, for the message.
        source: the section that defines such names, for the message.

    Raises:
        ValueError: the name is not among them.
    """
    if name not in names:
        raise ValueError(f"{where}: {name!r} is not in {source}; choose from {', '.join(map(str, names))}")
