"""Settings of a user's own method, outside the package."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import ConfigDict, Field, field_validator

from ugcl.config.methods.base import MethodSettings


class Foreign(MethodSettings):
    """A method of a user's module, `module:Class`; its own `Settings` check the other keys when it is built.

    The module is looked for in the project's root. Reading the parameters does not import it, so that
    commands start quickly.
    """

    model_config = ConfigDict(extra="allow")
    network: ClassVar[str] = ""
    packable: ClassVar[bool] = False
    raw: ClassVar[frozenset[str]] = frozenset({"audio", "video", "text"})

    name: str = Field(description="Module and class: my_module:MyMethod.")
    weights: dict[str, float] = Field(default_factory=dict, description="Weights of its terms.")

    @field_validator("name")
    @classmethod
    def is_module_and_class(cls, name: str) -> str:
        """Refuse what cannot be imported."""
        if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", name):
            raise ValueError("is not module:Class, such as my_module:MyMethod")
        return name

    @property
    def target(self) -> str:
        """`module:Class` of the network: the name itself."""
        return self.name
