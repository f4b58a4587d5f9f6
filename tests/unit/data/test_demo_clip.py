"""Demo clips on disk: real media, the same bytes each time, and rows that describe them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("parselmouth", reason="the demo corpus needs the extra `demo`")
pytest.importorskip("numba", reason="the demo corpus needs the extra `demo`")

import av
import soundfile

from ugcl.config.corpora import DemoCorpus
from ugcl.config.protocols import Protocol
from ugcl.data import tables
from ugcl.data.corpora import demo
from ugcl.demo.clip import make_actor, write_mp4
from ugcl.demo.contact_sheet import contact_sheet
from ugcl.errors import UgclError
from ugcl.plan import demo as names

CLIPS = ["1002_RVR_HAP_XX", "1002_RVR_SAD_XX"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make_actor(1002, folder, actors=2, seed=5, size=128, clips=CLIPS)
    return folder


def corpus(**fields: object) -> DemoCorpus:
    protocols = {"intended": Protocol(classes=["happy", "sad"])}
    return DemoCorpus(adapter="demo", protocols=protocols, **fields)


def test_the_bytes_depend_on_the_arguments_alone(root: Path, tmp_path: Path) -> None:
    alone = make_actor(1002, tmp_path / "again", actors=2, seed=5, size=128, clips=CLIPS[1:])
    assert [path.name for path in alone] == ["1002_RVR_SAD_XX.mp4", "1002_RVR_SAD_XX.wav"]
    for path in alone:
        assert path.read_bytes() == (root / path.relative_to(tmp_path / "again")).read_bytes()
    other = make_actor(1002, tmp_path / "other", actors=2, seed=6, size=128, clips=CLIPS[1:])
    assert other[1].read_bytes() != alone[1].read_bytes()


def test_sound_and_picture_are_standard_media_of_one_length(root: Path) -> None:
    for clip in CLIPS:
        info = soundfile.info(root / names.audio_path(clip))
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert 1.0 < info.duration < 4.0
        samples, _ = soundfile.read(root / names.audio_path(clip))
        assert 0.01 < np.sqrt(np.mean(samples**2)) < 0.4
        assert np.abs(samples).max() < 1
        with av.open(str(root / names.video_path(clip))) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            assert (video.width, video.height, video.average_rate) == (128, 128, 25)
            assert "creation_time" not in container.metadata
            frames = sum(1 for _ in container.decode(video=0))
        assert frames == round(info.duration * 25)


def test_the_film_keeps_the_pictures_and_their_order(tmp_path: Path) -> None:
    shades = [20, 90, 160, 230]
    pictures = [np.full((64, 64, 3), shade, np.uint8) for shade in shades]
    write_mp4(tmp_path / "film.mp4", pictures, np.zeros(2560, np.int16))
    with av.open(str(tmp_path / "film.mp4")) as container:
        seen = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    np.testing.assert_allclose(seen, shades, atol=4)


def test_rows_fit_the_manifest(root: Path) -> None:
    frame = demo.rows(root, corpus(actors=2, seed=5))
    assert list(frame["clip"]) == CLIPS
    assert list(frame.intended) == ["happy", "sad"]
    assert set(frame.speaker) == {"1002"}
    assert set(frame.sex) == {"male"}
    for row in frame.itertuples():
        assert (root / row.audio).is_file()
        assert (root / row.video).is_file()
    counts = frame[[column for column in frame if column.startswith("votes_voice_")]]
    assert (counts.sum(axis=1) == 10).all()
    filled = frame.assign(duration=1.0, audio_sha256="", video_sha256="", age=frame.age.astype("Int64"))
    tables.validate(filled, tables.MANIFEST, "demo")


def test_a_lost_video_leaves_its_row_without_a_path(root: Path, tmp_path: Path) -> None:
    (tmp_path / "AudioWAV").mkdir()
    name = names.audio_path(CLIPS[0])
    (tmp_path / name).write_bytes((root / name).read_bytes())
    frame = demo.rows(tmp_path, corpus())
    assert list(frame.video) == [""]
    assert list(frame.audio) == [name]


def test_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match="no demo clips"):
        demo.rows(tmp_path, corpus())
    (tmp_path / "VideoMP4").mkdir()
    (tmp_path / "VideoMP4" / "1005_RVR_SAD_XX.mp4").touch()
    with pytest.raises(UgclError, match="1005_RVR_SAD_XX"):
        demo.rows(tmp_path, corpus(actors=2))
    with pytest.raises(UgclError, match="not in 1001"):
        make_actor(1003, tmp_path, actors=2)
    with pytest.raises(UgclError, match="even number"):
        make_actor(1001, tmp_path, size=129)
    with pytest.raises(UgclError, match="not a clip of actor 1001"):
        make_actor(1001, tmp_path, clips=["1002_RVR_SAD_XX"])


def test_the_contact_sheet_shows_each_actor_and_emotion(root: Path, tmp_path: Path) -> None:
    from PIL import Image

    picture = contact_sheet(root, tmp_path / "figures" / "sheet.png", side=64)
    with Image.open(picture) as sheet:
        assert sheet.size == (44 + 6 * 64, 22 + 64)
        cells = np.asarray(sheet.convert("L"), float)[22:, 44:].reshape(64, 6, 64).std(axis=(0, 2))
    assert (cells[[3, 5]] > 15).all()  # happy and sad are there
    assert (cells[[0, 1, 2, 4]] == 0).all()
    with pytest.raises(UgclError, match="no clip of sentence KEY"):
        contact_sheet(root, tmp_path / "none.png", sentence="KEY")


def test_the_tiny_fixture_is_a_demo_corpus(project: Path) -> None:
    folder = project / "tests" / "fixtures" / "tiny"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 2**20
    frame = demo.rows(folder, corpus(actors=4))
    assert frame["speaker"].nunique() == 4
    assert frame["intended"].value_counts().to_dict() == {"angry": 4, "happy": 4, "neutral": 4}
    assert (frame["audio"] != "").all()
    assert (frame["video"] != "").all()
