"""The faces of any files: which files are found, what is counted, and the preview's pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ugcl.config.data import Faces
from ugcl.errors import UgclError
from ugcl.features.faces import preview, survey
from ugcl.features.faces.detector import Detection
from ugcl.features.faces.table import Track
from ugcl.features.media.clip import Clip
from ugcl.features.media.video import frames

SETTINGS = Faces(every=2, smooth=1)


def face(x: float, y: float, side: float, score: float = 0.99) -> Detection:
    shape = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.3, 0.8], [0.7, 0.8]])
    return Detection(np.array([x, y, side, side]), score, np.array([x, y]) + side * shape)


class Always:
    """A detector that sees the same faces on every picture."""

    def __init__(self, *faces: Detection) -> None:
        self.faces = faces

    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        return list(self.faces)

    def near(self, rgb: np.ndarray, box: np.ndarray) -> Detection | None:
        return next((face for face in self.faces if np.allclose(face.box, box)), None)


@pytest.fixture
def video(tmp_path: Path, write_video) -> Path:
    """Eight frames, 64 × 48, at uneven times."""
    return write_video(tmp_path / "a.mp4", [0, 40, 80, 130, 160, 200, 260, 280], Fraction(1, 1000))


def found(path: Path, *faces: Detection) -> survey.Survey:
    (result,) = survey.survey([Clip("a", video=path)], Always(*faces), SETTINGS)
    return result


def test_videos_are_found_in_folders_patterns_and_by_name(tmp_path: Path) -> None:
    for name in ("a/x.mp4", "b/x.flv", "b/y.MOV", "b/y.wav", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    clips = survey.find([str(tmp_path), f"{tmp_path}/b/*.flv", str(tmp_path / "gone.mp4")])
    assert {clip.name: clip.video for clip in clips} == {
        f"{tmp_path}/a/x.mp4": tmp_path / "a/x.mp4",
        f"{tmp_path}/b/x.flv": tmp_path / "b/x.flv",
        "y": tmp_path / "b/y.MOV",
        "gone": tmp_path / "gone.mp4",
    }
    (tmp_path / "empty").mkdir()
    with pytest.raises(UgclError, match="no media file in this folder"):
        survey.find([str(tmp_path / "empty")])


def test_a_row_counts_frames_and_averages_the_score(video: Path) -> None:
    assert found(video, face(10, 5, 30, 0.95)).row() == {
        "clip": "a", "frames": 8, "frames_with_face": 8, "mean_score": 0.95, "failure": ""
    }  # fmt: skip
    empty = found(video).row()
    assert (empty["frames_with_face"], empty["mean_score"], empty["failure"]) == (0, None, "no_face")


@pytest.mark.parametrize(("second", "several"), [(face(40, 5, 20), True), (face(40, 5, 20, 0.5), False),
                                                 (face(11, 5, 30), False)])  # fmt: skip
def test_several_faces_are_told_apart_from_weak_and_double_ones(
    video: Path, second: Detection, several: bool
) -> None:
    result = found(video, face(10, 5, 30), second)
    assert result.searched > 0 and (result.several == result.searched) is several
    assert np.allclose(result.track.boxes[:, 2], 30) and result.track.failure == ""


@pytest.mark.parametrize(
    ("content", "failure"), [(b"", "empty"), (b"junk" * 99, "unreadable"), (None, "missing")]
)
def test_what_cannot_be_read_is_a_row_with_its_failure(
    tmp_path: Path, content: bytes | None, failure: str
) -> None:
    if content is not None:
        (tmp_path / "bad.mp4").write_bytes(content)
    result = found(tmp_path / "bad.mp4", face(10, 5, 30))
    assert not result.readable and result.row()["failure"] == failure and result.row()["frames"] == 0


def test_tables_are_there_only_when_all_clips_are(tmp_path: Path, video: Path) -> None:
    with pytest.raises(RuntimeError), survey.Tables(tmp_path / "out") as tables:
        tables.add(found(video, face(10, 5, 30)))
        raise RuntimeError
    assert not (tmp_path / "out/faces.csv").exists()


def test_a_preview_has_the_clip_s_pictures_at_their_times_with_the_box_in_its_place(
    tmp_path: Path, video: Path
) -> None:
    result = found(video, face(20, 5, 30))
    drawn = list(frames(preview.write(result.clip, result.track, tmp_path / "out/a.mp4")))
    source = list(frames(video))
    assert [frame.time for frame in drawn] == pytest.approx([frame.time for frame in source], abs=1e-4)
    for old, new in zip(source, drawn, strict=True):
        change = np.abs(new.rgb().astype(int) - old.rgb()).max(axis=2)
        assert change[5:36, 20].min() > 40 and change[5, 20:51].min() > 40  # left and upper edge
        assert change[8:12, 26:44].max() < 40  # forehead: inside the box, above the eyes


def test_detected_and_interpolated_boxes_differ_and_the_picture_is_left_alone(
    tmp_path: Path, video: Path
) -> None:
    track = found(video, face(20, 5, 30)).track
    picture = np.zeros((49, 65, 3), np.uint8)
    for index, colour in ((0, preview.DETECTED), (1, preview.INTERPOLATED)):
        np.testing.assert_allclose(preview.draw(picture, track, index)[5, 35], colour, atol=30)
    assert not picture.any()
    none = Track(track.times, track.boxes * np.nan, track.scores * np.nan, track.detected, track.landmarks)
    assert not preview.draw(picture, none, 0).any() and preview.draw(picture, none, 0, "no face").any()


def test_a_preview_leaves_out_an_odd_row_and_column(tmp_path: Path, video: Path) -> None:
    class Odd(Clip):
        def frames(self):
            from dataclasses import dataclass

            from ugcl.features.media.frame import Frame

            @dataclass(frozen=True)
            class Cut(Frame):
                def rgb(self) -> np.ndarray:
                    return np.full((47, 63, 3), 90, np.uint8)

            return (Cut(f.index, f.time, f.duration, None) for f in frames(self.video))

    target = preview.write(Odd("a", video=video), found(video, face(20, 5, 30)).track, tmp_path / "odd.mp4")
    assert next(frames(target)).rgb().shape == (46, 62, 3)


def test_the_file_of_a_preview_stays_in_its_folder() -> None:
    assert preview.path(Path("out"), Clip("/x/y/z.mp4")) == Path("out/x_y_z.mp4.mp4")
