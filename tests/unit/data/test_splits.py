"""No fold leaks: speakers are disjoint, every clip is used once a fold, and leaky partitions are refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.folds import make_folds
from ugcl.config.protocols import Protocol, SpeakerBlocks, SplitFiles
from ugcl.data import tables
from ugcl.data.splits.build import make_fold
from ugcl.data.splits.speakers import variants
from ugcl.errors import LeakError, UgclError

CLASSES = ["angry", "happy"]


def manifest(speakers: int, clips: int = 4) -> pd.DataFrame:
    rows = [
        (f"{s:02d}_{i}", f"{s:02d}", CLASSES[i % 2]) for s in range(1, speakers + 1) for i in range(clips)
    ]
    return pd.DataFrame(rows, columns=["clip", "speaker", "intended"])


def protocol(folds: int) -> Protocol:
    return Protocol(label="intended", classes=CLASSES, folds=SpeakerBlocks(folds=folds))


@given(speakers=st.integers(3, 30), folds=st.integers(3, 10))
@settings(deadline=None, max_examples=40)
def test_speaker_blocks_never_leak_and_test_every_clip_once(speakers: int, folds: int) -> None:
    frame = manifest(speakers)
    if speakers < folds:
        with pytest.raises(UgclError, match=f"corpus has {speakers}"):
            make_folds(frame, protocol(folds), Path())
        return
    speaker = frame.set_index("clip")["speaker"]
    tested: list[str] = []
    for fold in make_folds(frame, protocol(folds), Path()):
        assert sorted(fold["clip"]) == sorted(frame["clip"])
        members = {part: set(speaker.loc[rows["clip"]]) for part, rows in fold.groupby("part")}
        assert set(members) == {"train", "dev", "test"}
        assert not members["train"] & members["test"]
        assert not members["train"] & members["dev"]
        assert not members["dev"] & members["test"]
        tested += list(fold.loc[fold["part"] == "test", "clip"])
    assert sorted(tested) == sorted(frame["clip"])


def test_blocks_are_consecutive_and_dev_is_the_next_block() -> None:
    first, *_, last = make_folds(manifest(12), protocol(6), Path())
    speakers = lambda fold, part: sorted(set(fold.loc[fold["part"] == part, "clip"].str[:2]))  # noqa: E731
    assert speakers(first, "test") == ["01", "02"]
    assert speakers(first, "dev") == ["03", "04"]
    assert speakers(last, "test") == ["11", "12"]
    assert speakers(last, "dev") == ["01", "02"]


def test_clips_without_a_class_of_the_protocol_are_left_out() -> None:
    frame = manifest(6)
    frame.loc[0, "intended"] = ""
    frame.loc[1, "intended"] = "bored"
    folds = make_folds(frame, protocol(3), Path())
    assert all(len(fold) == len(frame) - 2 for fold in folds)


def test_a_part_without_a_class_is_refused() -> None:
    frame = manifest(6)
    frame.loc[frame["speaker"].isin(["01", "02"]), "intended"] = "happy"
    with pytest.raises(UgclError, match=r"fold 1: test has no clip of class 'angry'"):
        make_folds(frame, protocol(3), Path())


def write_split(path: Path, frame: pd.DataFrame, parts: dict[str, str]) -> None:
    tables.write(pd.DataFrame({"clip": frame["clip"], "part": frame["speaker"].map(parts)}), path)


def test_split_files_are_used_as_given_and_checked(tmp_path: Path) -> None:
    frame = manifest(3)
    write_split(tmp_path / "a.csv", frame, {"01": "train", "02": "dev", "03": "test"})
    scheme = Protocol(classes=CLASSES, folds=SplitFiles(scheme="files", files=["a.csv"]))
    (fold,) = make_folds(frame, scheme, tmp_path)
    assert fold["part"].value_counts().to_dict() == {"train": 4, "dev": 4, "test": 4}


def leaky_file(tmp_path: Path) -> pd.DataFrame:
    frame = manifest(3)
    part = frame["speaker"].map({"01": "train", "02": "dev", "03": "test"}).to_list()
    part[0] = part[1] = "test"
    tables.write(pd.DataFrame({"clip": frame["clip"], "part": part}), tmp_path / "leaky.csv")
    return frame


def test_a_leaky_split_file_is_refused_with_the_speakers_named(tmp_path: Path) -> None:
    frame = leaky_file(tmp_path)
    scheme = Protocol(classes=CLASSES, folds=SplitFiles(scheme="files", files=["leaky.csv"]))
    with pytest.raises(LeakError, match=r"train and test share 1 speakers \(01\)"):
        make_folds(frame, scheme, tmp_path)


def test_a_leaky_split_can_be_kept_only_when_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame = leaky_file(tmp_path)
    folds = SplitFiles(scheme="files", files=["leaky.csv"], allow_leak=True)
    assert len(make_folds(frame, Protocol(classes=CLASSES, folds=folds), tmp_path)) == 1
    assert "LEAKY" in caplog.text


def test_a_person_in_two_spellings_is_one_person(tmp_path: Path) -> None:
    frame = manifest(6).replace({"speaker": {"02": "2 "}})
    frame = pd.concat([frame, manifest(2).tail(4).assign(clip=["w", "x", "y", "z"], speaker="0002")])
    (tmp_path / "fold.csv").write_text(
        "clip,part\n" + "".join(f"{c},{'test' if c in 'wxyz' else 'train'}\n" for c in frame["clip"])
    )
    leaky = Protocol(label="intended", classes=CLASSES, folds=SplitFiles(scheme="files", files=["fold.csv"]))
    with pytest.raises(LeakError, match=r"train and test share 1 speakers \('0002' = '2 '\)"):
        make_fold(frame, leaky, tmp_path, 1)
    assert variants(["spk-001", "spk_1", "Spk 01", "spk1", "1-11", "11-1"]) == [
        ["Spk 01", "spk-001", "spk_1"]
    ]
