"""Whole dialogues as the dev part, and dialogues in intervals: what folds may share, what is refused."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd
import pytest

from tests.fixtures.talked import manifest as talked
from ugcl import config as configuration
from ugcl.config.protocols import Groups, Partitions, Protocol
from ugcl.data import tables
from ugcl.data.labels import units
from ugcl.data.splits import audits
from ugcl.data.splits.build import make_fold
from ugcl.data.splits.folds import whole_dialogues
from ugcl.errors import LeakError, UgclError
from ugcl.evaluation.tables import audit as of_parts
from ugcl.plan import paths

CLASSES = ["angry", "happy"]


def sessions(count: int = 4, dialogues: int = 5) -> pd.DataFrame:
    """Two speakers a session, who have each class in every dialogue."""
    rows = [
        (
            f"s{s}_d{d}_{name}_{who}",
            f"s{s}{who}",
            {"F": "female", "M": "male"}[who],
            str(s),
            f"s{s}_d{d}",
            name,
        )
        for s in range(1, count + 1)
        for d in range(dialogues)
        for name in CLASSES
        for who in "FM"
    ]
    columns = ["clip", "speaker", "sex", "session", "dialogue", "intended"]
    return pd.DataFrame(rows, columns=columns).assign(sentence="")


def protocol(share: float = 0.2, **keys: object) -> Protocol:
    return Protocol(classes=CLASSES, folds=Groups(scheme="groups", test=["4"], dev_dialogues=share), **keys)


def test_dev_is_every_fifth_dialogue_of_the_training_sessions() -> None:
    frame = sessions()
    fold = make_fold(frame, protocol(), Path(), 1).merge(frame, on="clip")
    members = fold.groupby("part")["dialogue"].agg(lambda names: sorted(set(names)))
    assert members["dev"] == ["s1_d0", "s2_d0", "s3_d0"]
    assert members["test"] == [f"s4_d{d}" for d in range(5)] and len(members["train"]) == 12
    speakers = fold.groupby("part")["speaker"].agg(set)
    assert speakers["dev"] == speakers["train"] and not speakers["test"] & speakers["train"]


def test_the_first_place_with_every_class_on_both_sides_is_taken() -> None:
    names = [f"d{n}" for n in range(6)]
    labels = ["a a", "a b", "b b", "a a", "a b", "a b"]
    rows = [(name, label) for name, both in zip(names, labels, strict=True) for label in both.split()]
    clips = pd.DataFrame(rows, columns=["dialogue", "label"]).assign(clip=range(12))
    # Two of six: places 0 and 3 have no b, places 1 and 4 have both.
    assert whole_dialogues(clips, 1 / 3) == ["d1", "d4"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="dialogue"), "dev_dialogues: a clip has no dialogue"),
        (lambda frame: frame.assign(dialogue=frame["dialogue"].replace("s1_d0", "")), "has no dialogue"),
        (lambda frame: frame.assign(dialogue="only"), "one dialogue cannot both train and be dev"),
    ],
)
def test_dialogues_that_are_not_known_are_refused(change, message: str) -> None:
    with pytest.raises(UgclError, match=message):
        make_fold(change(sessions()), protocol(), Path(), 1)


def test_dev_dialogues_exclude_other_dev_parts() -> None:
    with pytest.raises(ValueError, match="dev_dialogues excludes dev_speakers"):
        Groups(scheme="groups", test=["4"], dev_dialogues=0.1, dev_speakers=2)


def test_a_speaker_of_the_test_session_in_training_is_a_leak_all_the_same() -> None:
    frame = sessions()
    frame.loc[frame["speaker"] == "s1F", "speaker"] = "s4F"
    with pytest.raises(LeakError, match="train and test share 1 speakers"):
        make_fold(frame, protocol(), Path(), 1)


def test_the_audit_lets_dev_share_speakers_and_says_so_of_no_other_part(
    tmp_path, monkeypatch, project
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = configuration.read(project / "params.yaml")
    frame = sessions().assign(
        audio=sessions()["clip"] + ".wav",
        video=sessions()["clip"] + ".mp4",
        age="",
        level="",
        duration="",
        audio_sha256="",
        video_sha256="",
    )
    tree["corpora"]["demo"]["protocols"]["intended"] = protocol().model_dump()
    tree["benchmarks"]["demo"] |= {"systems": ["ugcl"], "planned": []}
    config = configuration.parse(tree | {"active": ["demo"]})
    tables.write(frame, paths.manifest("demo"))
    assert len(audits.check(config, "demo")) == 1
    tables.write(make_fold(frame, protocol(), Path(), 1), paths.split("demo", "intended", 1))
    tables.write(pd.DataFrame(columns=["clip", "speaker", "failure"]), paths.quarantine("demo"))
    found = of_parts.parts(config, "demo", tables.read_manifest(paths.manifest("demo")))
    assert (found["shared"] == "").all() and list(found["speakers"]) == [6, 6, 2]
    twice = frame.assign(audio_sha256="a" * 64)
    tables.write(twice, paths.manifest("demo"))
    with pytest.raises(LeakError, match="recordings"):
        audits.check(config, "demo")


CAST = Partitions(scheme="partitions", part="part", allow_leak=True)
SEVEN = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]


def test_intervals_over_speakers_that_recur_are_warned_of_in_one_line(caplog) -> None:
    frame = talked(SEVEN)
    with caplog.at_level(logging.WARNING):
        make_fold(frame, Protocol(label="emotion", classes=SEVEN, folds=CAST), Path(), 1)
    found = [text for text in caplog.messages if "intervals" in text]
    assert len(found) == 1 and "speakers recur" in found[0] and "\n" not in found[0]
    caplog.clear()
    by_dialogue = Protocol(label="emotion", classes=SEVEN, folds=CAST, intervals="dialogue")
    make_fold(frame, by_dialogue, Path(), 1)
    assert not [text for text in caplog.messages if "intervals" in text]


def test_intervals_by_dialogue_need_dialogues() -> None:
    frame = talked(SEVEN)
    by_dialogue = Protocol(label="emotion", classes=SEVEN, folds=CAST, intervals="dialogue")
    for absent in (frame.drop(columns="dialogue"), frame.assign(dialogue="")):
        with pytest.raises(UgclError, match="the manifest has no dialogue of any clip; fill"):
            make_fold(absent, by_dialogue, Path(), 1)


def test_a_clip_without_a_dialogue_is_a_unit_of_its_own() -> None:
    clips = pd.DataFrame({"clip": ["a", "b", "c"], "speaker": "s", "dialogue": ["d", "", "d"]})
    assert units(clips, "dialogue").tolist() == ["d", "b", "d"]
    assert units(clips, "speaker").tolist() == ["s", "s", "s"]
