"""Settings of methods, one file per method. A new method is one file and one entry of its family's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Tag

from ugcl.config.base import Untagged
from ugcl.config.methods.audiovisual import AUDIOVISUAL
from ugcl.config.methods.base import MethodSettings
from ugcl.config.methods.concat import Concat
from ugcl.config.methods.finetuned import FINETUNED
from ugcl.config.methods.foreign import Foreign
from ugcl.config.methods.pretrained import PRETRAINED
from ugcl.config.methods.released import Released
from ugcl.config.methods.text import TEXT
from ugcl.config.methods.ugcl import Ugcl

METHODS: dict[str, type[MethodSettings]] = {
    settings.model_fields["name"].default: settings
    for settings in (Ugcl, Concat, Released, *PRETRAINED, *AUDIOVISUAL, *TEXT, *FINETUNED)
}
"""Name → settings, of the methods in the package."""

FOREIGN = "module:Class"


def _which(section: Any) -> str:
    name = section.get("name", "ugcl") if isinstance(section, dict) else getattr(section, "name", "ugcl")
    return FOREIGN if ":" in str(name) else str(name)


if TYPE_CHECKING:
    AnyMethod = Any  # a method reads its own class of settings, which is chosen when the parameters are read
else:
    AnyMethod = Annotated[
        Union[
            *(Annotated[settings, Tag(name)] for name, settings in METHODS.items()),
            Annotated[Foreign, Tag(FOREIGN)],
        ],
        Discriminator(_which),
        Untagged,
    ]
