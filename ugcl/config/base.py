"""The base of every parameter section."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A parameter section: unknown keys are refused, values are frozen, defaults are checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
