"""The parameters stand in several files that are one tree; what YAML would swallow is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from ugcl.config import load, read
from ugcl.errors import UgclError


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    """A copy of the project's parameter files."""
    shutil.copy(project / "params.yaml", tmp_path / "params.yaml")
    shutil.copytree(project / "params", tmp_path / "params")
    return tmp_path


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def test_a_section_may_stand_in_any_of_the_files(copied: Path) -> None:
    before = load(copied / "params.yaml")
    assert {"crema_d", "ravdess"} <= before.corpora.keys()
    (copied / "params/clock.yaml").write_text((copied / "params/corpora.yaml").read_text())
    (copied / "params/corpora.yaml").unlink()
    assert load(copied / "params.yaml") == before


def test_one_file_elsewhere_is_the_whole_tree(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = read(copied / "params.yaml") | {"active": ["ravdess"]}
    (copied / "params/merged").mkdir()
    merged = copied / "params/merged/params-1.yaml"
    merged.write_text(yaml.safe_dump(tree, sort_keys=False))
    monkeypatch.setenv("UGCL_PARAMS", str(merged))
    assert load().active == ["ravdess"]
    assert list(load().systems) == list(load(copied / "params.yaml").systems)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "params/systems.yaml",
            "train: {lr: 1}\n",
            r"params/systems.yaml: 'train' is already in ",
        ),
        ("params.yaml", "train: {lr: 1}\n", r"params.yaml, line \d+: 'train' is given twice;"),
        ("params/systems.yaml", "  concat: {}\n", r"params/systems.yaml, line \d+: 'concat' is given twice;"),
        (
            "params.yaml",
            "extraction: {workers: 1, workers: 2}\n",
            r"params.yaml, line \d+: 'workers' is",
        ),
        ("params/faces.yml", "faces: {}\n", r"params/faces.yml: parameter files end in .yaml; rename it"),
        ("params/more.yaml", "- faces\n", r"params/more.yaml: the top level must be a mapping"),
        ("params/more.yaml", "a: [1\n", r"params/more.yaml: not valid YAML"),
        ("params/more.yaml", "fases: {}\n", r"params/more.yaml: fases: unknown key"),
        ("params/systems.yaml", "  new: {extends: no}\n", r"params/systems.yaml: systems.new.extends: "),
        (
            "params/systems.yaml",
            "  new: {extends: cat}\n",
            r"params/systems.yaml: systems.new.extends: 'cat'",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_file(copied: Path, file: str, text: str, message: str) -> None:
    path = copied / file
    path.write_text((path.read_text() if path.exists() else "") + text)
    with pytest.raises(UgclError) as caught:
        load(copied / "params.yaml")
    assert re.search(message, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


def test_a_merged_mapping_is_no_repetition(copied: Path) -> None:
    append(
        copied / "params/systems.yaml",
        "  a: &a {train: {lr: 0.5}}\n  newer: {<<: *a, train: {lr: 0.1}}\n",
    )
    assert load(copied / "params.yaml").systems["newer"].train == {"lr": 0.1}


def leaves(tree: Any, place: str = "") -> dict[str, Any]:
    """Values of a tree by their dotted place; a list is one value."""
    if not isinstance(tree, dict):
        return {place: tree}
    return {
        key: leaf for name, entry in tree.items() for key, leaf in leaves(entry, f"{place}.{name}").items()
    }


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("params.yaml", "train.lr", 0.5),
        ("params.yaml", "active", ["ravdess"]),
        ("params.yaml", "benchmarks.ravdess.overrides.train.ema.decay", 0.5),
        ("params.yaml", "benchmarks.crema_d_audio.overrides.train.lr", 0.5),
        ("params.yaml", "benchmarks.demo_ablations.seeds", [4]),
        ("params/corpora.yaml", "corpora.crema_d.protocols.intended_5fold.folds.dev_speakers", 10),
        ("params/corpora.yaml", "corpora.iemocap.protocols.hap_exc_5session.folds.column", "speaker"),
        ("params/encoders.yaml", "encoders.logmel.pool", 8),
        ("params/systems.yaml", "systems.ugcl-as-released.train.lr", 0.5),
        ("params/grids.yaml", "grids.ablations.rows.batch-2.train.batch", 4),
    ],
)
def test_what_dvc_sets_is_the_one_value_that_changes(copied: Path, file: str, key: str, value: Any) -> None:
    before, comments = leaves(read(copied / "params.yaml")), (copied / file).read_text().count("# ")
    apply_overrides(copied / file, [f"{key}={value}"])  # `dvc exp run -S FILE:KEY=VALUE` calls it
    after = leaves(read(copied / "params.yaml"))
    assert after.keys() == before.keys()
    assert {k: v for k, v in after.items() if v != before[k]} == {f".{key}": value}
    assert (copied / file).read_text().count("# ") == comments


def test_no_mapping_of_the_projects_files_stands_in_two_places(project: Path) -> None:
    """Of such a mapping DVC would write what it had in its last place."""
    for file in (project / "params.yaml", *(project / "params").glob("*.yaml")):
        waiting, seen = [yaml.compose(file.read_text())], set()
        while waiting:
            node = waiting.pop()
            if isinstance(node, yaml.MappingNode):
                assert id(node) not in seen, f"{file}{node.start_mark}"
                seen.add(id(node))
                waiting += [value for _, value in node.value]
