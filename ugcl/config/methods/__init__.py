"""Settings of methods, one file per method. A new method is one file and one entry of `AnyMethod`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from ugcl.config.base import Untagged
from ugcl.config.methods.concat import Concat
from ugcl.config.methods.foreign import Foreign
from ugcl.config.methods.released import Released
from ugcl.config.methods.ugcl import Ugcl


def _which(section: Any) -> str:
    name = section.get("name", "ugcl") if isinstance(section, dict) else getattr(section, "name", "ugcl")
    return "module:Class" if ":" in str(name) else str(name)


AnyMethod = Annotated[
    Annotated[Ugcl, Tag("ugcl")]
    | Annotated[Concat, Tag("concat")]
    | Annotated[Released, Tag("released")]
    | Annotated[Foreign, Tag("module:Class")],
    Discriminator(_which),
    Untagged,
]

METHODS = {"ugcl": Ugcl, "concat": Concat, "released": Released}
"""Name → settings, of the methods in the package."""
