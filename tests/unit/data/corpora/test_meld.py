"""MELD's tables and clips on made trees; the official counts on tables of their size."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ugcl.config import load
from ugcl.data.corpora import meld, release
from ugcl.data.dataset import by_dialogue
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

HEADER = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
)
TABLES = {
    "train": HEADER
    + '1,"It\x92s late, and that\x92s it\x85",Ann,neutral,neutral,125,2,8,21,"00:16:16,059","00:16:21,731"\n'
    + '2,Weâ€™re at the cafÃ©!,Ann ,joy,positive,125,3,8,21,"00:16:21,940","00:16:23,442"\n',
    "dev": HEADER + '1,"Oh, no.",Ben,sadness,negative,110,7,4,7,"0:20:57,256","0:21:00,049"\n',
    "test": HEADER
    + '1,"He’s  ""fine"".",Dr. Cole,surprise,negative,38,4,3,19,"00:14:38,127","00:14:40,378"\n',
}


@pytest.fixture
def tree(tmp_path: Path, film) -> Path:
    """Two good clips; one that cannot be opened and one that is absent, as in the release."""
    root = tmp_path / "in"
    film(root / "train_splits/dia125_utt2.mp4", 0.5)
    (root / "train_splits/dia125_utt3.mp4").write_bytes(bytes(range(256)) * 30)
    film(root / "output_repeated_splits_test/dia38_utt4.mp4", 0.4)
    film(root / "output_repeated_splits_test/final_videos_testdia38_utt4.mp4", 0.2)
    film(root / "output_repeated_splits_test/dia99_utt0.mp4", 0.2)
    for part, text in TABLES.items():
        (root / f"{part}_sent_emo.csv").write_text(text, "utf-8")
    return root


def made(build, tree: Path) -> pd.DataFrame:
    return build("meld", tree, "emotion", ["happy", "sad"], media=True)


def test_rows_of_the_three_parts(build, tree: Path) -> None:
    frame = made(build, tree)
    assert list(frame.index) == [
        "dev_dia110_utt7",
        "test_dia38_utt4",
        "train_dia125_utt2",
        "train_dia125_utt3",
    ]
    facts = ["part", "dialogue", "turn", "speaker", "emotion", "sentiment", "season", "episode"]
    assert frame[facts].to_numpy().tolist() == [
        ["dev", "dev_dia110", 7, "Ben", "sad", "negative", "4", "7"],
        ["test", "test_dia38", 4, "Dr. Cole", "surprise", "negative", "3", "19"],
        ["train", "train_dia125", 2, "Ann", "neutral", "neutral", "8", "21"],
        ["train", "train_dia125", 3, "Ann", "happy", "positive", "8", "21"],
    ]


def test_a_dialogue_number_that_comes_again_in_another_part_is_another_dialogue(build, tree: Path) -> None:
    for part in ("dev", "test"):
        path = tree / f"{part}_sent_emo.csv"
        path.write_text(
            path.read_text("utf-8").replace(",110,7,", ",125,1,").replace(",38,4,", ",125,1,"), "utf-8"
        )
    frame = made(build, tree)
    assert frame.groupby("dialogue").groups.keys() == {"dev_dia125", "test_dia125", "train_dia125"}
    assert frame.loc[frame["dialogue"] == "train_dia125", "turn"].tolist() == [2, 3]


def test_encoding_faults_are_repaired_and_the_rest_is_kept(build, tree: Path) -> None:
    assert list(made(build, tree)["transcript"]) == [
        "Oh, no.",
        "He’s \"fine\".",
        "It’s late, and that’s it…",
        "We’re at the café!",
    ]  # fmt: skip


def test_a_table_in_windows_own_encoding_is_read(build, tree: Path) -> None:
    path = tree / "dev_sent_emo.csv"
    path.write_bytes(path.read_bytes().replace(b"Oh, no.", b"It\x92s no."))
    assert made(build, tree).loc["dev_dia110_utt7", "transcript"] == "It’s no."


def test_broken_and_missing_clips_are_found_in_the_files(build, tree: Path) -> None:
    frame = made(build, tree)
    assert frame["duration"].notna().to_dict() == {
        "dev_dia110_utt7": False,
        "test_dia38_utt4": True,
        "train_dia125_utt2": True,
        "train_dia125_utt3": False,
    }
    assert frame.loc["dev_dia110_utt7", "video"] == ""
    failures = {}
    for name, row in frame.reset_index().set_index("clip", drop=False).iterrows():
        for kind in ("sound", "frames"):
            try:
                failures[name, kind] = len(list(getattr(Clip.from_row(row, tree), kind)())) > 0
            except MediaError as error:
                failures[name, kind] = error.failure
    assert failures == {
        ("dev_dia110_utt7", "sound"): "no_audio",
        ("dev_dia110_utt7", "frames"): "no_video",
        ("test_dia38_utt4", "sound"): True,
        ("test_dia38_utt4", "frames"): True,
        ("train_dia125_utt2", "sound"): True,
        ("train_dia125_utt2", "frames"): True,
        ("train_dia125_utt3", "sound"): "unreadable",
        ("train_dia125_utt3", "frames"): "unreadable",
    }


def test_the_archive_as_it_is_unpacked(build, tree: Path, tmp_path: Path) -> None:
    raw = tmp_path / "other/MELD.Raw"
    (raw / "train").mkdir(parents=True)
    (tree / "train_splits").rename(raw / "train/train_splits")
    (tree / "train_sent_emo.csv").rename(raw / "train/train_sent_emo.csv")
    for name in ("dev_sent_emo.csv", "test_sent_emo.csv", "output_repeated_splits_test"):
        (tree / name).rename(raw / name)
    frame = made(build, tmp_path / "other")
    assert frame.loc["train_dia125_utt2", "video"] == "MELD.Raw/train/train_splits/dia125_utt2.mp4"
    assert frame.loc["test_dia38_utt4", "video"] == "MELD.Raw/output_repeated_splits_test/dia38_utt4.mp4"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Sentiment", "Mood", "no column 'Sentiment'"),
        ("sadness", "sorrow", "line 2: unknown emotion 'sorrow'"),
        ("negative", "bad", "line 2: unknown sentiment 'bad'"),
        ("", None, r"no dev_sent_emo\.csv"),
    ],
)
def test_faults_are_one_line(build, tree: Path, old: str, new: str | None, words: str) -> None:
    path = tree / "dev_sent_emo.csv"
    if new is None:
        path.unlink()
    else:
        path.write_text(TABLES["dev"].replace(old, new), "utf-8")
    with pytest.raises(UgclError, match=words) as caught:
        made(build, tree)
    assert "\n" not in str(caught.value)


def test_the_official_counts(build, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for part, counts in meld.COUNTS.items():
        emotions = [word for word, n in zip(meld.EMOTIONS, counts, strict=True) for _ in range(n)]
        rows = [f"{i},Hm.,Ann,{word},neutral,{i // 9},{i % 9},1,1,0,0" for i, word in enumerate(emotions)]
        (tmp_path / f"{part}_sent_emo.csv").write_text(HEADER + "\n".join(rows))
    frame = made(build, tmp_path)
    assert not caplog.records
    assert frame["part"].value_counts().to_dict() == {"train": 9989, "test": 2610, "dev": 1109}
    assert frame["emotion"].nunique() == 7
    path = tmp_path / "test_sent_emo.csv"
    path.write_text(path.read_text().replace("joy", "fear", 1))
    with pytest.raises(
        UgclError, match=r"51 clips with part test, emotion fear, but 50 in the release|401 clips"
    ):
        made(build, tmp_path)


def test_without_media_no_clip_is_opened_and_none_is_missed(
    build, tree: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A benchmark of text needs the tables alone: no warning per clip, though a file here is broken."""
    frame = build("meld", tree, "emotion", ["happy", "sad"], media=False)
    assert (frame[["audio", "video"]] == "").all(axis=None) and frame["duration"].isna().all()
    assert (frame["transcript"] != "").all()
    assert [record.getMessage() for record in caplog.records] == ["meld: 4 clips, the release has 13708"]


def test_the_release_itself(project: Path, mirror: Path) -> None:
    """Official counts: 1,038, 114 and 280 dialogues; number 60 of train is absent, 69 have gaps in turns."""
    corpus = load(project / "params.yaml").corpora["meld"]
    frame = meld.rows(mirror / "meld", corpus)
    release.check(frame, meld.RELEASE, "meld")
    assert frame["part"].value_counts().to_dict() == {"train": 9989, "test": 2610, "dev": 1109}
    dialogues = frame.groupby("part")["dialogue"].nunique()
    assert dialogues.to_dict() == {"train": 1038, "dev": 114, "test": 280}
    assert "train_dia60" not in set(frame["dialogue"])
    turns = frame.groupby("dialogue")["turn"].agg(["min", "max", "size"])
    assert (turns["max"] - turns["min"] + 1 > turns["size"]).sum() == 69
    ordered, groups = by_dialogue(frame)
    assert len(ordered) == 13708 and groups.max() + 1 == 1432
