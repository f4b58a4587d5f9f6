"""Benchmarks as audformat databases, opened by the library, and corpora that are such databases."""

from __future__ import annotations

import shutil
from pathlib import Path

import audformat
import numpy as np
import pandas as pd
import pytest
import soundfile

import ugcl as package
from ugcl.config import Config, parse, read
from ugcl.data import manifest, tables
from ugcl.errors import UgclError
from ugcl.plan import paths

CLASSES = ["angry", "happy", "neutral"]


@pytest.fixture
def tiny(tiny: Config, project: Path) -> Config:
    """The tiny project with the table of sources, which has the licences."""
    Path("workflow/resources").mkdir(parents=True)
    shutil.copy(project / tiny.data.sources, tiny.data.sources)
    return tiny


def test_clips_folds_and_predictions_come_back(tiny: Config, ugcl) -> None:
    shown = ugcl("data", "export-audformat", "tiny", "--out", "db", "--system", "ugcl", "--media")
    assert shown.stdout.strip() == "db/db.yaml"
    database = audformat.Database.load("db")
    known = tables.read_manifest(paths.manifest("tiny")).set_index("audio")
    clips = database["clips"].get()
    assert clips["class"].astype(str).to_dict() == known["emotion"].to_dict()
    assert clips["speaker"].astype(str).to_dict() == known["speaker"].to_dict()
    assert clips["clip"].to_dict() == known["clip"].to_dict()
    for file in clips.index:
        assert Path("db", file).read_bytes() == Path("clips", file).read_bytes()
    for fold in tiny.folds("tiny"):
        split = tables.read_split(paths.split("tiny", "three", fold))
        for part, kind in (("train", "train"), ("dev", "dev"), ("test", "test")):
            table = database[f"fold{fold}.{part}"]
            assert database.splits[table.split_id].type == kind
            names = known.loc[table.files, "clip"]
            assert sorted(names) == sorted(split.loc[split["part"] == part, "clip"])
    own = package.load_predictions("tiny", "ugcl")
    for fold, part in own.groupby("fold"):
        found = database[f"predictions.ugcl.seed0.fold{fold}"].get()
        found.index = known.loc[found.index, "clip"]
        part = part.set_index("clip").loc[found.index]
        assert found["predicted"].astype(str).tolist() == part["predicted"].tolist()
        np.testing.assert_allclose(
            found[[f"p_{c}" for c in CLASSES]], part[[f"p_{c}" for c in CLASSES]], atol=1e-6
        )
    assert database.raters["ugcl"].type == "machine" and database.raters["labels"].type == "ground truth"
    assert database.schemes["class"].labels == CLASSES
    assert not [name for name in database.tables if "concat" in name]


def test_what_cannot_be_written_is_refused(tiny: Config, ugcl) -> None:
    Path("db").mkdir()
    Path("db/notes.txt").write_text("mine")
    assert (
        "db: exists and is not an empty folder"
        in ugcl("data", "export-audformat", "tiny", "--out", "db", code=1).error
    )
    in_use = ugcl("data", "export-audformat", "tiny", "--out", "db/notes.txt", code=1)
    assert "exists and is not an empty folder" in in_use.error
    wrong = ugcl("data", "export-audformat", "tiny", "--out", "new", "--system", "none", code=1)
    assert "no system 'none'; choose from ugcl" in wrong.error
    path = paths.manifest("tiny")
    frame = tables.read_manifest(path)
    tables.write(frame.assign(audio="", video=""), path)
    lost = ugcl("data", "export-audformat", "tiny", "--out", "new", "--labels-only", code=1)
    assert "has no sound or video" in lost.error
    ugcl("data", "export-audformat", "tiny", "--out", "new", "--labels-only", "--system", "ugcl", code=2)


def test_a_file_that_is_missing_leaves_no_copies(tiny: Config, ugcl) -> None:
    files = tables.read_manifest(paths.manifest("tiny"))["audio"]
    Path("clips", files.iloc[-1]).unlink()
    asked = ("data", "export-audformat", "tiny", "--out", "db", "--labels-only", "--media")
    assert f"{files.iloc[-1]}: not found; complete the corpus" in ugcl(*asked, code=1).error
    assert not Path("db").exists()
    Path("clips", files.iloc[-1]).write_bytes(Path("clips", files.iloc[0]).read_bytes())
    ugcl(*asked)


def test_the_mark_and_the_segments_are_in_it(tiny: Config, ugcl) -> None:
    """Clips of one recording, cut by their times; a clip with its own sound file is not cut."""
    path = paths.manifest("tiny")
    frame = tables.read_manifest(path)
    frame["start"], frame["end"], frame["cut"] = 0.25, 1.0, ""
    frame.loc[0, "cut"] = "video"
    frame.loc[1, "end"] = np.nan
    tables.write(frame, path)
    parameters = Path("params.yaml").read_text()
    Path("params.yaml").write_text(
        parameters.replace("adapter: folder", "adapter: folder\n    synthetic: true")
    )
    ugcl("data", "export-audformat", "tiny", "--out", "db", "--labels-only")
    database = audformat.Database.load("db")
    assert database.description.startswith("SYNTHETIC: ")
    rows = database["clips"].get().reset_index()
    seconds = rows[["start", "end"]].map(lambda time: time.total_seconds())
    assert seconds.iloc[2].tolist() == [0.25, 1.0] and seconds["start"].iloc[1] == 0.25
    assert seconds["start"].iloc[0] == 0 and seconds["end"].iloc[:2].isna().all()


def written(root: Path, labels: list[str | None] = ("sad", "happy", "sad")) -> audformat.Database:
    """A database of three segments of two files, and a table of what is known of the files."""
    for name in ("a b.wav", "in/c.wav"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, 0.1 * np.random.default_rng(0).normal(size=32000), 16000)
    database = audformat.Database("mine")
    database.schemes["emotion"] = audformat.Scheme(labels=["sad", "happy", "bored"])
    people = {"s1": {"sex": "female", "age": 31}, "s2": {"sex": "male", "age": 40}}
    database.schemes["speaker"] = audformat.Scheme(labels=people)
    database.splits["dev"] = audformat.Split("dev")
    files, starts, ends = ["a b.wav", "a b.wav", "in/c.wav"], [0, 0.5, 0], [0.5, 1.25, pd.NaT]
    times = [pd.to_timedelta(values, unit="s") for values in (starts, ends)]
    table = database["emotion"] = audformat.Table(audformat.segmented_index(files, *times), split_id="dev")
    table["emotion"] = audformat.Column(scheme_id="emotion")
    table["emotion"].set(list(labels))
    facts = database["files"] = audformat.Table(audformat.filewise_index(["in/c.wav", "a b.wav"]))
    facts["who"] = audformat.Column(scheme_id="speaker")
    facts["who"].set(["s2", "s1"])
    database.save(str(root), storage_format="csv")
    return database


COLUMNS = {"emotion": "emotion", "speaker": "files/who", "sex": "files/who:sex", "age": "files/who:age"}


def corpus(project: Path, root: Path, **settings) -> pd.DataFrame:
    """The manifest of a database."""
    tree = read(project / "params.yaml")
    tree["corpora"]["mine"] = {
        "adapter": "folder",
        "root": str(root),
        "protocols": {"p": {"label": "emotion", "classes": ["sad", "happy"]}},
        "database": {"tables": ["emotion"], "columns": COLUMNS} | settings,
    }
    return manifest.build(parse(tree), "mine")


def test_a_database_is_a_corpus(project: Path, tmp_path: Path) -> None:
    written(tmp_path)
    frame = corpus(project, tmp_path)
    assert frame["clip"].tolist() == ["a_b_0-500", "a_b_500-1250", "in_c"]
    assert frame["emotion"].tolist() == ["sad", "happy", "sad"]
    assert frame["speaker"].tolist() == ["s1", "s1", "s2"]
    assert frame["sex"].tolist() == ["female", "female", "male"] and frame["age"].tolist() == [31, 31, 40]
    assert set(frame["part"]) == {"dev"}
    assert frame["audio"].tolist() == ["a b.wav", "a b.wav", "in/c.wav"] and set(frame["video"]) == {""}
    assert frame["start"].fillna(-1).tolist() == [0, 0.5, -1] and frame["end"].fillna(-1).tolist() == [
        0.5,
        1.25,
        -1,
    ]
    assert frame["duration"].tolist() == pytest.approx([0.5, 0.75, 2.0])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tables": ["mood"]}, r"no table 'mood' \(it has 'emotion', 'files'\)"),
        ({"columns": COLUMNS | {"emotion": "mood"}}, "table 'emotion' has no column 'mood'"),
        ({"columns": COLUMNS | {"sex": "files/who:gender"}}, "has no field 'gender' in its scheme"),
        ({"columns": {"emotion": "emotion"}}, "no column 'speaker'; add it"),
        ({"columns": COLUMNS | {"start": "emotion"}}, "columns.start: it follows from the row"),
        (
            {"tables": ["emotion", "files"], "columns": {"speaker": "files/who", "emotion": "x"}},
            "no column 'x'",
        ),
    ],
)
def test_wrong_names_of_a_database_are_one_line(
    project: Path, tmp_path: Path, settings: dict, words: str
) -> None:
    written(tmp_path)
    with pytest.raises(UgclError, match=words) as caught:
        corpus(project, tmp_path, **settings)
    assert "\n" not in str(caught.value)


def test_broken_and_pickled_databases_are_refused(project: Path, tmp_path: Path) -> None:
    database = written(tmp_path)
    database.save(str(tmp_path), storage_format="pkl")
    with pytest.raises(UgclError, match="a pickled table, which may run code"):
        corpus(project, tmp_path)
    for path in tmp_path.glob("db.*.pkl"):
        path.unlink()
    (tmp_path / "db.emotion.csv").write_text("not,an,index\n1,2,3\n")
    with pytest.raises(UgclError, match="cannot be read as an audformat database") as caught:
        corpus(project, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: mine", "name: !!python/object/apply:os.mkdir [ran]", "db.yaml, line 1: a Python object"),
        (
            "  emotion:\n    type",
            "  /elsewhere/db.x:\n    type",
            "table '/elsewhere/db.x' would",
        ),
    ],
)
def test_a_header_runs_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, words: str
) -> None:
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    header = tmp_path / "db.yaml"
    assert old in header.read_text()
    header.write_text(header.read_text().replace(old, new, 1))
    with pytest.raises(UgclError, match=words):
        corpus(project, tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_table_that_shares_no_row_is_refused(project: Path, tmp_path: Path, caplog) -> None:
    """Files as wholes beside segments: every label would be empty."""
    written(tmp_path)
    columns = {"emotion": "emotion/emotion", "speaker": "who"}
    with pytest.raises(UgclError, match="no clip has the label 'happy'"):
        corpus(project, tmp_path, tables=["files"], columns=columns)
    assert "column emotion/emotion: 1 of 2 rows of table files are not in it" in caplog.text
    whole = tmp_path / "db.files.csv"
    whole.write_text("".join(x for x in whole.read_text().splitlines(True) if not x.startswith("in/c.wav")))
    with pytest.raises(UgclError, match="no row of table 'files' is one of table 'emotion'"):
        corpus(project, tmp_path, tables=["files"], columns=columns)


def test_what_was_exported_is_a_corpus_again(tiny: Config, ugcl, project: Path) -> None:
    ugcl("data", "export-audformat", "tiny", "--out", "db", "--labels-only", "--media")
    columns = {"emotion": "class", "speaker": "speaker"}
    tree = read(project / "params.yaml")
    protocols = {"p": {"label": "emotion", "classes": CLASSES}}
    tree["corpora"]["again"] = {
        "adapter": "folder",
        "root": "db",
        "protocols": protocols,
        "database": {"tables": ["clips"], "columns": columns},
    }
    frame = manifest.build(parse(tree), "again")
    known = tables.read_manifest(paths.manifest("tiny"))
    for column in ("audio", "speaker", "emotion", "audio_sha256"):
        assert frame.sort_values("audio")[column].tolist() == known.sort_values("audio")[column].tolist()
