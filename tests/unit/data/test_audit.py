"""The audit counts what the parts of any split hold, and stops at shared speakers, clips and recordings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ugcl.config import Config, load
from ugcl.data import tables
from ugcl.data.splits import clip_names
from ugcl.data.splits import foreign_split as foreign_split
from ugcl.data.splits.audit import audit
from ugcl.data.splits.audits import audits
from ugcl.errors import UgclError


def split() -> pd.DataFrame:
    """Two train clips of 1001, one dev clip of 1002, one test clip of 1003; nothing leaks."""
    rows = [
        ("a", "train", "1001", "S1", "happy", "0" * 64),
        ("b", "train", "1001", "S2", "sad", "1" * 64),
        ("c", "dev", "1002", "S1", "sad", "2" * 64),
        ("d", "test", "1003", "S2", "happy", "3" * 64),
    ]
    columns = ["clip", "part", "speaker", "sentence", "label", "audio_sha256"]
    return pd.DataFrame(rows, columns=columns).assign(video_sha256="", session="")


def overlaps(frame: pd.DataFrame) -> set[tuple[str, str, str, int]]:
    found = audit(frame, "made").overlaps
    return set(found[["first", "second", "kind", "count"]].itertuples(index=False, name=None))


def test_parts_are_counted_and_sentences_are_information() -> None:
    found = audit(split(), "made", ["happy", "sad"])
    assert found.parts.to_dict("records") == [
        {"part": "train", "clips": 2, "speakers": 1, "sentences": 2, "happy": 1, "sad": 1},
        {"part": "dev", "clips": 1, "speakers": 1, "sentences": 1, "happy": 0, "sad": 1},
        {"part": "test", "clips": 1, "speakers": 1, "sentences": 1, "happy": 1, "sad": 0},
    ]
    assert overlaps(split()) == {("train", "dev", "sentences", 1), ("train", "test", "sentences", 1)}
    assert found.leaks == [] and "no shared clips, speakers or recordings" in found.text()


def test_a_shared_speaker_a_shared_clip_and_a_shared_recording_are_leaks() -> None:
    frame = split()
    frame.loc[3, "speaker"] = "1001"
    assert ("train", "test", "speakers", 1) in overlaps(frame)
    assert audit(frame, "made").leaks == ["made: train and test share 1 speakers (1001)"]

    frame = split()
    frame.loc[2, "clip"] = "d"
    assert audit(frame, "made").leaks == ["made: dev and test share 1 clips (d)"]

    frame = split()
    frame.loc[3, "audio_sha256"] = "1" * 64
    found = audit(frame, "made")
    assert found.leaks == ["made: train and test share 1 recordings (b, d)"]
    assert found.duplicates == 2


def test_one_file_in_both_columns_of_a_clip_is_no_duplicate_and_inside_a_part_it_is_a_note() -> None:
    frame = split()
    frame["video_sha256"] = frame["audio_sha256"]
    assert audit(frame, "made").duplicates == 0
    frame.loc[1, "audio_sha256"] = frame.loc[0, "audio_sha256"]
    found = audit(frame, "made")
    assert found.duplicates == 2 and found.leaks == []


def csv(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_files_without_parts_are_one_part_each(tmp_path: Path) -> None:
    train = csv(tmp_path / "train.csv", "1001_IEO_ANG_HI,ANG\n1002_IEO_SAD_HI,SAD\n")
    held = csv(tmp_path / "held_out.csv", "wav/1002_DFA_ANG_XX.wav,ANG\n")
    (found,) = foreign_split.read([train, f"test={held}"]).values()
    assert found[["clip", "part", "speaker", "sentence", "label"]].to_numpy().tolist() == [
        ["1001_IEO_ANG_HI", "train", "1001", "IEO", "ANG"],
        ["1002_IEO_SAD_HI", "train", "1002", "IEO", "SAD"],
        ["1002_DFA_ANG_XX", "test", "1002", "DFA", "ANG"],
    ]
    with pytest.raises(UgclError, match=r"held_out\.csv: which part is it\? write train="):
        foreign_split.read([train, held])


def test_columns_are_known_by_many_names_and_folds_are_audited_apart(tmp_path: Path) -> None:
    text = (
        "FileName,Split_Set,SpkrID,Fold\na.wav,Train,7,1\nb.wav,Test,8,1\na.wav,Test,7,2\nb.wav,Train,8,2\n"
    )
    found = foreign_split.read([csv(tmp_path / "folds.csv", text)])
    assert [name.rsplit(" ", 2)[-1] for name in found] == ["1", "2"]
    assert not [leak for name, table in found.items() for leak in audit(table, name).leaks]


def test_a_manifest_tells_what_the_names_do_not(tmp_path: Path) -> None:
    manifest = pd.DataFrame({"clip": ["x", "y"], "speaker": ["p", "p"], "sex": ["", ""]})
    path = csv(tmp_path / "s.csv", "clip,part\nx,train\ny,test\n")
    with pytest.raises(UgclError, match="no column of speakers, and clip names such as 'x'"):
        foreign_split.read([path])
    (found,) = foreign_split.read([path], manifest=manifest).values()
    assert audit(found, "s").leaks == ["s: train and test share 1 speakers (p)"]
    with pytest.raises(UgclError, match=r"1 clips are not in the manifest \(first: y\)"):
        foreign_split.read([path], manifest=manifest.iloc[:1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clip,part\na,holdout\n", "'holdout' is not a part"),
        ("part,speaker\ntrain,1\n", "no column of clips among part, speaker"),
        ("", "not a readable CSV"),
    ],
)
def test_a_file_that_is_no_split_is_explained(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UgclError, match=words):
        foreign_split.read([csv(tmp_path / "s.csv", text)])


@pytest.mark.parametrize("text", ['{"train": ["1"', '["1"]', '{"train": "1"}'])
def test_a_json_that_is_no_split_is_explained(tmp_path: Path, text: str) -> None:
    with pytest.raises(UgclError, match=r"s\.json: "):
        foreign_split.read([csv(tmp_path / "s.json", text)])


def test_names_of_known_corpora_tell_their_speakers() -> None:
    clips = ["Ses01F_impro01_M003", "Ses01F_script02_1_F010"]
    assert clip_names.facts(pd.Series(clips))["speaker"].tolist() == ["Ses01M", "Ses01F"]
    assert clip_names.facts(pd.Series(["03-01-05-02-01-02-24"]))["speaker"].tolist() == ["24"]
    assert clip_names.facts(pd.Series(["something", "else"])).empty


@pytest.mark.parametrize(
    ("pattern", "words"),
    [(r"^(\d{4}", "missing"), (r"^\d+", "no group"), (r"^x(\d+)", "does not match clip '1001_A'")],
)
def test_a_wrong_speaker_pattern_is_explained(pattern: str, words: str) -> None:
    with pytest.raises(UgclError, match=words):
        clip_names.facts(pd.Series(["1001_A"]), pattern)


@pytest.fixture
def config(project: Path) -> Config:
    return load(project / "params.yaml")


def test_the_split_of_the_imbalance_literature_leaks(config: Config, mirror: Path) -> None:
    folder = mirror / "crema_d/partitions/ogm_ge"
    (found,) = audits(config, [str(folder / "train.csv"), str(folder / "test.csv")])
    assert found.parts["clips"].tolist() == [6698, 744]
    assert [leak.split(": ", 1)[1].split(" (")[0] for leak in found.leaks] == [
        "train and test share 91 speakers"
    ]


def test_the_consensus_partitions_and_audeerings_speakers_are_clean(config: Config, mirror: Path) -> None:
    folder = mirror / "crema_d/partitions"
    files = [str(folder / f"mspl_consensus/label_consensus_{k}.csv") for k in range(1, 5)]
    found = audits(config, [*files, str(folder / "audeering/speaker_splits.json")])
    assert [each.leaks for each in found] == [[]] * 5
    assert found[0].parts.set_index("part").loc["test", ["angry", "sad"]].tolist() == [150, 64]
    assert found[4].parts["speakers"].tolist() == [56, 18, 17]


def test_the_command_prints_json_and_exits_1_on_a_leak(project: Path, tmp_path: Path) -> None:
    clean = csv(tmp_path / "clean.csv", "clip,part,speaker\na,train,1\nb,test,2\n")
    leaky = csv(tmp_path / "leaky.csv", "clip,part,speaker\na,train,1\nb,test,1\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ugcl", "data", "audit", *arguments]
        return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)

    done = run(clean, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["leaks"] == []
    done = run(leaky)
    assert done.returncode == 1
    assert "LEAK: train and test share 1 speakers: 1" in done.stdout
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: ")
    done = run("nothing")
    assert done.returncode == 1 and "neither a file nor a benchmark" in done.stderr


def test_a_benchmark_s_folds_are_audited_as_written_or_as_they_would_be(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    classes = config.protocol("demo").classes
    rows = [
        (f"{s}_{name}", str(s), ("male", "female")[s % 2], name)
        for s in range(1001, 1013)
        for name in classes
    ]
    frame = pd.DataFrame(rows, columns=["clip", "speaker", "sex", "intended"])
    for column in ("audio", "video", "age", "sentence", "session", "level", "duration"):
        frame[column] = ""
    for column in ("audio_sha256", "video_sha256"):
        frame[column] = ""
    tables.write(frame, Path("data/manifests/demo.csv"))
    found = audits(config, ["demo"])
    assert len(found) == 6 and not [leak for each in found for leak in each.leaks]
    part = ["test" if name in ("1001_angry", "1003_angry") else "train" for name in frame["clip"]]
    tables.write(frame[["clip"]].assign(part=part), Path("data/splits/demo/intended/fold2.csv"))
    (leak,) = [leak for each in audits(config, ["demo"]) for leak in each.leaks]
    assert leak == "demo fold 2: train and test share 2 speakers (1001, 1003)"


@pytest.mark.parametrize("other", ["1", "1.0", "001 ", "01"])
def test_a_speaker_in_two_spellings_leaks_all_the_same(tmp_path: Path, other: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(f"clip,speaker,part\na,001,train\nb,{other},test\nc,002,train\nd,003,test\n")
    (table,) = foreign_split.read([str(path)]).values()
    found = audit(table, "mine")
    assert found.parts["speakers"].tolist() == [2, 2]
    assert len(found.leaks) == 1 and "train and test share 1 speakers" in found.leaks[0]


def test_a_json_of_speakers_finds_them_in_another_spelling(tmp_path: Path) -> None:
    known = split().assign(speaker=["001", "001", "002", "003"]).drop(columns="part")
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"train": [1, "002"], "test": ["3.0"]}))
    (table,) = foreign_split.read([str(path)], manifest=known).values()
    assert table[["clip", "part"]].to_numpy().tolist() == [
        ["a", "train"], ["b", "train"], ["c", "train"], ["d", "test"]
    ]  # fmt: skip
