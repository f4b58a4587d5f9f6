"""Settings of the plain concatenation."""

from __future__ import annotations

from typing import ClassVar, Literal

from ugcl.config.methods.base import MethodSettings, Origin


class Concat(MethodSettings):
    """Baseline: encode each modality, pool, concatenate, classify; with one modality, that one alone."""

    network: ClassVar[str] = "ugcl.methods.concat:Concat"
    origin: ClassVar[Origin] = Origin("Baseline of this project", grade="own")

    name: Literal["concat"] = "concat"
