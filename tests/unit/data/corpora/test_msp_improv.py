"""MSP-IMPROV's names, ratings and media on made trees; the paper's counts on a rating file of its size."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ugcl.data.corpora import msp_improv
from ugcl.errors import UgclError

RATINGS = """UTD-IMPROV-S01A-F01-T-FM01.avi; A; A:2.250000; V:1.750000; D:3.500000; N:4.000000;
0520_WS0001-p; Angry; Angry,Frustrated; A:2.000000; V:1.000000; D:4.000000; N:4.000000;
0520_WS0002-p; Neutral; ; A:3.000000; V:3.000000; D:3.000000; N:NaN;
0520_WS0002-p; Angry; Angry; A:3.000000; V:3.000000; D:3.000000; N:3.000000;
0520_WS0003-p; Other; Other (tired; bored); A:2.000000; V:2.000000; D:3.000000; N:4.000000;

UTD-IMPROV-S08H-M06-P-MF12.avi; X; A:2.500000; V:3.000000; D:NaN; N:3.000000;
0520_WS0001-p; Happy; Happy; A:2.000000; V:3.000000; D:NaN; N:3.000000;

UTD-IMPROV-S20S-M06-R-MM01.avi; S; A:4.000000; V:2.000000; D:2.000000; N:2.000000;
"""
TARGET, NATURAL, READ = (
    "MSP-IMPROV-S01A-F01-T-FM01", "MSP-IMPROV-S08H-M06-P-MF12", "MSP-IMPROV-S20S-M06-R-MM01",
)  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path, wav, film) -> Path:
    """Three turns: one with all media and words, one with sound alone, one with nothing."""
    root = tmp_path / "in"
    wav(root / f"Audio/session1/S01A/T/{TARGET}.wav", 0.4)
    wav(root / f"Audio/session6/S08H/P/{NATURAL}.wav", 0.3)
    film(root / "Video/session1/S01A/T/UTD-IMPROV-S01A-F01-T-FM01.avi", 0.4)
    (root / f"Audio/session1/S01A/T/._{TARGET}.wav").write_bytes(b"\0\5")
    (root / "All_human_transcriptions").mkdir()
    (root / f"All_human_transcriptions/{TARGET}.txt").write_text("The tea \n is cold. ")
    (root / "Evalution.txt").write_text(RATINGS)
    return root


def made(build, tree: Path) -> pd.DataFrame:
    return build("msp_improv", tree, "categorical", ["angry", "sad"])


def test_names_and_media(build, tree: Path) -> None:
    frame = made(build, tree)
    assert list(frame.index) == [TARGET, NATURAL, READ]
    facts = ["speaker", "sex", "session", "scenario", "style", "sentence", "intended"]
    assert frame[facts].to_numpy().tolist() == [
        ["F01", "female", "1", "S01A", "target_improvised", "S01", "angry"],
        ["M06", "male", "6", "S08H", "natural", "", ""],
        ["M06", "male", "6", "S20S", "target_read", "S20", "sad"],
    ]
    assert list(frame["audio"] != "") == [True, True, False]
    assert frame.loc[TARGET, "audio"] == f"Audio/session1/S01A/T/{TARGET}.wav"
    assert frame.loc[TARGET, "video"] == "Video/session1/S01A/T/UTD-IMPROV-S01A-F01-T-FM01.avi"
    assert list(frame["transcript"]) == ["The tea is cold.", "", ""]
    assert frame["duration"].round(2).fillna(0).tolist() == [0.4, 0.3, 0]


def test_ratings(build, tree: Path) -> None:
    frame = made(build, tree)
    assert list(frame["categorical"]) == ["angry", "", "sad"]
    votes = [f"votes_categorical_{name}" for name in msp_improv.CLASSES]
    assert frame.loc[TARGET, votes].tolist() == [1, 0, 1, 0, 1]  # the second answer of WS0002 is not a vote
    assert frame.loc[[NATURAL, READ], votes].sum(axis=1).tolist() == [1, 0]
    assert frame.loc[TARGET, ["arousal", "valence", "dominance"]].tolist() == [2.25, 1.75, 3.5]
    assert pd.isna(frame.loc[NATURAL, "dominance"]) and frame.loc[NATURAL, "naturalness"] == 3.0


def test_either_spelling_of_the_rating_file(build, tree: Path) -> None:
    (tree / "Evalution.txt").rename(tree / "Evaluation.txt")
    assert len(made(build, tree)) == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (RATINGS, None, r"no Evalution\.txt.*`ugcl data fetch` says how"),
        (RATINGS, "", "no turn in it"),
        ("; A; A:2.25", "; Q; A:2.25", "line 1: .* has the unknown label 'Q'"),
        ("UTD-IMPROV-S20S-M06-R-MM01", "UTD-IMPROV-S08H-M06-P-MF12", "line 10: .* comes twice"),
        ("S20S-M06", "S20S-M07", "'MSP-IMPROV-S20S-M07-R-MM01' is not a turn"),
        ("\n\nUTD-IMPROV-S08H", "\n\nIMPROV S08H", "line 7: .* is not a rating"),
    ],
)
def test_faults_are_one_line(build, tree: Path, old: str, new: str | None, words: str) -> None:
    if new is None:
        (tree / "Evalution.txt").unlink()
    else:
        (tree / "Evalution.txt").write_text(RATINGS.replace(old, new))
    with pytest.raises(UgclError, match=words) as caught:
        made(build, tree)
    assert "\n" not in str(caught.value)


def test_the_counts_of_the_paper(build, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A rating file as large as the release: 8,438 turns, of which 7,798 have one of the four classes."""
    turns = {"target_improvised": 652, "target_read": 620, "other_improvised": 4381, "natural": 2785}
    letters, lines = {style: letter for letter, style in msp_improv.STYLES.items()}, []
    for style, total in turns.items():
        codes = "".join(c * n for c, n in zip("ASHN", msp_improv.COUNTS[style], strict=True)).ljust(
            total, "X"
        )
        for number, code in enumerate(codes):
            speaker = f"{'FM'[number % 2]}0{number // 2 % 6 + 1}"
            name = f"UTD-IMPROV-S{number % 20 + 1:02d}A-{speaker}-{letters[style]}-FM{number:04d}"
            lines.append(f"{name}.avi; {code}; A:3.0; V:3.0; D:3.0; N:3.0;\n")
    (tmp_path / "Evalution.txt").write_text("\n".join(lines))
    frame = made(build, tmp_path)
    assert len(frame) == 8438 and not caplog.records
    assert frame["speaker"].nunique() == 12 and frame["session"].nunique() == 6
    assert frame["categorical"].isin(["angry", "happy", "neutral", "sad"]).sum() == 7798
    (tmp_path / "Evalution.txt").write_text("\n".join(lines).replace("; S;", "; A;", 1))
    with pytest.raises(
        UgclError, match=r"msp_improv: 116 clips with style target_improvised, categorical angry"
    ):
        made(build, tmp_path)
