"""What benchmarks and systems change in the base sections, and how changes are merged."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ugcl.config.base import Section
from ugcl.config.model import Loss, Model, Train

SECTIONS: dict[str, type[Section]] = {"model": Model, "loss": Loss, "train": Train}
"""The sections that a benchmark or a system may change."""


class Overrides(Section):
    """What a benchmark or a system changes in the base sections."""

    model: dict[str, Any] = Field(default_factory=dict, description="Changed keys of `model`.")
    loss: dict[str, Any] = Field(default_factory=dict, description="Changed keys of `loss`.")
    train: dict[str, Any] = Field(default_factory=dict, description="Changed keys of `train`.")


class System(Overrides):
    """A system: what it changes in the base, or in another system."""

    extends: str | None = Field(
        None, description="Key of `systems` whose changes come first; default none, so the base alone."
    )


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A tree with some of its leaves changed; both are left alone, and leaves are shared with them."""
    merged = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if nested else value
    return merged


def at(key: str, value: Any) -> dict[str, Any]:
    """The tree that holds one value at a dotted key: `a.b` and 1 → {a: {b: 1}}."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value
