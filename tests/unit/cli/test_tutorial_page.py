"""docs/tutorial.md: its commands up to the folds, on its clips, print what it says."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from ugcl.config import read

Run = Callable[..., Result]


@pytest.fixture
def page(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page; the working folder is a project beside its clips."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("UGCL_PARAMS", raising=False)
    Path("params.yaml").write_text(yaml.safe_dump(read(project / "params.yaml"), sort_keys=False))
    shutil.copytree(project / "tests/fixtures/tiny", "../clips")
    return (project / "docs/tutorial.md").read_text()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_table_the_parameters_and_the_folds_are_those_of_the_page(
    page: str, ugcl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [
        shlex.split(line, comments=True) for block in blocks(page, "sh") for line in block.splitlines()
    ]
    first, named = (command[1:] for command in commands if command[:2] == ["ugcl", "init"])
    printed, audited, *_ = blocks(page, "text")
    assert ugcl(*first).stdout == printed
    assert Path("../clips/clips.csv").read_text().startswith(blocks(page, "csv")[0])
    shown, written = yaml.safe_load(blocks(page, "yaml")[0]), read(Path("params-mine.yaml"))
    assert shown["benchmarks"]["mine"].items() <= written["benchmarks"]["mine"].items()
    protocol = written["corpora"]["mine"]["protocols"]["main"]
    assert shown["corpora"]["mine"]["protocols"]["main"] == protocol
    monkeypatch.setenv("UGCL_PARAMS", "params-mine.yaml")
    ugcl("data", "manifest", "mine")
    for fold in "1234":
        ugcl("data", "split", "mine", "main", fold)
    assert ugcl("data", "audit", "mine").stdout.startswith(audited)
    assert "uar" in ugcl("evaluate", "references", "mine").stdout

    monkeypatch.delenv("UGCL_PARAMS")
    Path("../own/session1").mkdir(parents=True)
    for clip in Path("../clips/VideoMP4").glob("*.mp4"):
        shutil.copy(clip, f"../own/session1/p{clip.stem[3]}-take1-{clip.stem[9:12]}.mp4")
    assert "not found in names of folders and files; fill it in" in ugcl("init", "../own").stdout
    Path("params-own.yaml").unlink()
    Path("../own/clips.csv").unlink()
    assert "p1 3, p2 3, p3 3, p4 3" in ugcl(*named).stdout
    assert "\np2-take1-ANG,,session1/p2-take1-ANG.mp4,p2,angry\n" in Path("../own/clips.csv").read_text()
