"""A corpus becomes one checked table, and what is missing is said in one line."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ugcl.config import Config, parse, read
from ugcl.data import manifest, tables
from ugcl.errors import UgclError


@pytest.fixture
def tree(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    monkeypatch.delenv("UGCL_MIRROR", raising=False)
    monkeypatch.chdir(tmp_path)
    return read(project / "params.yaml")


def folder_config(tree: dict[str, Any], root: Path) -> Config:
    protocol = {"label": "emotion", "classes": ["happy", "sad"]}
    tree["corpora"]["mine"] = {"adapter": "folder", "root": str(root), "protocols": {"two": protocol}}
    return parse(tree)


def wav(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(int(16000 * seconds)), 16000)


def test_folder_corpus_keeps_rows_and_adds_durations_and_hashes(tree: dict, tmp_path: Path) -> None:
    wav(tmp_path / "in/b.wav", 0.5)
    wav(tmp_path / "in/a.wav", 1.25)
    (tmp_path / "in/clips.csv").write_text("clip,audio,speaker,emotion\nb,b.wav,s1,sad\na,a.wav,s2,happy\n")
    frame = manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    tables.write(frame, tmp_path / "m.csv")
    read = tables.read_manifest(tmp_path / "m.csv")
    assert list(read["clip"]) == ["a", "b"]
    assert list(read["duration"]) == [1.25, 0.5]
    expected = hashlib.sha256((tmp_path / "in/a.wav").read_bytes()).hexdigest()
    assert read.loc[0, "audio_sha256"] == expected
    assert list(read["emotion"]) == ["happy", "sad"]


def test_bad_and_missing_media_keep_their_rows(tree: dict, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.wav").write_bytes(b"")
    table = "clip,audio,speaker,emotion\na,a.wav,s1,sad\nb,gone.wav,s2,happy\n"
    (tmp_path / "in/clips.csv").write_text(table)
    frame = manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    tables.write(frame, tmp_path / "m.csv")
    read = tables.read_manifest(tmp_path / "m.csv")
    assert read["duration"].isna().all()
    assert list(read["audio_sha256"] == "") == [False, True]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("clip,audio,emotion\na,a.wav,sad\n", "no column 'speaker'"),
        ("clip,audio,speaker\na,a.wav,s\n", "no column 'emotion'"),
        ("clip,speaker,emotion\na,s,sad\n", "neither an audio nor a video column"),
        ("clip,audio,speaker,emotion\na,a.wav,,sad\n", "line 2 has no speaker"),
        ("clip,audio,speaker,emotion\na,../x.wav,s,sad\n", "outside"),
        ("clip,audio,speaker,emotion\na,a.wav,s,sad\n", "no clip has the label 'happy'"),
        ("clip,audio,speaker,emotion\na,a.wav,s,sad\na,a.wav,s,happy\n", "clip"),
        ("", "not a readable CSV"),
    ],
)
def test_a_wrong_folder_table_is_explained(tree: dict, tmp_path: Path, table: str, words: str) -> None:
    wav(tmp_path / "in/a.wav", 0.1)
    (tmp_path / "in/clips.csv").write_text(table)
    with pytest.raises(UgclError, match=words) as caught:
        manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    assert "\n" not in str(caught.value)


def test_ravdess_names_become_labels(tree: dict, tmp_path: Path) -> None:
    root = tmp_path / "data/raw/ravdess"
    for emotion in range(1, 9):
        wav(root / f"Actor_02/03-01-{emotion:02d}-01-02-01-02.wav", 0.1)
    (root / "Actor_02/01-01-08-01-02-01-02.mp4").write_bytes(b"not a video")
    frame = manifest.build(parse(tree), "ravdess").set_index("clip")
    row = frame.loc["03-01-08-01-02-01-02"]
    assert (row["intended"], row["sex"], row["speaker"], row["sentence"]) == (
        "surprised",
        "female",
        "02",
        "dogs",
    )
    assert row["video"] == "Actor_02/01-01-08-01-02-01-02.mp4"
    assert frame.loc["03-01-05-01-02-01-02", "intended"] == "angry"


def test_a_strange_ravdess_name_is_refused(tree: dict, tmp_path: Path) -> None:
    wav(tmp_path / "data/raw/ravdess/audio/03-01-09-01-01-01-01.flac", 0.1)
    with pytest.raises(UgclError, match="not a RAVDESS name"):
        manifest.build(parse(tree), "ravdess")


def test_all_of_ravdess_is_balanced(tree: dict, mirror: Path) -> None:
    tree["corpora"]["ravdess"]["root"] = str(mirror / "ravdess")
    frame = manifest.build(parse(tree), "ravdess")
    assert len(frame) == 1440
    assert frame["speaker"].nunique() == 24
    assert frame["intended"].value_counts().to_dict() == {
        name: 96 if name == "neutral" else 192
        for name in tree["corpora"]["ravdess"]["protocols"]["emotion8"]["classes"]
    }


def test_tables_are_written_to_the_byte_and_schema_faults_are_named(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("clip,part\na,train\nb,evaluation\n")
    with pytest.raises(UgclError, match=r"s\.csv.*evaluation"):
        tables.read_split(tmp_path / "s.csv")
    with pytest.raises(UgclError, match="not found; run the stage"):
        tables.read_split(tmp_path / "t.csv")
