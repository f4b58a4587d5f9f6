"""What benchmarks and systems change in the base sections, and how changes are merged."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ugcl.config.base import Section

SECTIONS = ("input", "encoder", "method", "loss", "train")
"""The sections that a benchmark or a system may change."""


class Overrides(Section):
    """What a benchmark or a system changes in the base sections."""

    input: dict[str, Any] = Field(default_factory=dict, description="Changed keys of `input`.")
    encoder: dict[str, Any] = Field(default_factory=dict, description="Changed keys of `encoder`.")
    method: dict[str, Any] = Field(
        default_factory=dict, description="Changed keys of `method`; another `name` starts from its defaults."
    )
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


def change(section: str, base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A section with some keys changed; a method of another name starts from that method's defaults."""
    if section == "method" and changes.get("name", base["name"]) != base["name"]:
        return changes
    return merge(base, changes)


def at(key: str, value: Any) -> dict[str, Any]:
    """The tree that holds one value at a dotted key: `a.b` and 1 → {a: {b: 1}}."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value
