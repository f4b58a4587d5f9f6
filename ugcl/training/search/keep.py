"""The file of settings that searches found, params/tuned.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ugcl import files
from ugcl.config.load import parameter_files, read_parts

NAME = "tuned.yaml"
HEAD = "# What `ugcl tune --keep` found on dev parts: benchmark → system → changed settings. Written by it.\n"


def keep(benchmark: str, system: str, settings: dict[str, Any]) -> Path:
    """Write a system's settings on a benchmark into the file; those of others stay.

    Raises:
        UgclError: the parameter files cannot be read.
    """
    from filelock import FileLock

    first = parameter_files()[0]
    path = first.with_suffix("") / NAME
    path.parent.mkdir(exist_ok=True)  # of the lock
    with FileLock(path.with_suffix(".lock")):  # searches of several systems may end at one time
        found = read_parts(first).get(path, {}).get("tuned", {})
        found.setdefault(benchmark, {})[system] = settings
        text = yaml.safe_dump({"tuned": found}, sort_keys=True, default_flow_style=None, width=120)
        files.write(path, HEAD + text)
    return path
