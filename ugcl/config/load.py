"""Reading params.yaml."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ugcl.config.root import Config
from ugcl.errors import UgclError

PARAMS = "params.yaml"


def parameter_file() -> Path:
    """The file that holds the parameters: UGCL_PARAMS if set, else params.yaml here."""
    return Path(os.environ.get("UGCL_PARAMS") or PARAMS)


def load(path: Path | None = None) -> Config:
    """Read and validate the parameter file.

    Raises:
        UgclError: the file is missing, is no YAML, or breaks the schema (the first fault is named).
    """
    path = path or parameter_file()
    try:
        tree = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; run from the project's root or set UGCL_PARAMS") from None
    except yaml.YAMLError as error:
        raise UgclError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    return parse(tree, str(path))


def parse(tree: Any, source: str = PARAMS) -> Config:
    """Validate a parameter tree that was read already.

    Raises:
        UgclError: the tree breaks the schema; the first fault is named with its place.
    """
    if not isinstance(tree, dict):
        raise UgclError(f"{source}: the top level must be a mapping of sections")
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise UgclError(f"{source}: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    place = ".".join(str(part) for part in fault["loc"])
    text = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        text = "unknown key; remove it or mend its spelling (workflow/schemas/params.schema.json lists all)"
    elif place:
        text += f" (got {fault['input']!r})" if not isinstance(fault["input"], dict) else ""
    more = len(error.errors()) - 1
    return f"{place + ': ' if place else ''}{' '.join(text.split())}" + (
        f" [and {more} more]" if more else ""
    )


def schema() -> dict[str, Any]:
    """The JSON schema of params.yaml."""
    return Config.model_json_schema()


def schema_text() -> str:
    """The JSON schema as the text of workflow/schemas/params.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
