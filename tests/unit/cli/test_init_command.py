"""`ugcl init`, then the stages, on a folder of real media that no table describes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import Result

from ugcl.config import read
from ugcl.plan import paths

Run = Callable[..., Result]


@pytest.fixture
def folder(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without results, now the working folder, and in it a folder of the tiny clips."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UGCL_PARAMS", raising=False)
    Path("params.yaml").write_text(yaml.safe_dump(read(project / "params.yaml"), sort_keys=False))
    shutil.copytree(project / "tests/fixtures/tiny", tmp_path / "media")
    return Path("media")


def test_parameters_that_were_removed_are_not_needed_to_start_again(
    folder: Path, ugcl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UGCL_PARAMS", "params-mine.yaml")
    ugcl("init", "media", "--name", "mine")
    assert read(Path("params-mine.yaml"))["active"] == ["mine"]


def test_from_a_folder_to_a_trained_system(folder: Path, ugcl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in [*folder.rglob("*.wav"), *folder.rglob("*.mp4")]:  # names that say nothing safely
        speaker, _, emotion, _ = path.stem.split("_")
        path.rename(path.with_stem(f"{speaker}{emotion[0]}"))
    output = ugcl("init", "media", "--name", "mine").stdout
    assert "12 clips, 12 with a sound file, 12 with a video\n" in output
    assert "speaker: not found in names of folders and files; fill it in" in output
    assert output.splitlines()[-3:] == [
        "  export UGCL_PARAMS=params-mine.yaml",
        "  ugcl doctor",
        "  snakemake --cores 8 all",
    ]
    monkeypatch.setenv("UGCL_PARAMS", "params-mine.yaml")
    assert (
        "media/clips.csv: line 2 has no speaker; fill it in" in ugcl("data", "manifest", "mine", code=1).error
    )

    table = pd.read_csv(folder / "clips.csv", dtype=str)
    meaning = {"A": "angry", "H": "happy", "N": "neutral"}
    table = table.assign(speaker=table["clip"].str[:4], emotion=table["clip"].str[4].map(meaning))
    table.to_csv(folder / "clips.csv", index=False)
    tree = read(Path("params-mine.yaml"))
    protocol = tree["corpora"]["mine"]["protocols"]["main"]
    protocol |= {"classes": list(meaning.values()), "folds": {"scheme": "stratified", "folds": 3}}
    tree["corpora"]["mine"]["shards"] = 1
    tree["train"] |= {"epochs": 1, "batch": 4}
    Path("params-mine.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))

    ugcl("data", "manifest", "mine")
    ugcl("data", "check", "mine")
    for fold in ("1", "2", "3"):
        ugcl("data", "split", "mine", "main", fold)
    for encoder in ("logmel", "hog"):
        if encoder == "hog":
            ugcl("features", "faces", "mine", "1")
        ugcl("features", "encode", "mine", encoder, "1")
        ugcl("features", "index", "mine", encoder)
    ugcl("features", "quarantine", "mine")
    ugcl("train", "mine", "concat", "--seed", "0", "--fold", "1")
    assert (paths.MODELS / paths.run("mine", "concat", 0, 1) / "model.safetensors").is_file()


def test_nothing_is_replaced(folder: Path, ugcl: Run) -> None:
    ugcl("init", "media")
    before = {path: path.read_bytes() for path in (folder / "clips.csv", Path("params-media.yaml"))}
    assert "media/clips.csv: exists and is not replaced" in ugcl("init", "media", code=1).error
    words = "params-media.yaml: exists and is not replaced; remove it, or choose another name"
    assert ugcl("init", "media", "--table", "other.csv", code=1).error == words
    assert not (folder / "other.csv").exists()
    assert before == {path: path.read_bytes() for path in before}
    ugcl("init", "media", "--name", "again", "--table", "other.csv")


def test_a_folder_elsewhere_is_named_from_the_root_and_its_names_are_understood(
    folder: Path, ugcl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    shutil.move(folder, elsewhere)
    output = ugcl("init", str(elsewhere), "--name", "mine").stdout
    assert "speaker: from file names, which are of CREMA-D: 1001 3, 1002 3, 1003 3, 1004 3" in output
    assert "emotion: from file names, which are of CREMA-D: angry 4, happy 4, neutral 4" in output
    assert read(Path("params-mine.yaml"))["corpora"]["mine"]["root"] == elsewhere.as_posix()
    monkeypatch.setenv("UGCL_PARAMS", "params-mine.yaml")
    ugcl("data", "manifest", "mine")
    ugcl("data", "check", "mine")
    assert not list(tmp_path.glob("*.partial"))
