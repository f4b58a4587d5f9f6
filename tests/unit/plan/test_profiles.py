"""The profiles agree where they have to, and name rules that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def profiles(project: Path) -> dict[str, dict[str, Any]]:
    folders = (project / "profiles").iterdir()
    return {folder.name: yaml.safe_load((folder / "config.yaml").read_text()) for folder in folders}


def test_what_is_stale_is_the_same_on_a_cluster(profiles: dict[str, dict[str, Any]]) -> None:
    for key in ("rerun-triggers", "rerun-incomplete", "show-failed-logs"):
        assert profiles["slurm"][key] == profiles["default"][key]


def test_grouped_rules_exist_and_are_not_made_on_the_login_node(
    project: Path, profiles: dict[str, dict[str, Any]]
) -> None:
    text = "".join(
        path.read_text() for path in [project / "Snakefile", *project.glob("workflow/rules/*.smk")]
    )
    local = set(re.findall(r"\w+", re.search(r"^localrules:\n((?:    \w+,\n)+)", text, re.M)[1]))
    rules = set(re.findall(r"^rule (\w+):", text, re.M))
    grouped = dict(entry.split("=") for entry in profiles["slurm"]["groups"])
    assert local < rules and set(grouped) < rules - local
    shared = {entry.split("=")[0] for entry in profiles["slurm"]["group-components"]}
    assert shared == {"make", *grouped.values()}


def test_the_slurm_profile_s_examples_are_settings_of_the_profile(
    project: Path, profiles: dict[str, dict[str, Any]]
) -> None:
    """What a user takes the comment signs from is valid, and in no other place."""
    text = (project / "profiles/slurm/config.yaml").read_text()
    examples = yaml.safe_load(
        "\n".join(re.findall(r"^# ((?:\w[\w-]*:$| +\S).*|\S+-resources:)$", text, re.M))
    )
    assert set(examples) == {"default-resources", "set-resources"}
    assert examples["set-resources"]["gpu"]["slurm_partition"] == "gpu"
    assert not set(examples) & set(profiles["slurm"])
