"""Every scheme cuts folds that cannot leak, with the sizes, sexes, sessions and sentences it describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ugcl.config.protocols import Groups, Protocol, SpeakerBlocks
from ugcl.data.splits import build as splits
from ugcl.errors import LeakError, UgclError

CLASSES = ["angry", "happy"]
SENTENCES = ["ball", "coat", "door", "egg"]
SESSIONS = ["1", "2", "3", "4", "5"]


def manifest(speakers: int) -> pd.DataFrame:
    """Speakers of alternating sex, two a session, who say every sentence in every class."""
    rows = [
        (f"{s:02d}_{sentence}_{name}", f"{s:02d}", ("male", "female")[s % 2], sentence, str(s // 2 + 1), name)
        for s in range(speakers)
        for sentence in SENTENCES
        for name in CLASSES
    ]
    columns = ["clip", "speaker", "sex", "sentence", "session", "intended"]
    return pd.DataFrame(rows, columns=columns)


def members(frame: pd.DataFrame, fold: pd.DataFrame, column: str = "speaker") -> dict[str, set[str]]:
    joined = fold.merge(frame, on="clip", validate="one_to_one")
    return {part: set(rows[column]) for part, rows in joined.groupby("part")}


def make(frame: pd.DataFrame, folds: Any, number: int = 1, **options: Any) -> pd.DataFrame:
    return splits.make_fold(frame, Protocol(classes=CLASSES, folds=folds, **options), Path(), number)


@given(sizes=st.lists(st.integers(1, 5), min_size=3, max_size=6), data=st.data())
@settings(deadline=None, max_examples=40)
def test_explicit_blocks_have_their_sizes_and_dev_is_balanced(sizes: list[int], data: st.DataObject) -> None:
    frame = manifest(sum(sizes))
    sexes = frame.drop_duplicates("speaker").set_index("speaker")["sex"]
    number = data.draw(st.integers(1, len(sizes)))
    dev = data.draw(st.integers(1, 4))
    scheme = SpeakerBlocks(folds=sizes, dev_speakers=dev)
    names = sorted(sexes.index)
    test = set(names[sum(sizes[: number - 1]) : sum(sizes[:number])])
    left = sexes.drop(list(test)).value_counts()
    wanted = {"female": (dev + 1) // 2, "male": dev // 2}
    if len(left) < 2 or any(left[sex] < count + (count > 0) for sex, count in wanted.items()):
        if min(left.get("female", 0), left.get("male", 0)) < 1:
            return
        with pytest.raises(UgclError, match="dev_speakers"):
            make(frame, scheme, number)
        return
    found = members(frame, make(frame, scheme, number))
    assert found["test"] == test
    assert sexes[sorted(found["dev"])].value_counts().to_dict() == {s: n for s, n in wanted.items() if n}
    assert found["train"] == set(names) - found["test"] - found["dev"]


def test_dev_speakers_follow_the_test_block() -> None:
    found = members(manifest(10), make(manifest(10), SpeakerBlocks(folds=[2, 2, 6], dev_speakers=4), 2))
    assert found["test"] == {"02", "03"}
    assert found["dev"] == {"04", "05", "06", "07"}
    found = members(manifest(10), make(manifest(10), SpeakerBlocks(folds=[2, 2, 6], dev_speakers=2), 3))
    assert found["dev"] == {"00", "01"}


def test_without_any_sex_the_order_alone_decides_and_some_sexes_are_not_enough() -> None:
    frame = manifest(8).assign(sex="")
    found = members(frame, make(frame, SpeakerBlocks(folds=[2, 6], dev_speakers=3)))
    assert found["dev"] == {"02", "03", "04"}
    frame.loc[frame["speaker"] == "05", "sex"] = "female"
    with pytest.raises(UgclError, match=r"speaker '00' has no sex"):
        make(frame, SpeakerBlocks(folds=[2, 6], dev_speakers=3))


def test_blocks_that_do_not_fit_the_corpus_are_refused() -> None:
    with pytest.raises(UgclError, match="blocks of 9 speakers in all, the corpus has 8"):
        make(manifest(8), SpeakerBlocks(folds=[3, 3, 3]))


def test_a_session_is_tested_and_the_next_one_is_dev() -> None:
    frame = manifest(10)
    for number, session in enumerate(SESSIONS, start=1):
        fold = make(frame, Groups(scheme="groups", test=SESSIONS), number)
        found = members(frame, fold, "session")
        assert found["test"] == {session}
        assert found["dev"] == {str(number % 5 + 1)}
        assert found["train"] == set(SESSIONS) - found["test"] - found["dev"]


def test_the_partner_of_a_test_speaker_never_trains() -> None:
    frame = manifest(10)
    scheme = Groups(scheme="groups", column="speaker", within="session", test=["04", "09"])
    found = members(frame, make(frame, scheme))
    assert found == {
        "test": {"04"},
        "dev": {"06", "07"},
        "train": {"00", "01", "02", "03", "08", "09"},
    }
    found = members(frame, make(frame, scheme, 2))
    assert (found["test"], found["dev"]) == ({"09"}, {"00", "01"})
    found = members(frame, make(frame, scheme.model_copy(update={"rest": "dev"})))
    assert (found["test"], found["dev"], len(found["train"])) == ({"04"}, {"05"}, 8)


def test_a_speaker_pair_can_be_dev_beside_tested_sessions() -> None:
    found = members(manifest(10), make(manifest(10), Groups(scheme="groups", test=["5"], dev_speakers=2)))
    assert (found["test"], found["dev"]) == ({"08", "09"}, {"00", "01"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test": ["6"]}, "no clip has the session '6'; the manifest has 1, 2, 3, 4, 5"),
        ({"test": ["1"], "column": "room"}, "has no 'room' in the manifest"),
    ],
)
def test_a_group_that_is_not_there_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UgclError, match=words):
        make(manifest(10), Groups(scheme="groups", **options))


def test_speakers_of_two_sessions_leak() -> None:
    frame = manifest(10)
    frame.loc[0, "session"] = "3"
    with pytest.raises(LeakError, match=r"train and test share 1 speakers \(00\)"):
        make(frame, Groups(scheme="groups", test=SESSIONS))


@given(speakers=st.integers(6, 20), blocks=st.integers(2, 4), number=st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_text_independent_folds_test_sentences_that_nobody_trained_on(
    speakers: int, blocks: int, number: int
) -> None:
    frame = manifest(speakers)
    fold = make(frame, SpeakerBlocks(folds=5), number, text_independent=blocks)
    sentences, names = members(frame, fold, "sentence"), members(frame, fold)
    assert not sentences["test"] & (sentences["train"] | sentences["dev"])
    assert sentences["train"] == sentences["dev"] == set(SENTENCES) - sentences["test"]
    assert not names["test"] & names["train"] and not names["test"] & names["dev"]
    expected = sum(frame["speaker"].isin(names["test"]) & frame["sentence"].isin(sentences["test"]))
    assert (fold["part"] == "test").sum() == expected


def test_text_independence_needs_sentences() -> None:
    with pytest.raises(UgclError, match="5 blocks need as many sentences, the corpus has 4"):
        make(manifest(6), SpeakerBlocks(folds=3), text_independent=5)
    frame = manifest(6)
    frame.loc[3, "sentence"] = ""
    with pytest.raises(UgclError, match="a clip has no sentence"):
        make(frame, SpeakerBlocks(folds=3), text_independent=2)


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"folds": {"scheme": "speaker_blocks", "folds": 2}}, "none trains"),
        ({"folds": {"scheme": "speaker_blocks", "folds": [3]}}, "at least 2"),
        ({"folds": {"scheme": "groups", "test": ["1", "1"]}}, "tested twice"),
        ({"folds": {"scheme": "groups", "test": ["1"], "rest": "dev"}}, "needs `within`"),
        ({"folds": {"scheme": "partitions", "files": ["a", "b"], "fold": "k"}}, "give one file"),
        ({"folds": {"scheme": "partitions", "files": ["a"], "folds": 5}}, "needs `fold`"),
        ({"folds": {"scheme": "files", "files": ["a"]}, "text_independent": 2}, "published as it is"),
        ({"folds": {"scheme": "partitions", "files": ["a"]}, "text_independent": 2}, "published as it is"),
        ({"merge": {"excited": "joy"}}, "which is not a class"),
        ({"merge": {"angry": "happy"}}, "is a class itself"),
        ({"classes": ["happy", "happy"]}, "comes twice"),
        ({"soft": "multimodal"}, "pattern"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_parameters(tree: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Protocol.model_validate({"classes": CLASSES, **tree})
