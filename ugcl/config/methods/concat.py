"""Settings of the plain concatenation."""

from __future__ import annotations

from typing import ClassVar, Literal

from ugcl.config.methods.base import MethodSettings


class Concat(MethodSettings):
    """Baseline: encode each modality, pool, concatenate, classify; with one modality, that one alone."""

    network: ClassVar[str] = "ugcl.methods.concat:Concat"

    name: Literal["concat"] = "concat"
