"""Of several people in a picture the one who speaks is followed, or the clip is set aside by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from ugcl.config.data import Faces
from ugcl.features.faces import speaker
from ugcl.features.faces.detector import AtOneSize, Detection, overlap
from ugcl.features.faces.mtcnn import Mtcnn
from ugcl.features.faces.speaker import Chain
from ugcl.features.faces.table import Track
from ugcl.features.faces.tracking import follow
from ugcl.features.media.frame import Frame
from ugcl.features.media.video import frames

ROUGH = {"every": 5, "smooth": 1}


@dataclass(frozen=True)
class Shown(Frame):
    """A frame whose pixels are given."""

    def rgb(self) -> np.ndarray:
        return self.picture


@pytest.fixture(scope="module")
def talking(project: Path) -> list[np.ndarray]:
    """The pictures of one speaking face."""
    clip = project / "tests/fixtures/tiny/VideoMP4/1001_KEY_ANG_XX.mp4"
    return [frame.rgb() for frame in frames(clip)][:41]


@pytest.fixture(scope="module")
def listening(talking: list[np.ndarray]) -> list[np.ndarray]:
    """The same face, its first picture held: it has noise and moves by a pixel, its mouth is still."""
    rng = np.random.default_rng(0)
    still = [np.roll(talking[0], rng.integers(-1, 2, 2), axis=(0, 1)) for _ in talking]
    return [np.clip(p + rng.normal(0, 2, p.shape), 0, 255).astype(np.uint8) for p in still]


def track(left: list[np.ndarray], right: list[np.ndarray], **settings: float) -> Track:
    """Follow the speaker of two films shown side by side."""
    pictures = [np.hstack(pair) for pair in zip(left, right, strict=True)]
    shown = [Shown(i, i / 25, 1 / 25, picture) for i, picture in enumerate(pictures)]
    return follow(shown, Mtcnn(0.2), Faces(**ROUGH, **settings))


def middle(found: Track) -> float:
    return float(np.nanmean(found.boxes[:, 0] + found.boxes[:, 2] / 2))


def test_of_two_equal_faces_the_one_whose_mouth_moves_is_followed(talking, listening) -> None:
    width = talking[0].shape[1]
    for left, right, side in ((talking, listening, 0), (listening, talking, 1)):
        found = track(left, right)
        assert found.failure == "" and found.visible.all()
        assert side * width < middle(found) < (side + 1) * width


class Twins(AtOneSize):
    """A detector that knows where the two faces are."""

    def __init__(self, film: list[np.ndarray]) -> None:
        (face,) = Mtcnn(0.2)(film[0])
        x, _, w, _ = face.box
        half = film[0].shape[1]
        shifts = half / 2 - x - w / 2, 1.5 * half - x - w / 2  # as near to the middle, for the claim
        self.faces = [
            Detection(np.add(face.box, [dx, 0, 0, 0]), face.score, np.add(face.landmarks, [dx, 0]))
            for dx in shifts
        ]

    def __call__(self, rgb: np.ndarray) -> list[Detection]:
        return self.faces

    def near(self, rgb: np.ndarray, box: np.ndarray) -> Detection:
        return max(self.faces, key=lambda face: overlap(face.box, box))

    def run(self, rgb: np.ndarray, smallest: int) -> list[Detection]:
        return self.faces


def test_two_faces_of_equal_claim_are_a_failure_unless_that_is_allowed(talking) -> None:
    shown = [Shown(i, i / 25, 1 / 25, np.hstack([p, p])) for i, p in enumerate(talking)]
    found = follow(shown, Twins(talking), Faces(**ROUGH))
    assert found.failure == "several_faces" and "more than 80%" in found.detail
    assert follow(shown, Twins(talking), Faces(**ROUGH, rival=1.0)).failure == ""


def test_a_face_alone_has_no_rival(talking) -> None:
    assert track(talking, [np.zeros_like(picture) for picture in talking]).failure == ""


def chain(indices: list[int], prominence: float) -> Chain:
    made = Chain(prominence=prominence)
    made.indices = indices
    return made


def test_a_rival_is_there_at_the_same_time() -> None:
    first, second = chain([0, 5, 10, 15], 100.0), chain([20, 25, 30], 99.0)
    order = speaker.ranked([second, first])
    assert [c for c, _ in order] == [first, second]
    assert speaker.rival(order, 0.9) is None
    beside = chain([0, 5, 10], 99.0)
    found = speaker.rival(speaker.ranked([beside, first]), 0.9)
    assert found is not None and found[0] is beside and found[1] == pytest.approx(0.99)
    assert speaker.rival(speaker.ranked([chain([0, 5], 99.0), first]), 0.9) is None  # half of the time


def texture(rng: np.random.Generator) -> np.ndarray:
    soft = cv2.GaussianBlur(rng.normal(0, 300, (speaker.LOOK, speaker.LOOK)), (0, 0), 2)
    return np.clip(128 + soft, 0, 255).astype(np.uint8)


def test_only_the_mouths_own_change_counts() -> None:
    rng = np.random.default_rng(0)
    before, other = (texture(rng) for _ in range(2))
    assert speaker.change(before, before) == pytest.approx(0, abs=1e-6)
    turned = cv2.warpAffine(before, np.array([[1.02, 0.03, 1.5], [-0.03, 1.02, -2.0]]), before.shape)
    assert speaker.change(before, turned) < 0.02
    assert speaker.change(before, (before * 0.5 + 20).astype(np.uint8)) == pytest.approx(0, abs=1e-3)
    mouth, eyes = before.copy(), before.copy()
    mouth[40:], eyes[:36] = other[40:], other[:36]
    assert speaker.change(before, mouth) > 0.1
    assert speaker.change(before, eyes) == 0
    plain = np.full_like(before, 90)
    assert speaker.change(plain, plain) == 0


def test_a_detector_without_a_network_cannot_be_made() -> None:
    class Half(AtOneSize):
        def __call__(self, rgb):
            return []

    with pytest.raises(TypeError, match="run"):
        Half()
