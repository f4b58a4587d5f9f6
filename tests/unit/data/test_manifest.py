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
        ("clip,speaker,emotion\na,s,sad\n", "no column audio, video or transcript"),
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


def corpus_table(folder: Path, rows: list[str], header: str = "clip,audio,speaker,emotion") -> None:
    wav(folder / "a.wav", 0.2)
    (folder / "clips.csv").write_text("\n".join([header, *rows]) + "\n")


def test_labels_in_other_spellings_are_the_class_and_others_are_counted(
    tree: dict, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    labels = ["happy", "Happy", "HAPPY", "happy ", " sad", "Sad", "sad\u00a0", "bored", "bored", ""]
    corpus_table(tmp_path / "in", [f"c{i},a.wav,s{i},{label}" for i, label in enumerate(labels)])
    frame = manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    assert frame["emotion"].tolist() == ["happy"] * 4 + ["sad"] * 3 + ["bored"] * 2 + [""]
    assert "changed to the class's spelling: 'Happy' 1, 'HAPPY' 1, 'Sad' 1" in caplog.text
    assert "clips of no class, left out: 'bored' 2, no label 1" in caplog.text


@pytest.mark.parametrize("other", ["001 ", " 001", "001\u00a0"])
def test_blanks_around_a_speaker_do_not_make_another_person(tree: dict, tmp_path: Path, other: str) -> None:
    corpus_table(tmp_path / "in", ["a,a.wav,001,sad", f"b,a.wav,{other},happy"])
    assert manifest.build(folder_config(tree, tmp_path / "in"), "mine")["speaker"].unique() == ["001"]


@pytest.mark.parametrize("other", ["1", "01", "1.0", "001.0"])
def test_a_speaker_in_two_spellings_is_refused_with_counts(tree: dict, tmp_path: Path, other: str) -> None:
    corpus_table(tmp_path / "in", ["a,a.wav,001,sad", "b,a.wav,001,sad", f"c,a.wav,{other},happy"])
    with pytest.raises(UgclError, match=r"1 speakers seem .*'001' \(2 clips\)") as caught:
        manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    assert f"'{other}' (1 clips)" in str(caught.value)


def test_ids_that_differ_are_different_people(tree: dict, tmp_path: Path) -> None:
    names = ["s1", "s2", "s10", "s11", "s1a", "s1-1", "anna", "anne"]
    corpus_table(tmp_path / "in", [f"c{i},a.wav,{n},{'sad' if i else 'happy'}" for i, n in enumerate(names)])
    frame = manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    assert sorted(frame["speaker"]) == sorted(names)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("clip;audio;speaker;emotion\na;a.wav;s;sad\n", "separated by semicolons"),
        ("clip\taudio\tspeaker\temotion\na\ta.wav\ts\tsad\n", "separated by tabs"),
        ("clip,audio,speaker,emotion\na,a.wav,s,sad,very\nb,a.wav,t,happy,\n", "row 2 has 5 fields"),
        ("clip,audio,speaker,emotion\na,a.wav,s,sad\nb,a.wav,t,happy,x\n", "row 3 has 5 fields"),
        ("clip,audio,speaker,emotion\na b,a.wav,s,sad\nc,a.wav,t,happy\n", "line 2: 'a b'"),
        ("clip,audio,speaker,emotion\nc ,a.wav,s,sad\nc,a.wav,t,happy\n", "clip of another row .*line 3"),
    ],
)
def test_a_table_that_is_no_csv_of_clips_says_why(
    tree: dict, tmp_path: Path, content: str, words: str
) -> None:
    wav(tmp_path / "in/a.wav", 0.2)
    (tmp_path / "in/clips.csv").write_text(content)
    with pytest.raises(UgclError, match=words) as caught:
        manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "end"),
    [
        ("clip,audio,speaker,emotion", ","),
        ("clip,audio,speaker,emotion,", ","),
        (" clip , audio,speaker ,emotion", ""),
    ],
)
def test_commas_and_blanks_that_mean_nothing_change_nothing(
    tree: dict, tmp_path: Path, header: str, end: str
) -> None:
    corpus_table(tmp_path / "in", [f"a, a.wav,s ,sad{end}", f"b ,a.wav,t,happy{end}"], header)
    frame = manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    found = frame[["clip", "audio", "speaker", "emotion"]].to_numpy().tolist()
    assert found == [["a", "a.wav", "s", "sad"], ["b", "a.wav", "t", "happy"]]
    assert frame["duration"].tolist() == pytest.approx([0.2, 0.2])


def test_a_linked_folder_is_inside_and_a_path_that_climbs_out_is_not(tree: dict, tmp_path: Path) -> None:
    wav(tmp_path / "elsewhere/b.wav", 0.3)
    corpus_table(tmp_path / "in", ["a,a.wav,s,sad", "b,linked\\b.wav,t,happy"])
    (tmp_path / "in/linked").symlink_to(tmp_path / "elsewhere")
    frame = manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    assert frame["duration"].tolist() == pytest.approx([0.2, 0.3])
    corpus_table(tmp_path / "in", ["a,linked/../../elsewhere/b.wav,s,sad", "b,a.wav,t,happy"])
    with pytest.raises(UgclError, match="outside"):
        manifest.build(folder_config(tree, tmp_path / "in"), "mine")


def test_a_start_alone_reaches_to_the_end_and_an_end_alone_begins_with_the_file(
    tree: dict, tmp_path: Path
) -> None:
    rows = ["a,a.wav,s,sad,0.05,", "b,a.wav,t,happy,,0.15", "c,a.wav,u,sad,0.05,0.15", "d,a.wav,v,sad,,"]
    corpus_table(tmp_path / "in", rows, "clip,audio,speaker,emotion,start,end")
    frame = manifest.build(folder_config(tree, tmp_path / "in"), "mine")
    assert frame["duration"].tolist() == pytest.approx([0.15, 0.15, 0.1, 0.2])


@pytest.mark.parametrize(
    "name",
    [
        "03-01-05-01-01-01-01 (1)",
        "03-01-05-03-01-01-01",
        "03-01-05-01-03-01-01",
        "03-01-05-01-01-01-1x",
        "03-01-05-01-01-01-25",
        "03-01-05-01-01-01",
        "03-01-05-01-01-01-01-copy",
    ],
)
def test_a_name_like_those_of_ravdess_is_refused(tree: dict, tmp_path: Path, name: str) -> None:
    wav(tmp_path / f"data/raw/ravdess/Actor_01/{name}.wav", 0.1)
    with pytest.raises(UgclError, match="not a RAVDESS name"):
        manifest.build(parse(tree), "ravdess")


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
