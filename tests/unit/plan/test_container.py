"""The recipe of the image: its files are there, suffice to install, and pin what the package needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

IMAGE = "workflow/container/ugcl"


@pytest.fixture
def recipe(project: Path) -> dict[str, list[str]]:
    """Section → its lines, stripped; the head is under ""."""
    sections: dict[str, list[str]] = {"": []}
    name = ""
    for line in (project / f"{IMAGE}.def").read_text().splitlines():
        if line.startswith("%"):
            name = line[1:].strip()
            sections[name] = []
        elif line.strip() and not line.startswith("#"):
            sections[name].append(line.strip())
    return sections


@pytest.fixture
def metadata(recipe: dict[str, list[str]], project: Path, tmp_path: Path):
    """The metadata that setuptools makes of the recipe's files alone, laid out as in the image."""
    for line in recipe["files"]:
        source, target = line.split()
        place = tmp_path / Path(target).relative_to("/opt/ugcl")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / source, place)
    build = "from setuptools import build_meta; print(build_meta.prepare_metadata_for_build_wheel('made'))"
    (tmp_path / "made").mkdir()
    result = subprocess.run(
        [sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return message_from_string(next((tmp_path / "made").glob("*/METADATA")).read_text())


def test_the_workflow_names_the_image_that_the_recipe_makes(project: Path, recipe) -> None:
    assert re.findall(r'^container: "(.*)"$', (project / "Snakefile").read_text(), re.M) == [f"{IMAGE}.sif"]
    command = f"apptainer build {IMAGE}.sif {IMAGE}.def"
    assert command in (project / f"{IMAGE}.def").read_text()
    assert command in (project / "config/README.md").read_text()
    ignored = subprocess.run(["git", "check-ignore", "-q", f"{IMAGE}.sif"], cwd=project, check=False)
    assert ignored.returncode == 0


def test_its_files_suffice_to_install_in_its_version_of_python(recipe, metadata) -> None:
    (base,) = [line.split(": ")[1] for line in recipe[""] if line.startswith("From: ")]
    version = re.fullmatch(r"python:(\d+\.\d+)-slim-\w+", base)[1]
    assert SpecifierSet(metadata["Requires-Python"]).contains(f"{version}.99")
    assert recipe[""][0] == "Bootstrap: docker"


def test_all_that_it_installs_is_pinned(project: Path, recipe, metadata) -> None:
    (install,) = [line for line in recipe["post"] if "pip install" in line]
    assert "--constraint constraints.txt '.[demo]'" in install
    lines = (project / "constraints.txt").read_text().splitlines()
    pins = {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}
    needed = [Requirement(text) for text in metadata.get_all("Requires-Dist")]
    needed = [need for need in needed if need.marker is None or need.marker.evaluate({"extra": "demo"})]
    assert len(needed) > 40
    assert [need.name for need in needed if canonicalize_name(need.name) not in pins] == []
    imported = re.findall(r"import (.*)'", " ".join(recipe["test"]))[0].split(", ")
    assert {"torch", "snakemake", "av"} <= set(imported)
