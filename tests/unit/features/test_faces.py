"""Alignment, tracking between detections, and the face tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ugcl.config.data import Faces
from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.features.faces import alignment, table
from ugcl.features.faces.detector import Detection, overlap
from ugcl.features.faces.mtcnn import Mtcnn
from ugcl.features.faces.tracking import follow, smooth
from ugcl.features.media.clip import Clip
from ugcl.features.media.frame import Frame

SETTINGS = Faces(every=5, smooth=3)


@given(
    st.floats(0.2, 4.0),
    st.floats(-np.pi, np.pi),
    st.floats(-300, 300),
    st.floats(-300, 300),
    st.integers(8, 32),
)
def test_exact_similarities_map_landmarks_on_the_template(scale, angle, x, y, eighth):
    target = alignment.template(8 * eighth, 0.1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = target @ (scale * turn).T + [x, y]
    matrix = alignment.similarity(landmarks, target)
    mapped = landmarks @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(mapped - target).max() < 1e-6
    assert np.hypot(*matrix[:, 0]) == pytest.approx(1 / scale)


def test_similarity_is_the_least_squares_optimum():
    generator = np.random.default_rng(0)
    source, target = generator.normal(size=(2, 5, 2))
    rows = []
    for (x, y), _ in zip(source, target, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), target.ravel(), rcond=None)[0]
    np.testing.assert_allclose(alignment.similarity(source, target), [[a, -b, tx], [b, a, ty]], atol=1e-12)


@pytest.mark.parametrize("scale", [0.7, 1.0, 3.0, 6.0])
def test_crop_puts_marked_landmarks_where_the_template_says(scale):
    target = alignment.template(64, 0.1)
    landmarks = target * scale + [40, 30]
    picture = np.zeros((500, 500, 3), np.uint8)
    for number, (x, y) in enumerate(landmarks):
        grid = np.hypot(*(np.indices((500, 500))[::-1] - np.array([x, y])[:, None, None]))
        picture[..., 0] = np.maximum(picture[..., 0], np.where(grid < 3 * scale, 250 - number, 0))
    crop = alignment.crop(picture, landmarks, 64, 0.1)[..., 0].astype(float)
    for x, y in target:
        window = np.indices((64, 64))[::-1] - np.array([x, y])[:, None, None]
        weight = crop * (np.hypot(*window) < 5)
        centroid = (window * weight).sum(axis=(1, 2)) / weight.sum()
        assert np.abs(centroid).max() < 1


def test_margin_shows_more_of_the_picture():
    narrow, wide = alignment.template(64, 0.0), alignment.template(64, 0.5)
    assert np.ptp(wide[:, 0]) == pytest.approx(np.ptp(narrow[:, 0]) / 2)


def test_overlap_by_hand():
    a = np.array([0.0, 0, 10, 10])
    assert overlap(a, a) == 1
    assert overlap(a, np.array([5.0, 0, 10, 10])) == pytest.approx(50 / 150)
    assert overlap(a, np.array([20.0, 20, 5, 5])) == 0


@given(st.integers(3, 40), st.sampled_from([1, 3, 5, 7]), st.floats(-5, 5), st.floats(-50, 50))
def test_smoothing_keeps_straight_lines(count, window, slope, start):
    line = (start + slope * np.arange(count))[:, None]
    np.testing.assert_allclose(smooth(line, window), line, atol=1e-9)


def test_smoothing_weights_are_triangular():
    pulse = np.zeros((11, 1))
    pulse[5] = 1
    np.testing.assert_allclose(smooth(pulse, 3)[3:8, 0], [0, 0.25, 0.5, 0.25, 0])


class Scene:
    """Faces that move on given paths; the picture is just the frame's number."""

    def __init__(self, faces, count):
        self.faces, self.calls = faces, []
        self.frames = [SceneFrame(i, i / 25, 1 / 25, None) for i in range(count)]

    def __call__(self, rgb):
        index = int(rgb[0, 0, 0])
        self.calls.append(index)
        return [d for d in (face(index) for face in self.faces) if d is not None]

    def near(self, rgb, box):
        return max((d for d in self(rgb) if overlap(d.box, box) > 0.3), key=lambda d: d.score, default=None)


class SceneFrame(Frame):
    def rgb(self):
        return np.full((360, 480, 3), self.index, np.uint8)


def face(x, y, side, score=0.99):
    box = np.array([x, y, side, side], float)
    return Detection(
        box, score, box[:2] + side * np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.3, 0.8], [0.7, 0.8]])
    )


def test_linear_motion_is_interpolated_exactly():
    scene = Scene([lambda i: face(100 + 2 * i, 80 + i, 90)], 43)
    track = follow(scene.frames, scene, SETTINGS)
    np.testing.assert_allclose(track.boxes[:, 0], 100 + 2 * np.arange(43), atol=1e-9)
    np.testing.assert_allclose(track.landmarks[:, 2, 1], 80 + np.arange(43) + 54, atol=1e-9)
    assert np.flatnonzero(track.detected).tolist() == [*range(0, 43, 5), 42]
    assert track.visible.all() and track.failure == ""
    assert set(scene.calls) == {*range(0, 43, 5), 42}


def test_the_larger_and_more_central_face_is_followed():
    scene = Scene([lambda i: face(10, 10, 60), lambda i: face(190, 130, 90)], 20)
    assert np.allclose(follow(scene.frames, scene, SETTINGS).boxes[:, 2], 90)


def test_a_face_lost_at_a_keyframe_is_found_on_the_next_frame():
    scene = Scene([lambda i: None if i in (10, 11) else face(200, 100, 80)], 30)
    track = follow(scene.frames, scene, SETTINGS)
    assert track.visible.all()
    assert not track.detected[10] and track.detected[12]


def test_long_gaps_are_not_invented():
    scene = Scene([lambda i: None if 30 <= i < 70 else face(200, 100, 80)], 100)
    track = follow(scene.frames, scene, SETTINGS)
    assert not track.visible[31:70].any()
    assert track.visible[:26].all() and track.visible[70:].all()


def test_another_face_fills_the_time_the_first_is_away():
    scene = Scene(
        [lambda i: face(200, 100, 100) if i < 50 else None, lambda i: face(50, 50, 70) if i >= 50 else None],
        100,
    )
    track = follow(scene.frames, scene, SETTINGS)
    assert np.allclose(track.boxes[:46, 2], 100) and np.allclose(track.boxes[55:, 2], 70)


@pytest.mark.parametrize(
    "faces", [[], [lambda i: face(100, 100, 50, 0.5)], [lambda i: face(200, 100, 80) if i < 5 else None]]
)
def test_too_few_faces_is_a_failure(faces):
    scene = Scene(faces, 60)
    track = follow(scene.frames, scene, SETTINGS)
    assert track.failure == "no_face"
    assert "60 frames" in track.detail


def summarised(path, tracks):
    """Write the summary beside a table of faces."""
    rows = [t.summary(name, table.text(t.rows(name)).encode(), path) for name, t in tracks.items()]
    tables.write(pd.DataFrame(rows), table.summary_path(path))


def test_a_track_that_is_not_the_one_that_was_made_is_refused(tmp_path):
    """A digit changed by a fault of a copy, a clip's rows lost, and the table of another shard or corpus."""
    tracks = {name: follow(Scene([], 12).frames, Mover(100), SETTINGS) for name in ("a", "b")}
    path = tmp_path / "own/shard-1.csv"
    tables.write(pd.concat([track.rows(name) for name, track in tracks.items()]), path)
    summarised(path, tracks)
    whole = path.read_text()
    assert list(dict(table.read(path))) == ["a", "b"]
    lines = whole.splitlines(keepends=True)
    for text in (whole.replace("0.9", "0.8", 1), "".join(lines[:-3]), "".join(lines[:13])):
        assert text != whole
        path.write_text(text)
        with pytest.raises(UgclError, match=r"shard-1\.csv.*track this shard's faces again"):
            list(table.read(path))
    path.write_text(whole)
    for other in (tmp_path / "other/shard-1.csv", tmp_path / "own/shard-2.csv"):
        other.parent.mkdir(exist_ok=True)
        for source, target in ((path, other), (table.summary_path(path), table.summary_path(other))):
            target.write_bytes(source.read_bytes())
        with pytest.raises(UgclError, match="track of clip 'a'"):
            list(table.read(other))


def test_tables_give_the_track_back(tmp_path):
    scene = Scene([lambda i: None if 30 <= i < 70 else face(200, 100, 80)], 100)
    track = follow(scene.frames, scene, SETTINGS)
    path = tmp_path / "shard-1.csv"
    broken = table.Track.none("truncated", "cut")
    tables.write(pd.concat([track.rows("007")]), path)
    summarised(path, {"007": track, "008": broken})
    read = dict(table.read(path))
    assert list(read) == ["007", "008"]
    for name in ("times", "boxes", "scores", "landmarks"):
        np.testing.assert_allclose(getattr(read["007"], name), getattr(track, name), atol=1e-6)
    np.testing.assert_array_equal(read["007"].detected, track.detected)
    assert (read["008"].failure, read["008"].detail, len(read["008"].times)) == ("truncated", "cut", 0)


@pytest.mark.parametrize("rows", [1, 7, 40, 1000])
def test_tables_are_read_a_part_at_a_time(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(table, "READ", rows)
    tracks = {
        "a": follow(Scene([], 12).frames, Mover(100), SETTINGS),
        "b": table.Track.none("missing", "-"),
        "c": follow(Scene([], 33).frames, Mover(60), SETTINGS),
        "d": table.Track.none("empty", "-"),
    }
    path = tmp_path / "shard-1.csv"
    tables.write(pd.concat([track.rows(name) for name, track in tracks.items() if len(track.times)]), path)
    summarised(path, tracks)
    read = dict(table.read(path))
    assert list(read) == list(tracks)
    for name, track in tracks.items():
        assert read[name].failure == track.failure and len(read[name].times) == len(track.times)
        np.testing.assert_allclose(read[name].boxes, track.boxes, atol=1e-6)


class Mover:
    """A detector of one face that moves by a pixel a frame."""

    def __init__(self, start):
        self.start = start

    def __call__(self, rgb):
        return [face(self.start + int(rgb[0, 0, 0]), 80, 90)]

    def near(self, rgb, box):
        return self(rgb)[0]


def test_mtcnn_finds_the_same_face_near_and_far(mirror):
    picture = next(Clip("a", None, mirror / "clips/VideoFlash/1006_IWL_HAP_XX.flv").frames()).rgb()
    detector = Mtcnn(0.1)
    (far,) = [face for face in detector(picture) if face.score > 0.9]
    near = detector.near(picture, far.box)
    assert overlap(far.box, near.box) > 0.6
    assert np.abs(far.landmarks - near.landmarks).max() < 0.15 * far.box[3]
    eyes, mouth = near.landmarks[:2], near.landmarks[3:]
    assert eyes[0, 0] < eyes[1, 0] and mouth[:, 1].min() > eyes[:, 1].max()
    shifted = np.roll(picture, 17, axis=1)
    moved = detector.near(shifted, far.box + np.array([17, 0, 0, 0]))
    np.testing.assert_allclose(moved.landmarks - near.landmarks, [[17, 0]] * 5, atol=1e-6)


def test_every_frame_of_the_real_clips_has_its_face(mirror):
    """It lies within 5 % of the box where a detection on every frame has it, each landmark within 15 %."""
    detector, faces, points = Mtcnn(SETTINGS.min_face), [], []
    videos = sorted((mirror / "clips/VideoFlash").glob("*.flv"))
    for video in videos:
        clip = Clip(video.stem, None, video)
        track = follow(clip.frames(), detector, SETTINGS)
        dense = follow(clip.frames(), detector, Faces(every=1, smooth=1))
        assert track.visible.all() and track.failure == ""
        away, side = track.landmarks - dense.landmarks, dense.boxes[:, 2:].max(axis=1)
        faces.append(np.linalg.norm(away.mean(axis=1), axis=1) / side)
        points.append(np.linalg.norm(away, axis=2).max(axis=1) / side)
    assert len(videos) == 8 and np.concatenate(faces).max() < 0.05
    points = np.concatenate(points)
    assert (points < 0.05).mean() > 0.95 and points.max() < 0.15
