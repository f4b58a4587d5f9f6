"""Clips in no part are counted by reason; a bad fold is refused before any feature is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import Result

from ugcl import config as configuration
from ugcl.config import Config
from ugcl.config.protocols import Protocol
from ugcl.data import tables
from ugcl.data.splits import audits
from ugcl.data.splits.build import make_fold
from ugcl.data.splits.left_out import described, left_out
from ugcl.errors import LeakError, UgclError
from ugcl.plan import paths

Run = Callable[..., Result]
CLASSES = ["angry", "happy"]


def manifest() -> pd.DataFrame:
    """Six speakers, two clips each of two classes, in two sentences; and three other clips."""
    rows = [
        (f"{s}_{label}_{text}", f"s{s}", label, text, str(s // 2))
        for s in range(6)
        for label in CLASSES
        for text in ("ball", "coat")
    ]
    rows += [
        ("x1", "s0", "bored", "ball", "0"),
        ("x2", "s1", "bored", "ball", "0"),
        ("x3", "s9", "", "ball", "4"),
    ]
    frame = pd.DataFrame(rows, columns=["clip", "speaker", "emotion", "sentence", "session"])
    names = frame["clip"].rename(None)
    frame = frame.assign(
        audio="a/" + names, video="v/" + names, sex="", age=pd.array([pd.NA] * len(frame), "Int64"), level=""
    )
    return frame.assign(duration=1.0, audio_sha256=[f"{i:064x}" for i in range(len(frame))], video_sha256="")


def reasons(folds: dict[str, Any], **options: Any) -> dict[str, tuple[int, int]]:
    frame = manifest()
    protocol = Protocol(label="emotion", classes=CLASSES, folds=folds, **options)
    found = left_out(frame, protocol, make_fold(frame, protocol, Path(), 1))
    return {reason: (clips, speakers) for reason, clips, speakers in found.itertuples(index=False, name=None)}


OTHERS = {"label 'bored' is not a class": (2, 2), "no label": (1, 1)}
BLOCKS = {"scheme": "speaker_blocks", "folds": 3}


def test_labels_outside_the_classes_and_excluded_clips() -> None:
    assert reasons(BLOCKS) == OTHERS
    excluded = reasons(BLOCKS, exclude=["0_angry_ball", "x1"])
    assert excluded == {
        "excluded by the protocol": (2, 1),
        "label 'bored' is not a class": (1, 1),
        "no label": (1, 1),
    }
    assert "bored" not in str(reasons(BLOCKS, merge={"bored": "angry"}))


def test_what_a_scheme_uses_in_no_part() -> None:
    # Each of two sentences is half of the clips: the test part lacks one, train and dev the other.
    found = reasons(BLOCKS, text_independent=2)
    assert found == {"sentence of another part (text_independent)": (12, 6), **OTHERS}
    groups = {"scheme": "groups", "column": "speaker", "within": "session", "test": ["s0"]}
    assert reasons(groups) == {"same session as the test part": (4, 1), **OTHERS}
    frame = manifest()
    frame = frame[~frame["clip"].isin(["5_angry_ball", "5_angry_coat"])]
    protocol = Protocol(
        label="emotion", classes=CLASSES, folds={"scheme": "stratified", "folds": 3, "fewest_clips": 3}
    )
    found = left_out(frame, protocol, make_fold(frame, protocol, Path(), 1))
    assert found.iloc[0].tolist() == ["label 'bored' is not a class", 2, 2]
    assert ["speaker with fewer than 3 clips", 2, 1] in found.to_numpy().tolist()


def test_quarantined_clips_count_where_nothing_else_left_them_out() -> None:
    frame = manifest()
    protocol = Protocol(label="emotion", classes=CLASSES, folds=BLOCKS)
    bad = pd.DataFrame(
        {"clip": ["0_angry_ball", "0_angry_ball", "x1"], "failure": ["no_face", "silent", "empty"]}
    )
    found = left_out(frame, protocol, make_fold(frame, protocol, Path(), 1), bad)
    assert described(found) == (
        "2 label 'bored' is not a class (of 2 speakers), 1 no label (of 1 speakers),"
        " 1 quarantined: no_face (of 1 speakers)"
    )
    assert described(found.iloc[:0]) == "none"
    empty = left_out(frame, protocol, make_fold(frame, protocol, Path(), 1), bad.iloc[:0])
    assert empty["clips"].tolist() == [2, 1], "the quarantine of most benchmarks is empty"


@pytest.fixture
def own(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A project whose corpus of one's own has a manifest; now the working folder."""
    monkeypatch.chdir(tmp_path)
    tree = configuration.read(project / "params.yaml")
    protocol = {"label": "emotion", "classes": CLASSES, "folds": BLOCKS}
    tree["corpora"]["mine"] = {"adapter": "folder", "root": "clips", "protocols": {"main": protocol}}
    tree["benchmarks"]["mine"] = tree["benchmarks"]["demo"] | {"corpus": "mine", "protocol": "main"}
    tree["active"] = ["mine"]
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    sources = tmp_path / tree.get("data", {}).get("sources", "workflow/resources/sources.csv")
    sources.parent.mkdir(parents=True)
    sources.write_text((project / "workflow/resources/sources.csv").read_text())
    tables.write(manifest(), paths.manifest("mine"))
    return configuration.load()


def test_the_log_of_a_split_the_audit_and_the_status_say_it(own: Config, ugcl: Run, caplog: Any) -> None:
    caplog.set_level("INFO")
    ugcl("data", "split", "mine", "main", "1")
    line = "fold 1: clips in train 8, dev 8, test 8; left out: 2 label 'bored' is not a class (of 2 speakers)"
    assert line in caplog.text
    assert "left out: 2 label 'bored' is not a class" in ugcl("data", "audit", "mine").output
    audited = json.loads(ugcl("data", "audit", "mine", "--json").output)
    assert audited[0]["left_out"][1] == {"reason": "no label", "clips": 1, "speakers": 1}
    bad = pd.DataFrame({"clip": ["0_angry_ball"], "failure": ["no_face"]})
    tables.write(bad, paths.quarantine("mine"))
    assert "1 quarantined: no_face" in ugcl("data", "audit", "mine").output
    status = ugcl("data", "status").output
    text = "mine, main: clips in no part: 2 label 'bored' is not a class, 1 no label, 1 quarantined: no_face"
    assert text in status


def test_the_check_passes_good_folds_and_says_what_it_checked(own: Config, ugcl: Run) -> None:
    output = ugcl("data", "check", "mine").output
    assert output.count("left out: 2 label 'bored' is not a class") == 3, "once in every fold"
    digest, name = paths.checked("mine").read_text().split()
    assert name == paths.manifest("mine").as_posix() and len(digest) == 64


def test_a_class_that_a_part_lacks_stops_the_work_on_faces_and_features(own: Config, ugcl: Run) -> None:
    frame = manifest()
    frame.loc[frame["speaker"].isin(["s2", "s3"]), "emotion"] = "happy"
    tables.write(frame, paths.manifest("mine"))
    words = "dev has no clip of class 'angry' (it has 8 clips of 4 speakers in all parts); use fewer folds"
    for command in (
        ("data", "check", "mine"),
        ("features", "faces", "mine", "1"),
        ("features", "encode", "mine", "logmel", "1"),
    ):
        assert words in ugcl(*command, code=1).error
    assert not paths.checked("mine").exists() and not paths.faces("mine", 1).exists()


def test_one_recording_under_two_speakers_is_refused_and_parts_of_one_are_not(own: Config) -> None:
    frame = manifest()
    audits.check(own, "mine")
    first, last = frame.index[frame["speaker"] == "s0"][0], frame.index[frame["speaker"] == "s5"][0]
    frame.loc[last, "audio_sha256"] = frame.loc[first, "audio_sha256"]
    tables.write(frame, paths.manifest("mine"))
    with pytest.raises(LeakError, match=r"train and test share 1 recordings \(0_angry_ball, 5_angry_ball\)"):
        audits.check(own, "mine")
    tables.write(frame.assign(start=0.0, end=1.0), paths.manifest("mine"))
    audits.check(own, "mine")


def test_a_leak_that_the_protocol_allows_is_no_reason_to_stop(own: Config, tmp_path: Path) -> None:
    frame = manifest()
    parts = ["train", "dev", "test"] * len(frame)
    rows = frame.loc[frame["emotion"].isin(CLASSES), "clip"]
    (tmp_path / "clips").mkdir()
    tables.write(pd.DataFrame({"clip": rows, "part": parts[: len(rows)]}), tmp_path / "clips/fold.csv")
    scheme = {"scheme": "files", "files": ["fold.csv"]}
    for allowed in (True, False):
        protocol = Protocol(label="emotion", classes=CLASSES, folds=scheme | {"allow_leak": allowed})
        corpus = own.corpora["mine"].model_copy(update={"protocols": {"main": protocol}})
        tree = own.model_copy(update={"corpora": own.corpora | {"mine": corpus}})
        if allowed:
            audits.check(tree, "mine")
        else:
            with pytest.raises(UgclError, match="share 6 speakers"):
                audits.check(tree, "mine")
