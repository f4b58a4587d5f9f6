"""What the settings of the package's methods say of them: origin, settings, terms, what they can do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from ugcl.config.base import Section
from ugcl.config.methods import METHODS
from ugcl.config.methods.base import MethodSettings, Origin
from ugcl.config.root import Run
from ugcl.config.system.encoder import ModalityEncoder
from ugcl.config.system.input import Input
from ugcl.config.system.loss import Loss
from ugcl.config.system.train import Train
from ugcl.errors import UgclError

GRADES = {
    "A": "equals the released code on golden vectors",
    "B": "formulae read in released code or in the full text",
    "C": "reconstruction from an abstract or summaries; names of such systems end in -like, but for ugcl",
    "own": "of this project",
}
CLAIMS = {
    "clips": "its logits do not depend on other clips",
    "batch": "not on the size of the batch",
    "padding": "not on the padding",
    "order": "they depend on the order of frames",
}
"""Invariant → what it says of a clip."""
MODALITIES = ["audio", "video", "text"]


@dataclass(frozen=True)
class Setting:
    """A key of a method: dotted below `method`, what it takes, its default, what it means."""

    key: str
    values: str
    default: str
    description: str


@dataclass(frozen=True)
class Method:
    """A method of the package, described.

    Attributes:
        family: folder of methods, or `project` for those beside the folders.
        purpose: the first paragraph of its settings' docstring.
        terms: its loss terms; keys are `weights.<term>`.
        abilities: name → what it can do, or refuses.
    """

    name: str
    family: str
    purpose: str
    origin: Origin
    settings: tuple[Setting, ...]
    terms: tuple[Setting, ...]
    abilities: dict[str, str]


def described(name: str) -> Method:
    """Describe a method.

    Raises:
        UgclError: the package does not have this method.
    """
    if name not in METHODS:
        raise UgclError(f"no method {name!r} in the package; choose from {', '.join(METHODS)}")
    kind = METHODS[name]
    parts = kind.network.partition(":")[0].split(".")
    every = list(_settings(kind))
    return Method(
        name,
        parts[2] if len(parts) > 3 else "project",
        " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split()),
        kind.origin or Origin("", grade="own"),
        tuple(each for each in every if not each.key.startswith("weights.")),
        tuple(each for each in every if each.key.startswith("weights.")),
        _abilities(kind),
    )


def _settings(kind: type[Section], within: str = "") -> Iterator[Setting]:
    for key, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from _settings(inner, f"{within}{key}.")
        elif key != "name" or within:
            default = field.get_default(call_default_factory=True)
            text = "" if default is PydanticUndefined else _yaml(default)
            yield Setting(f"{within}{key}", _values(inner), text, field.description or "")


def _values(annotation: Any) -> str:
    """What a setting takes, such as `integer`, `softmax, none` or `list of audio, video`."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(map(_yaml, inner))
    if origin in (Union, UnionType):
        return " or ".join(_values(each) for each in inner)
    if origin in (list, tuple):
        return f"list of {_values(inner[0])}"
    names = {int: "integer", float: "number", bool: "true, false", str: "text", type(None): "null"}
    return names.get(annotation, _values(inner[0]) if inner else str(annotation))


def _yaml(value: Any) -> str:
    """A value as it stands in the parameters."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _abilities(kind: type[MethodSettings]) -> dict[str, str]:
    counts = [count for count in range(1, len(MODALITIES) + 1) if _takes(kind, MODALITIES[:count])]
    claims = [text for key, text in CLAIMS.items() if key in kind.invariants]
    attributes = kind().reads_attributes
    taken = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else ", ".join(map(str, counts))
    abilities = {
        "modalities": ", ".join(sorted(kind.raw)) + " alone, raw" if kind.raw else taken,
        "runs in step": "yes" if kind.packable else "no (train.pack 1)",
        "claims of a clip": "; ".join(claims) or "nothing",
    }
    return abilities | ({"attributes": ", ".join(attributes)} if attributes else {})


def _takes(kind: type[MethodSettings], modalities: list[str]) -> bool:
    """Whether a method's own check passes these modalities, all else being default."""
    sections = {"encoder": ModalityEncoder(), "loss": Loss(), "train": Train(), "method": kind()}
    sections |= {"features": {}, "encoders": {}}
    run = Run.model_construct(system=kind().name, input=Input(modalities=modalities), **sections)
    try:
        kind().check(run)
    except ValueError:
        return False
    return True


def markdown() -> str:
    """The page docs/methods.md: all methods in one table, then each."""
    methods = [described(name) for name in METHODS]
    lines = [
        "# Methods",
        "",
        "Written by `ugcl methods --markdown > docs/methods.md`; `ugcl methods NAME` shows one method.",
        "",
        "How faithful a method is to its publication:",
        "",
        *(f"- **{grade}**: {text}" for grade, text in GRADES.items()),
        "",
        *_table(
            ("method", "family", "grade", "reference"),
            [(f"[{m.name}](#{m.name})", m.family, m.origin.grade, m.origin.citation) for m in methods],
        ),
    ]
    for m in methods:
        lines += ["", f"## {m.name}", "", m.purpose, ""]
        lines += [f"- Reference ({m.origin.grade}): {m.origin.citation}"]
        lines += [f"- Code: {m.origin.code}"] if m.origin.code else []
        lines += [f"- Deviation: {text}" for text in m.origin.deviations]
        lines += [f"- {key.capitalize()}: {text}" for key, text in m.abilities.items()]
        for title, rows in (("setting", m.settings), ("term", m.terms)):
            if rows:
                cells = [(f"`{s.key}`", s.values, s.default, s.description) for s in rows]
                lines += ["", *_table((title, "values", "default", "meaning"), cells)]
    return "\n".join(lines) + "\n"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A Markdown table; bars within cells are escaped."""
    cells = [heads, ("---",) * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
