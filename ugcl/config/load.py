"""Reading the parameters: params.yaml and params/*.yaml, one tree by topic."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ugcl.config.base import first_fault
from ugcl.config.root import Config
from ugcl.errors import UgclError

PARAMS = "params.yaml"


def parameter_files(path: Path | None = None) -> list[Path]:
    """The files that hold the parameters: one, and those of the folder that is named like it.

    Args:
        path: the first file, by default UGCL_PARAMS if set, else params.yaml here. `params.yaml` is continued
            by `params/*.yaml`, in alphabetical order.

    Raises:
        UgclError: the folder holds a .yml file, which DVC and the loader would not read.
    """
    path = path or Path(os.environ.get("UGCL_PARAMS") or PARAMS)
    folder = path.with_suffix("")
    for file in sorted(folder.glob("*.yml")):
        raise UgclError(f"{file}: parameter files end in .yaml; rename it")
    return [path, *sorted(folder.glob("*.yaml"))]


def read_parts(path: Path | None = None) -> dict[Path, dict[str, Any]]:
    """The parameters of each file, not validated: file → its part of the tree.

    Raises:
        UgclError: a file is missing or not valid YAML, or a key is given twice in one file or in two.
    """
    parts: dict[Path, dict[str, Any]] = {}
    for file in parameter_files(path):
        part = _read(file)
        for other, keys in parts.items():
            for key in keys.keys() & part.keys():
                raise UgclError(f"{file}: {key!r} is already in {other}; keep it in one of the two files")
        parts[file] = part
    return parts


def read(path: Path | None = None) -> dict[str, Any]:
    """The parameter tree of all files, not validated; arguments and errors as of :func:`read_parts`."""
    return {key: value for part in read_parts(path).values() for key, value in part.items()}


def load(path: Path | None = None) -> Config:
    """Read and validate the parameters.

    Raises:
        UgclError: the files cannot be read, or break the schema (the first fault is named).
    """
    parts = read_parts(path)
    return parse({key: value for part in parts.values() for key, value in part.items()}, parts)


def parse(tree: Any, parts: Mapping[Path, Mapping[str, Any]] | None = None) -> Config:
    """Validate a parameter tree that was read already.

    Args:
        parts: file → its part of the tree, so that a message names the file; default all in params.yaml.

    Raises:
        UgclError: the tree breaks the schema; the first fault is named with its place.
    """
    source = str(next(iter(parts or {}), PARAMS))
    if not isinstance(tree, dict):
        raise UgclError(f"{source}: the top level must be a mapping of sections")
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        fault = first_fault(error)
        section = re.split(r"\W", fault, maxsplit=1)[0]
        file = next((file for file, part in (parts or {}).items() if section in part), source)
        raise UgclError(f"{file}: {fault}") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        loader = yaml.CSafeLoader(file.read_text())
        node = loader.get_single_node()
        for key in _repeated(node):
            line = key.start_mark.line + 1
            raise UgclError(f"{file}, line {line}: {key.value!r} is given twice; remove one of the two")
        tree = None if node is None else loader.construct_document(node)
    except FileNotFoundError:
        place = "from the project's root, set UGCL_PARAMS, or predict with --project"
        raise UgclError(f"{file}: not found; run {place}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UgclError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(tree, dict):
        raise UgclError(f"{file}: the top level must be a mapping of sections")
    return tree


def _repeated(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Keys that their mapping has already: of two, YAML would silently take the last."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        keys = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    yield key
                keys.add(key.value)
            waiting.append(value)


def schema() -> dict[str, Any]:
    """The JSON schema of the parameters."""
    return Config.model_json_schema()


def schema_text() -> str:
    """The JSON schema as the text of workflow/schemas/params.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
