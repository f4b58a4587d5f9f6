"""A manifest is read with its types, and a wrong cell is named with its table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ugcl.data import tables
from ugcl.errors import UgclError

HASH = "0123456789abcdef" * 4


def made(**changes: list[str]) -> pd.DataFrame:
    """Three clips with every column as text."""
    columns = {key: ["", "", ""] for key in ("audio", "video", "sentence", "session", "level")}
    columns |= {"clip": ["a", "b-1", "c.2"], "speaker": ["1", "1", "2"], "sex": ["female", "", "male"]}
    columns |= {"age": ["30", "", "41"], "duration": ["1.5", "", "2"], "votes_face_sad": ["0", "", "12"]}
    columns |= {"audio_sha256": [HASH, "", HASH], "video_sha256": ["", "", ""]}
    return pd.DataFrame(columns | changes)


def read(folder: Path, frame: pd.DataFrame) -> pd.DataFrame:
    tables.write(frame, folder / "m.csv")
    return tables.read_manifest(folder / "m.csv")


def test_numbers_are_numbers_and_words_stay_words(tmp_path: Path) -> None:
    found = read(tmp_path, made(speaker=["01", "02", "NA"]))
    assert found["speaker"].tolist() == ["01", "02", "NA"]
    assert found["age"].dtype == found["votes_face_sad"].dtype == "Int64"
    assert found["age"].fillna(-1).tolist() == [30, -1, 41]
    assert found["votes_face_sad"].fillna(-1).tolist() == [0, -1, 12]
    assert found["duration"].isna().tolist() == [False, True, False]
    assert found["sex"].tolist() == ["female", "", "male"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"age": ["30", "old", ""]}, ["age", "old"]),
        ({"votes_face_sad": ["0", "1.5", ""]}, ["votes_face_sad"]),
        ({"duration": ["1", "-2", ""]}, ["duration"]),
        ({"clip": ["a", "b/c", "d"]}, ["clip", "b/c"]),
        ({"clip": ["a", "b\nc", "d"]}, ["clip"]),
        ({"clip": ["a", "a", "d"]}, ["clip", "duplicate"]),
        ({"audio_sha256": [HASH, HASH[:-1], ""]}, ["audio_sha256", HASH[:-1]]),
        ({"video_sha256": ["", HASH.upper(), ""]}, ["video_sha256", HASH.upper()]),
        ({"sex": ["f", "", ""]}, ["sex", "f"]),
    ],
)
def test_a_wrong_cell_is_one_line_with_table_and_column(
    tmp_path: Path, changes: dict[str, list[str]], words: list[str]
) -> None:
    with pytest.raises(UgclError) as caught:
        read(tmp_path, made(**changes))
    message = str(caught.value)
    assert "\n" not in message
    for word in ["m.csv", *words]:
        assert word in message


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"m\.csv: not found"):
        tables.read_manifest(tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text("")
    with pytest.raises(UgclError, match="not a readable CSV"):
        tables.read_manifest(tmp_path / "m.csv")
