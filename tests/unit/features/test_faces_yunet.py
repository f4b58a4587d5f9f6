"""The YuNet backend: OpenCV runs a made network of YuNet's form; faults of the file are told.

YuNet's own weights are not needed here and are not run.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from tests.unit.features import small_yunet
from ugcl.config import parse, read
from ugcl.config.data import Faces, YunetFaces
from ugcl.errors import UgclError
from ugcl.features.faces.build import build
from ugcl.features.faces.mtcnn import Mtcnn
from ugcl.features.faces.yunet import Yunet, detections
from ugcl.provenance import lineage


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_yunet.write(tmp_path_factory.mktemp("yunet") / "small.onnx")


@pytest.fixture
def tree(project: Path) -> dict:
    return read(project / "params.yaml")


def picture(left: int, top: int, side: int, size: tuple[int, int] = (192, 256)) -> np.ndarray:
    """A red square on black, with a blue one in the upper left corner."""
    rgb = np.zeros((*size, 3), np.uint8)
    rgb[:side, :side, 2] = 255
    rgb[top : top + side, left : left + side, 0] = 255
    return rgb


def test_box_and_landmarks_of_a_known_face(weights: Path) -> None:
    """Expected by hand: a cell of 32 pixels at (128, 64), box and points at their places in the cell."""
    (found,) = Yunet(weights, 0.1)(picture(128, 64, 32))
    np.testing.assert_allclose(found.box, [144 - 8, 80 - 12, 16, 24], atol=1e-4)
    np.testing.assert_allclose(found.landmarks, [128, 64] + 32 * small_yunet.POINTS, atol=1e-4)
    assert found.score == pytest.approx(1)
    assert found.landmarks[0, 0] < found.landmarks[1, 0]  # left means left in the picture


def test_a_large_picture_is_searched_small_and_its_faces_come_back_in_its_own_pixels(weights: Path) -> None:
    (found,) = Yunet(weights, 0.1)(picture(640, 320, 160, (1000, 1400)))  # searched at a fifth
    np.testing.assert_allclose(found.box, 5 * np.array([136, 68, 16, 24]), atol=0.1)
    middles = 5 * ([128, 64] + 32 * small_yunet.POINTS + 0.5) - 0.5
    np.testing.assert_allclose(found.landmarks, middles, atol=0.1)


def test_a_known_face_is_seen_again_at_one_size(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown with 16 pixels a side and half of that around it, a face of 32 is the one cell of its picture."""
    detector = Yunet(weights, 0.1)
    monkeypatch.setattr(detector, "SIDE", 16)
    monkeypatch.setattr(detector, "SMALLEST", 1.0)
    known = np.array([90.0, 60, 32, 32])
    again = detector.near(picture(74, 44, 64), known)  # a cell of 64: its box is half as wide, 3/4 as high
    np.testing.assert_allclose(again.box, [106 - 16, 76 - 24, 32, 48], atol=0.5)
    # The middle of the view's cell is the middle of the known face, between two pixels.
    np.testing.assert_allclose(again.landmarks[2], [106, 76], atol=0.5)
    assert detector.near(np.zeros((192, 256, 3), np.uint8), known) is None


def test_no_face_and_small_faces(weights: Path) -> None:
    assert Yunet(weights, 0.1)(np.zeros((120, 160, 3), np.uint8)) == []
    row = np.arange(15, dtype=np.float32)[None]
    assert detections(None) == [] and len(detections(row, 3)) == 1 and detections(row, 4) == []
    (found,) = detections(row)
    assert found.box.tolist() == [0, 1, 2, 3] and found.score == 14
    assert found.landmarks.tolist() == [[4, 5], [6, 7], [8, 9], [10, 11], [12, 13]]


def test_faults_of_the_file_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"gone\.onnx: no such file; set faces\.weights"):
        Yunet(tmp_path / "gone.onnx", 0.1)
    (tmp_path / "bad.onnx").write_bytes(b"junk" * 100)
    with pytest.raises(UgclError, match=r"bad\.onnx: OpenCV cannot read it") as told:
        Yunet(tmp_path / "bad.onnx", 0.1)
    assert "\n" not in str(told.value)


def test_the_section_chooses_the_detector(tree: dict, weights: Path, monkeypatch, project: Path) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv("UGCL_MIRROR", raising=False)
    assert type(parse(tree).faces) is Faces and isinstance(build(parse(tree)), Mtcnn)
    tree["faces"] = {"every": 3}
    assert type(parse(tree).faces) is Faces
    tree["faces"] = {"detector": "yunet", "weights": str(weights), "every": 3}
    settings = parse(tree).faces
    assert isinstance(settings, YunetFaces) and settings.every == 3
    assert isinstance(build(parse(tree)), Yunet)
    tree["faces"]["sha256"] = "0" * 64
    with pytest.raises(UgclError, match=r"replace the file or fix faces\.sha256"):
        build(parse(tree))
    tree["faces"] = {"detector": "yunet", "weights": "nowhere.onnx"}
    with pytest.raises(UgclError, match=r"^faces\.weights: 'nowhere\.onnx' is not a file here"):
        build(parse(tree))
    tree["faces"] = {"detector": "other"}
    with pytest.raises(UgclError, match="faces"):
        parse(tree)
    tree["faces"] = {"detector": "mtcnn", "weights": "x"}
    with pytest.raises(UgclError, match="unknown key"):
        parse(tree)


def test_the_registry_has_the_weights_that_are_the_default(project: Path) -> None:
    from ugcl.data.fetching import registry

    rows = registry.read(project / "workflow/resources/sources.csv", "models")
    default = YunetFaces(detector="yunet").weights
    assert {row.kind for row in rows if f"models/{row.path}" == default} == {"primary", "mirror"}
    assert len({row.sha256 for row in rows if f"models/{row.path}" == default}) == 1


def test_tracks_depend_on_their_own_detector_only(tree: dict) -> None:
    from ugcl.provenance.code import reachable

    reached = reachable(["ugcl.features.faces.extract", lineage.entry_module("detector", "mtcnn")])
    assert {"ugcl.features.faces.mtcnn", "ugcl.features.faces.tracking"} <= reached
    assert not reached & {f"ugcl.features.faces.{name}" for name in ("yunet", "survey", "preview", "build")}
    assert not reached & {f"ugcl.features.{name}" for name in ("extract", "encoder", "network")}
    before = lineage.faces(parse(tree), "demo")
    tree["faces"]["detector"] = "yunet"
    assert lineage.faces(parse(tree), "demo") != before


def test_the_command_runs_with_it(
    tmp_path: Path, project: Path, tree: dict, weights: Path, ugcl, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree["faces"] = {"detector": "yunet", "weights": str(weights), "search": 0.0}
    tree["data"]["sources"] = str(project / "workflow/resources/sources.csv")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    monkeypatch.chdir(tmp_path)
    with av.open("a.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv444p"
        for _ in range(8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(128, 64, 32), format="rgb24")))
        container.mux(stream.encode(None))
    (row,) = json.loads(ugcl("faces", "a.mp4", "--json", "--table", "out").stdout)
    assert (row["frames"], row["frames_with_face"], row["failure"]) == (8, 8, "")
    assert row["mean_score"] > 0.9
