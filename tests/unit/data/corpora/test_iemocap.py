"""IEMOCAP's layout and oddities on made trees; the release's counts on a tree of its size without media."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from ugcl.data.corpora import emo_evaluation, iemocap
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip

FIRST = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[0.2000 - 0.6000]\tSes01F_impro01_F000\tneu\t[2.7500, 2.2500, 2.0000]
C-E2:\tNeutral;\t()
C-E3:\tNeutral;\t()
C-E4:\tNeutral; Anger;\t(bored; annoyed)
C-F1:\tNeutral state; Frustration;\t(a remark)
A-E3:\tval 3; act 2; dom  2;\t()
A-E4:\tval 2; act 3; dom  ;\t(a remark; with a comma, too)
A-F1:\tval 3; act 2; dom  1;\t()

[1.3000 - 1.8000]\tSes01F_impro01_F001\txxx\t[2.5000, 3.0000, 3.0000]
C-E2:\tSadness;\t()
C-E3:\tFrustration;\t()
C-E4:\t;\t(cannot tell)

[0.7000 - 1.2000]\tSes01F_impro01_M000\texc\t[4.0000, 4.5000]
C-E2:\tExcited;\t()
C-E3:\tHappiness; Excited;\t()
C-M1:\tHappiness;\t()
C-E9:\tBewildered;\t()
what is this
"""
WORDS = """Ses01F_impro01_F000 [000.2000-000.6000]: The kettle is on.
F: [LAUGHTER]
Ses01F_impro01_MXX0 [000.6000-000.7000]: Hm.
Ses01F_impro01_M000 [000.7000-001.2000]: Then pour me a cup.
"""


@pytest.fixture
def tree(tmp_path: Path, wav, film) -> Path:
    """Three utterances of a dialog with sound and video, one of a script without, and what systems leave."""
    root = tmp_path / "in"
    first, fifth = root / "Session1", root / "Session5"
    for session in (first, fifth):
        for name in ("EmoEvaluation/Categorical", "transcriptions", "avi/DivX"):
            (session / "dialog" / name).mkdir(parents=True)
    (first / "dialog/EmoEvaluation/Ses01F_impro01.txt").write_text(FIRST)
    (first / "dialog/EmoEvaluation/._Ses01F_impro01.txt").write_bytes(b"\0\5\x16\7")
    (first / "dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt").write_text("Ses01F :Neutral;")
    (first / "dialog/transcriptions/Ses01F_impro01.txt").write_text(WORDS)
    for name in ("F000", "F001", "M000"):
        wav(first / f"sentences/wav/Ses01F_impro01/Ses01F_impro01_{name}.wav", 0.5)
    film(first / "dialog/avi/DivX/Ses01F_impro01.avi", 2.0)
    (fifth / "dialog/EmoEvaluation/Ses05M_script01_1b.txt").write_text(
        "[5.0000 - 6.5000]\tSes05M_script01_1b_F000\tang\t[1.5000, 4.0000, 4.5000]\r\nC-E1:\tAnger;\t()\r\n"
    )
    return root


def made(build, tree: Path, **options) -> pd.DataFrame:
    return build("iemocap", tree, "categorical", ["neutral", "angry"], **options)


def test_utterances_have_their_part_of_the_dialog(build, tree: Path) -> None:
    frame = made(build, tree)
    row = frame.loc["Ses01F_impro01_M000"]
    assert row["audio"] == "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav"
    assert row["video"] == "Session1/dialog/avi/DivX/Ses01F_impro01.avi"
    assert (row["start"], row["end"], row["duration"]) == (0.7, 1.2, pytest.approx(0.5))
    facts = ["speaker", "sex", "session", "dialogue", "turn", "scenario", "style", "markers"]
    assert row[facts].tolist() == ["Ses01M", "male", "1", "Ses01F_impro01", 2, "impro01", "improvised", "no"]
    assert frame.loc["Ses01F_impro01_F001", "turn"] == 3
    assert frame["video_sha256"].nunique() == 2  # the dialog's, and none
    script = frame.loc["Ses05M_script01_1b_F000"]
    assert (script["audio"], script["video"], script["duration"]) == ("", "", 1.5)
    assert script[facts].tolist() == [
        "Ses05F", "female", "5", "Ses05M_script01_1b", 1, "script01_1b", "scripted", "no",
    ]  # fmt: skip


def test_labels_ratings_and_words(build, tree: Path) -> None:
    frame = made(build, tree)
    assert frame["categorical"].to_dict() == {
        "Ses01F_impro01_F000": "neutral",
        "Ses01F_impro01_F001": "",
        "Ses01F_impro01_M000": "excited",
        "Ses05M_script01_1b_F000": "angry",
    }
    first, second = frame.loc["Ses01F_impro01_F000"], frame.loc["Ses01F_impro01_M000"]
    assert (first["votes_categorical_neutral"], first["votes_categorical_angry"]) == (3, 1)
    assert (first["votes_self_neutral"], first["votes_self_frustrated"]) == (1, 1)
    assert (second["votes_categorical_excited"], second["votes_categorical_happy"]) == (2, 1)
    assert (first["valence"], second["arousal"]) == (2.75, 4.5)
    assert pd.isna(second["dominance"])
    assert first["ratings"].split("; ")[2:6] == [
        "C-E4 neutral+angry", "C-F1 neutral+frustrated", "A-E3 val 3 act 2 dom 2", "A-E4 val 2 act 3",
    ]  # fmt: skip
    assert list(frame["transcript"]) == ["The kettle is on.", "", "Then pour me a cup.", ""]


def test_odd_lines_are_told_and_left_out(build, tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    made(build, tree)
    assert "2 lines are not ratings and are left out, first line 21: 'C-E9" in caplog.text


@pytest.mark.parametrize(
    ("side", "expected"),
    [  # F000 of Ses01F, M000 of Ses01F, F000 of Ses05M
        ("markers_left", ["left", "right", "right"]),
        ("female_left", ["left", "right", "left"]),
        ("whole", ["", "", ""]),
    ],
)
def test_the_speakers_half(build, tree: Path, side: str, expected: list[str]) -> None:
    frame = made(build, tree, speaker_side=side)
    clips = ["Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses05M_script01_1b_F000"]
    assert frame.loc[clips, "region"].tolist() == expected


def test_the_features_stage_sees_one_utterance_and_one_actor(build, tree: Path) -> None:
    frame = made(build, tree).reset_index()
    clip = Clip.from_row(frame.set_index("clip", drop=False).loc["Ses01F_impro01_M000"], tree)
    pictures = list(clip.frames())
    assert len(pictures) == 13  # 0.68 s to 1.2 s at 25 Hz
    assert (
        pictures[0].rgb().shape == (48, 32, 3) and pictures[0].rgb().mean() > 180
    )  # the right half is bright
    assert len(clip.sound()) == 8000


def test_the_release_may_lie_in_its_own_folder(build, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outer").mkdir()
    tree.rename(tmp_path / "outer/IEMOCAP_full_release")
    frame = made(build, tmp_path / "outer")
    assert frame.loc["Ses01F_impro01_F000", "audio"].startswith(
        "IEMOCAP_full_release/Session1/sentences/wav/"
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("\tneu\t", "\tcalm\t", "line 3: unknown emotion 'calm'"),
        ("- 0.6000]", "0.6000]", "line 3: .* is not an utterance of IEMOCAP"),
        (
            "Ses01F_impro01_F000",
            "Ses01F_impro02_F000",
            "'Ses01F_impro02_F000' is not an utterance of this dialog",
        ),
        ("[0.7000 - 1.2000]", "[1.7000 - 1.2000]", "Ses01F_impro01_M000 ends before it starts"),
        ("Ses01F_impro01_F001", "Ses01F_impro01_F000", "clip"),
    ],
)
def test_broken_files_are_one_line(build, tree: Path, old: str, new: str, words: str) -> None:
    path = tree / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UgclError, match=words) as caught:
        made(build, tree)
    assert "\n" not in str(caught.value)


def test_an_absent_release_is_explained(build, tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"no Session1/dialog/EmoEvaluation.*where to apply"):
        made(build, tmp_path)


@pytest.fixture(scope="module")
def full_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rating files of 10,039 utterances, with as many of each label and session as in the release."""
    codes = {word: code for code, word in emo_evaluation.CODES.items()}
    four = [label for label in iemocap.FOUR for _ in range(iemocap.BY_LABEL[label])]
    rest = [label for label, n in iemocap.BY_LABEL.items() if label not in iemocap.FOUR for _ in range(n)]
    root = tmp_path_factory.mktemp("iemocap")
    for session, count in iemocap.BY_SESSION.items():
        labels, four = four[:count], four[count:]
        share = len(rest) if session == "5" else len(rest) // 5
        labels, rest = labels + rest[:share], rest[share:]
        folder = root / f"Session{session}/dialog/EmoEvaluation"
        folder.mkdir(parents=True)
        for dialog in range(30):
            name = f"Ses0{session}{'FM'[dialog % 2]}_impro{dialog:02d}"
            lines = [
                f"[{i}.0 - {i}.5]\t{name}_{'FM'[i % 2]}{i:03d}\t{codes[label]}\t[2.0, 2.0, 2.0]\nC-E1: Other"
                for i, label in enumerate(labels[dialog::30])
            ]
            (folder / f"{name}.txt").write_text("\n".join(lines))
    return root


def test_the_counts_of_the_release(build, full_size: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame = made(build, full_size)
    counts = Counter(frame["categorical"])
    assert len(frame) == 10039 and not caplog.records
    assert sum(counts[name] for name in ("angry", "happy", "excited", "sad", "neutral")) == 5531
    assert (counts["angry"], counts["happy"] + counts["excited"]) == (1103, 1636)
    assert (counts["sad"], counts["neutral"]) == (1084, 1708)
    assert sum(counts[name] for name in ("angry", "happy", "sad", "neutral")) == 4490
    four = frame[frame["categorical"].isin(["angry", "happy", "excited", "sad", "neutral"])]
    assert list(four["session"].value_counts().sort_index()) == [1085, 1023, 1151, 1031, 1241]


def test_a_changed_release_is_refused(build, full_size: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = full_size / "Session2/dialog/EmoEvaluation/Ses02F_impro00.txt"
    whole = path.read_text()
    try:
        code = whole.split("\t")[2]
        path.write_text(whole.replace(f"\t{code}\t", "\tfea\t", 1))
        with pytest.raises(
            UgclError, match=r"iemocap: \d+ clips with categorical .*, but \d+ in the release"
        ):
            made(build, full_size)
        path.unlink()
        made(build, full_size)
        assert "the release has 10039" in caplog.text
    finally:
        path.write_text(whole)
