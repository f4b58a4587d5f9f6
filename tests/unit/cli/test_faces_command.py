"""`ugcl faces` on the tiny clips: what it prints, writes, goes past, and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from ugcl.config import Config
from ugcl.features.faces import table
from ugcl.plan import paths

VIDEO = "clips/VideoMP4/1001_KEY_ANG_XX.mp4"


def test_the_rows_and_tables_are_those_of_the_workflow(tiny: Config, ugcl) -> None:
    rows = json.loads(ugcl("faces", "clips/VideoMP4", "--json", "--table", "out").stdout)
    assert list(rows[0]) == ["clip", "frames", "frames_with_face", "mean_score", "failure"]
    stored = pd.read_csv(table.summary_path(paths.faces("tiny", 1)), keep_default_na=False)
    assert [row["clip"] for row in rows] == sorted(stored["clip"]) and len(rows) == 12
    pd.testing.assert_frame_equal(pd.DataFrame(rows), stored[list(rows[0])].sort_values("clip"))
    for name, track in table.read(Path("out/faces.csv")):
        same = dict(table.read(paths.faces("tiny", 1)))[name]
        np.testing.assert_array_equal(track.boxes, same.boxes)
        np.testing.assert_array_equal(track.detected, same.detected)


def test_a_bad_file_is_a_row_the_rest_goes_on_and_nothing_is_coloured(tiny: Config, ugcl) -> None:
    Path("bad.mp4").write_bytes(b"junk")
    result = ugcl("faces", VIDEO, "bad.mp4", "gone.mp4", "--preview", "out", "--table", "out")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert "\x1b" not in result.stdout
    assert ["bad", "0", "0", "–", "unreadable"] in lines and ["gone", "0", "0", "–", "missing"] in lines
    assert "bad: unreadable: " in result.stderr
    assert [path.name for path in Path("out").glob("*.mp4")] == ["1001_KEY_ANG_XX.mp4"]
    with av.open("out/1001_KEY_ANG_XX.mp4") as container:
        codec, count = (
            container.streams.video[0].codec_context.name,
            sum(1 for _ in container.decode(video=0)),
        )
    track = dict(table.read(Path("out/faces.csv")))["1001_KEY_ANG_XX"]
    assert codec == "h264" and count == len(track.times)


def sealed() -> None:
    """Give the changed tables of faces their digests."""
    path = paths.faces("tiny", 1)
    summary = pd.read_csv(table.summary_path(path), dtype=str, keep_default_na=False)
    found = table.digests(path, summary["clip"])
    summary.assign(digest=summary["clip"].map(found)).to_csv(table.summary_path(path), index=False)


def test_clips_called_na_nan_or_none_keep_their_faces(tiny: Config) -> None:
    manifest = pd.read_csv(paths.manifest("tiny"), dtype=str, keep_default_na=False)
    before = dict(table.read(paths.faces("tiny", 1)))
    for path in (paths.faces("tiny", 1), table.summary_path(paths.faces("tiny", 1))):
        text = path.read_text()
        for old, new in zip(sorted(manifest["clip"]), ("NA", "None", "nan"), strict=False):
            text = text.replace(f"{old},", f"{new},")
        path.write_text(text)
    sealed()
    after = list(table.read(paths.faces("tiny", 1)))
    assert [name for name, _ in after[:3]] == ["NA", "None", "nan"]
    for (_, track), old in zip(after, before.values(), strict=True):
        np.testing.assert_array_equal(track.boxes, old.boxes)


def test_only_when_nothing_can_be_read_is_it_an_error(tiny: Config, ugcl) -> None:
    Path("bad.mp4").write_bytes(b"junk")
    (row,) = json.loads(ugcl("faces", "bad.mp4", "--json", code=1).stdout)
    assert row == {
        "clip": "bad", "frames": 0, "frames_with_face": 0, "mean_score": None, "failure": "unreadable"
    }  # fmt: skip
    ugcl("faces", code=2)
    ugcl("faces", VIDEO, "--worst", "tiny", code=2)


def show_faces() -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump(tree | {"report": {"show_faces": True}}))


def test_people_are_drawn_only_when_the_user_says_that_the_licence_lets(tiny: Config, ugcl) -> None:
    assert "report.show_faces is false" in ugcl("faces", "--worst", "tiny", code=1).error
    assert not Path("tiny_worst_faces.png").exists()
    show_faces()
    assert ugcl("faces", "--worst", "tiny", "--out", "sheet/a.png").stdout.strip() == "sheet/a.png"
    assert Image.open("sheet/a.png").width > 1000
    paths.faces("tiny", 1).unlink()
    assert "run `snakemake features`" in ugcl("faces", "--worst", "tiny", code=1).error


@pytest.mark.parametrize("clip", ["1001_KEY_ANG_XX", "1004_KEY_NEU_XX"])
def test_failed_clips_come_first_then_those_with_fewer_faces(tiny: Config, clip: str) -> None:
    from ugcl.reports.pages.media import face_sheet

    summary = table.summary_path(paths.faces("tiny", 1))
    frame = pd.read_csv(paths.faces("tiny", 1))
    books = pd.read_csv(summary, keep_default_na=False)
    gone = "1002_KEY_HAP_XX"
    frame = frame[frame["clip"] != gone]
    books.loc[books["clip"] == gone, ["frames", "failure"]] = [0, "truncated"]
    lost = (frame["clip"] == clip) & frame["frame"].between(10, 14)
    frame.loc[lost, [*table.BOX, "score", *table.LANDMARKS]] = np.nan
    frame.to_csv(paths.faces("tiny", 1), index=False)
    books.to_csv(summary, index=False)
    sealed()
    order = face_sheet.worst(tiny, "tiny", 5)
    assert [name for name, _ in order[:2]] == [gone, clip]
    means = [track.scores.mean() for _, track in order[2:]]
    everyone = frame[frame["clip"] != clip].groupby("clip")["score"].mean()
    assert means == pytest.approx(sorted(everyone)[:3], abs=1e-6)
    assert face_sheet.shown_frame(order[1][1]) == 12
    assert face_sheet.shown_frame(order[2][1]) == np.argmin(order[2][1].scores)
    count = len(order[1][1].times)
    assert face_sheet.caption(order[0][1]) == "truncated"
    assert face_sheet.caption(order[1][1]).startswith(f"{100 * (count - 5) / count:.0f} % of {count} frames")
    show_faces()
    from ugcl import config

    face_sheet.write(config.load(), "tiny", Path("a.png"), count=3)
    sheet = np.asarray(Image.open("a.png").convert("RGB")).astype(int)
    cell = slice(face_sheet.TEXT, face_sheet.TEXT + face_sheet.SIDE)
    spread = [
        np.ptp(sheet[cell, left : left + face_sheet.SIDE])
        for left in range(face_sheet.GAP, sheet.shape[1] - 1, face_sheet.SIDE + face_sheet.GAP)
    ]
    assert len(spread) == 3 and min(spread) > 100
