"""A user's own dialogs: utterances are parts of longer videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip

TABLE = (
    "clip,video,speaker,emotion,start,end,region\na,d.avi,s1,sad,0.2,0.6,left\nb,d.avi,s2,happy,0.4,1,right\n"
)


def made(build, root: Path, table: str):
    (root / "clips.csv").write_text(table)
    return build("mine", root, "emotion", ["sad", "happy"], adapter="folder")


def test_parts_of_a_video(build, film, tmp_path: Path) -> None:
    film(tmp_path / "d.avi", 1.2)
    frame = made(build, tmp_path, TABLE + "c,d.avi,s3,sad,,,\n")
    assert frame["duration"].tolist() == pytest.approx([0.4, 0.6, 1.2], abs=0.1)  # mp3 is a little longer
    assert frame["video_sha256"].nunique() == 1
    rows = frame.reset_index().set_index("clip", drop=False)
    clips = [Clip.from_row(rows.loc[name], tmp_path) for name in "abc"]
    assert [len(list(clip.frames())) for clip in clips] == [10, 15, 30]
    assert [next(clip.frames()).rgb().shape[1] for clip in clips] == [32, 32, 64]
    seconds = [len(clip.sound()) / 16000 for clip in clips]
    assert seconds == pytest.approx([0.4, 0.6, 1.2], abs=0.1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.2,0.6", "0.2,0.1", "a ends before it starts"),
        ("0.2,0.6", "early,0.6", "column 'start': .*early.*; write numbers"),
        ("right", "top", "region.*top"),
        ("0.2,0.6", "-1,0.6", "start"),
    ],
)
def test_wrong_parts_are_one_line(build, film, tmp_path: Path, old: str, new: str, words: str) -> None:
    film(tmp_path / "d.avi", 0.2)
    with pytest.raises(UgclError, match=words) as caught:
        made(build, tmp_path, TABLE.replace(old, new))
    assert "\n" not in str(caught.value)


def test_dialogues_of_a_user_are_kept_and_a_clip_may_have_none(build, film, tmp_path: Path) -> None:
    film(tmp_path / "d.avi", 0.2)
    table = "clip,video,speaker,emotion,dialogue,turn\n"
    table += "a,d.avi,s1,sad,talk,10\nb,d.avi,s2,happy,talk,9\nc,d.avi,s1,sad,,\n"
    frame = made(build, tmp_path, table)
    assert frame["dialogue"].tolist() == ["talk", "talk", ""]
    assert frame["turn"].fillna(-1).tolist() == [10, 9, -1]
    with pytest.raises(UgclError, match=r"column 'turn': .*second.*; write numbers"):
        made(build, tmp_path, table.replace(",9\n", ",second\n"))
