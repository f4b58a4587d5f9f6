"""`ugcl data status`: present, partial or absent, with size, licence, place and the way to get the rest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.unit.data.fetching.made_corpus import Project
from ugcl.cli.data import app
from ugcl.config import parse
from ugcl.data.fetching.status import Status, status


def of(project: Project, corpus: str) -> Status:
    return next(entry for entry in status(parse(project.tree)) if entry.corpus == corpus)


def put(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_a_corpus_goes_from_absent_over_partial_to_present(project_folder: Project) -> None:
    sound = {"url": "https://x/a.zip", "path": "Actor_*/03-01-*.wav", "files": 2, "licence": "CC BY"}
    video = {"url": "https://x/b.zip", "path": "Actor_*/01-01-*.mp4", "files": 1, "licence": "CC BY"}
    project_folder.register(sound, video)
    found = of(project_folder, "ravdess")
    assert (found.state, found.files, found.bytes, found.licence) == ("absent", 0, 0, "CC BY")
    assert found.hint == "ugcl data fetch ravdess"
    put(project_folder.root / "Actor_01/03-01-01.wav", 10)
    put(project_folder.root / "Actor_01/01-01-01.mp4", 100)
    found = of(project_folder, "ravdess")
    assert (found.state, found.files, found.bytes) == ("partial", 2, 110)
    assert found.missing == ["Actor_*/03-01-*.wav"]
    assert found.hint == "ugcl data fetch --complete ravdess"
    put(project_folder.root / "Actor_02/03-01-01.wav", 1)
    put(project_folder.root / "notes.txt", 1000)  # not the corpus's
    found = of(project_folder, "ravdess")
    assert (found.state, found.files, found.bytes, found.missing, found.hint) == ("present", 3, 111, [], "")
    assert found.where == "data/raw/ravdess"


def test_a_release_inside_its_own_folder_counts_and_unfinished_files_do_not(project_folder: Project) -> None:
    project_folder.register({"url": "https://x/a.zip", "path": "Actor_*/03-01-*.wav", "files": 1})
    put(project_folder.root / "clone.partial/Actor_01/03-01-01.wav", 10)
    assert of(project_folder, "ravdess").missing == ["Actor_*/03-01-*.wav"]
    put(project_folder.root / "full_release/Actor_01/03-01-01.wav", 10)
    assert of(project_folder, "ravdess").missing == []


def test_a_mirror_that_has_it_is_told(project_folder: Project) -> None:
    put(project_folder.folder / "mirror/ravdess/Actor_01/03-01-01.wav", 10)
    project_folder.tree["data"]["mirror"] = str(project_folder.folder / "mirror")
    assert of(project_folder, "ravdess").hint == "ugcl data fetch ravdess (the mirror has 1 files)"


def test_a_licensed_corpus_tells_where_to_apply(project_folder: Project) -> None:
    project_folder.register({"kind": "request", "url": "https://owner.example", "path": "Actor_*/*.wav"})
    assert of(project_folder, "ravdess").hint == "apply at https://owner.example"


def test_the_demo_corpus_is_present_when_every_clip_has_both_files(
    project_folder: Project, project: Path
) -> None:
    project_folder.tree["corpora"]["demo"]["actors"] = 4
    shutil.copytree(project / "tests/fixtures/tiny", "data/raw/demo")
    found = of(project_folder, "demo")
    assert (found.state, found.files, found.licence) == ("partial", 24, "made here, SYNTHETIC")


def test_a_users_folder_is_present_with_its_table(project_folder: Project) -> None:
    protocol = {"label": "emotion", "classes": ["happy", "sad"]}
    entry = {"adapter": "folder", "root": "mine", "protocols": {"two": protocol}}
    project_folder.tree["corpora"]["mine"] = entry
    put(Path("mine/a.wav"), 5)
    assert of(project_folder, "mine").state == "partial"
    table = "clip,audio,speaker,emotion\na,a.wav,{},happy\n"
    Path("mine/clips.csv").write_text(table.format(""))
    found = of(project_folder, "mine")
    assert found.state == "partial" and found.hint.endswith("line 2 has no speaker; fill it in")
    Path("mine/clips.csv").write_text(table.format("ann"))
    found = of(project_folder, "mine")
    assert (found.state, found.files, found.licence, found.hint) == ("present", 2, "your own", "")
    put(Path("mine/more/b.flac"), 5)
    assert of(project_folder, "mine").hint == "media in no row, which are not used: more/b.flac"
    Path("mine/a.wav").rename("mine/c.wav")
    found = of(project_folder, "mine")
    assert (found.state, found.missing) == ("partial", ["a.wav"])
    assert found.hint.startswith("1 of 1 files that rows name are missing: a.wav")
    Path("mine/c.wav").rename("mine/a.wav")
    entry["table"] = str(Path("mine/clips.csv").rename("clips.csv").absolute())
    assert of(project_folder, "mine").state == "present"


def test_the_command_prints_a_table_and_json(project_folder: Project) -> None:
    Path("params.yaml").write_text(yaml.safe_dump(project_folder.tree, sort_keys=False))
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 0
    listed = json.loads(result.stdout)
    assert [entry["corpus"] for entry in listed] == list(project_folder.tree["corpora"])
    assert {entry["state"] for entry in listed} == {"absent"}
    table = CliRunner().invoke(app, ["status"])
    assert table.exit_code == 0
    for words in (
        "corpus",
        "state",
        "licence",
        "ravdess",
        "absent",
        "data/raw/ravdess",
        "ugcl data fetch ravdess",
    ):
        assert words in table.stdout


def test_fetch_prints_the_listing_and_a_fault_leaves_with_1(
    project_folder: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ugcl.cli import main

    Path("params.yaml").write_text(yaml.safe_dump(project_folder.tree, sort_keys=False))
    monkeypatch.setattr("sys.argv", ["ugcl", "data", "fetch", "ravdess"])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("error: ravdess: no files under data/raw/ravdess")
    put(project_folder.root / "Actor_01/03-01-01.wav", 10)
    result = CliRunner().invoke(app, ["fetch", "ravdess"])
    assert result.stdout.strip() == "data/raw/ravdess/fetched.csv"
