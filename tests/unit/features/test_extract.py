"""From a manifest to shards, indexes and the quarantine table, with bad clips kept in the books."""

from __future__ import annotations

import copy
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from typer.testing import CliRunner

from ugcl import config as parameters
from ugcl.cli.features import app
from ugcl.data import shards, tables
from ugcl.data.shards import FeatureStore
from ugcl.errors import UgclError
from ugcl.features import extract, quarantine
from ugcl.features.faces import table
from ugcl.features.faces.extract import faces_shard
from ugcl.features.faces.mtcnn import Mtcnn
from ugcl.features.media.video import frames
from ugcl.plan import paths

TREE = {
    "active": ["b"],
    "benchmarks": {
        "b": {
            "corpus": "c",
            "protocol": "p",
            "features": {"audio": "logmel", "video": "hog"},
            "systems": ["s"],
            "reference": "s",
            "seeds": [0],
        }
    },
    "corpora": {
        "c": {
            "adapter": "folder",
            "shards": 2,
            "protocols": {
                "p": {
                    "label": "intended",
                    "classes": ["x", "y"],
                    "folds": {"scheme": "speaker_blocks", "folds": 3},
                }
            },
        }
    },
    "encoders": {"logmel": {"kind": "logmel", "pool": 4}, "hog": {"kind": "hog"}},
    "systems": {"s": {}},
}


def manifest(rows: list[tuple[str, str, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["clip", "audio", "video"])
    for column in ("sex", "age", "sentence", "session", "level", "audio_sha256", "video_sha256"):
        frame[column] = ""
    frame["duration"] = 1.0
    frame["speaker"] = [
        f"s{number // 2}" for number in range(len(frame))
    ]  # each says both, so folds can be cut
    frame["intended"] = ["x", "y"] * (len(frame) // 2) + ["x"] * (len(frame) % 2)
    tables.write(frame.sort_values("clip"), paths.manifest("c"))


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(TREE))
    return parameters.load()


def write_crowd(path: Path, picture: np.ndarray) -> None:
    """A second of a face shown twice side by side, each in the middle of its half; neither moves."""
    (face,) = Mtcnn(0.2)(picture)
    off = picture.shape[1] / 2 - (face.box[0] + face.box[2] / 2)
    picture = np.roll(picture, round(off), axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = picture.shape[0], 2 * picture.shape[1], "yuv420p"
        both = np.hstack([picture, picture])
        for _ in range(25):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(both, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture
def bad_corpus(config, tmp_path, tone, write_video, project):
    """Two good sounds, and one clip for every way to fail; the pictures are grey."""
    root = tmp_path / "data/raw/c"
    root.mkdir(parents=True)
    for name in ("good1", "good2", "cut", "faceless"):
        soundfile.write(root / f"{name}.wav", tone * 0.5, 16000)
    (root / "cut.wav").write_bytes((root / "cut.wav").read_bytes()[:9000])
    (root / "zero.wav").touch()
    soundfile.write(root / "quiet.wav", np.zeros(8000), 16000)
    write_video(root / "mute.mp4", list(range(10)), Fraction(1, 25))
    (root / "corrupt.mp4").write_bytes(bytes(range(256)) * 40)
    write_video(root / "faceless.mp4", list(range(12)), Fraction(1, 25))
    face = next(frames(project / "tests/fixtures/tiny/VideoMP4/1001_KEY_ANG_XX.mp4")).rgb()
    write_crowd(root / "crowd.mp4", face)
    manifest(
        [
            ("crowd", "", "crowd.mp4"),
            ("good1", "good1.wav", ""),
            ("good2", "good2.wav", ""),
            ("cut", "cut.wav", ""),
            ("zero", "zero.wav", ""),
            ("quiet", "quiet.wav", ""),
            ("mute", "", "mute.mp4"),
            ("corrupt", "", "corrupt.mp4"),
            ("gone", "gone.wav", ""),
            ("faceless", "faceless.wav", "faceless.mp4"),
        ]
    )
    return config


def test_every_bad_clip_is_in_the_books_with_its_reason(bad_corpus):
    for shard in (1, 2):
        faces_shard(bad_corpus, "c", shard)
        for encoder in ("logmel", "hog"):
            extract.encode_shard(bad_corpus, "c", encoder, shard)
    sounds = shards.read_tables(paths.features("c", "logmel"), 2).set_index("clip")["failure"].to_dict()
    assert sounds == {
        "good1": "", "good2": "", "faceless": "", "cut": "truncated", "zero": "empty", "quiet": "silent",
        "crowd": "no_audio", "mute": "no_audio", "corrupt": "unreadable", "gone": "missing",
    }  # fmt: skip
    pictures = shards.read_tables(paths.features("c", "hog"), 2).set_index("clip")["failure"].to_dict()
    assert pictures["faceless"] == "no_face"
    assert pictures["corrupt"] == "unreadable"
    assert pictures["good1"] == "absent"
    assert pictures["crowd"] == "several_faces"
    summaries = [pd.read_csv(table.summary_path(paths.faces("c", s)), keep_default_na=False) for s in (1, 2)]
    summary = pd.concat(summaries).set_index("clip")
    assert summary.loc["faceless", ["frames", "frames_with_face"]].tolist() == [12, 0]

    with pytest.raises(UgclError, match=r"10 of 10 clips .* the limit is 10\.0%"):
        quarantine.quarantine(bad_corpus, "b")
    generous = bad_corpus.model_copy(
        update={"data": bad_corpus.data.model_copy(update={"max_quarantined": 1})}
    )
    quarantine.quarantine(generous, "b")
    listed = tables.read(paths.quarantine("b"))
    assert listed.columns.tolist() == quarantine.COLUMNS
    pairs = set(zip(listed["clip"], listed["modality"], listed["failure"], strict=True))
    assert {("zero", "audio", "empty"), ("faceless", "video", "no_face")} <= pairs
    assert ("crowd", "video", "several_faces") in pairs
    assert ("faceless", "audio", "") not in pairs
    assert listed["detail"].str.len().min() > 0


def test_second_run_gives_the_same_bytes(bad_corpus):
    path = extract.encode_shard(bad_corpus, "c", "logmel", 1)
    first = path.read_bytes(), path.with_suffix(".csv").read_bytes()
    path.unlink()
    assert extract.encode_shard(bad_corpus, "c", "logmel", 1) == path
    assert (path.read_bytes(), path.with_suffix(".csv").read_bytes()) == first
    assert not list(path.parent.glob("*.partial"))


def test_a_clip_that_the_face_table_does_not_know_has_no_face(bad_corpus):
    """As where the manifest grew after the faces were looked for: the others keep their own tracks."""
    path = faces_shard(bad_corpus, "c", 1)
    summary = tables.read(table.summary_path(path))
    crowd = summary["clip"] == "crowd"
    tables.write(summary[~crowd], table.summary_path(path))
    rows = tables.read(path)
    tables.write(rows[rows["clip"] != "crowd"], path)
    extract.encode_shard(bad_corpus, "c", "hog", 1)
    books = tables.read(shards.table_path(paths.features("c", "hog"), 1)).set_index("clip")
    assert books.loc["crowd", "failure"] == "no_face" and "no row" in books.loc["crowd", "detail"]
    assert books.loc["faceless", "detail"].startswith("a face on 0 of 12 frames")


def test_the_command_line_does_the_same(bad_corpus):
    runner = CliRunner()
    for arguments in (
        ["encode", "c", "logmel", "1", "--threads", "1"],
        ["encode", "c", "logmel", "2"],
        ["index", "c", "logmel"],
    ):
        result = runner.invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    store = FeatureStore(paths.features("c", "logmel"))
    assert store.clips == ["faceless", "good1", "good2"]
    assert store["good1"].shape == (26, 80)  # 101 hops in windows of four
    assert store.info.rate == pytest.approx(25)


def test_unknown_names_are_refused(config):
    for corpus, encoder in (("c", "nobody"), ("nobody", "logmel")):
        with pytest.raises(UgclError, match="nobody"):
            extract.build(config, corpus, encoder)


def test_weights_that_are_nowhere_are_told(config, monkeypatch):
    from ugcl.features.networks.weights import weights_folder

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UgclError, match=r"encoders\.w\.weights: 'no/where'"):
        weights_folder(config, "w", "no/where")


def test_quarantine_refuses_books_that_lack_a_clip():
    clips = pd.DataFrame({"clip": ["a", "b"], "speaker": "s", "label": "x"})
    books = pd.DataFrame({"clip": ["a"], "failure": [""], "detail": [""]})
    with pytest.raises(UgclError, match="'b'"):
        quarantine.failures(clips, {"audio": books})


def test_the_limit_counts_clips_not_rows():
    rows = [("a", "s", "x", "audio", "silent", "-"), ("a", "s", "x", "video", "no_face", "-")]
    failed = pd.DataFrame(rows, columns=quarantine.COLUMNS[:-1])
    quarantine.check(failed, 10, 0.1, "b")
    with pytest.raises(UgclError, match=r"1 of 10 clips \(10\.0%\).*1 no_face, 1 silent"):
        quarantine.check(failed, 10, 0.09, "b")


def test_real_clips_pass_from_media_to_every_store(config, tmp_path, mirror, monkeypatch):
    monkeypatch.setenv("UGCL_MIRROR", str(mirror))
    tree = copy.deepcopy(TREE)
    weights = "models/whisper-tiny.en-encoder"
    tree["encoders"]["whisper"] = {"kind": "whisper", "weights": weights, "pool": 4}
    tree["corpora"]["c"]["root"] = str(mirror / "clips")
    config = parameters.parse(tree)
    names = sorted(path.stem for path in (mirror / "clips/AudioWAV").glob("*.wav"))
    manifest([(name, f"AudioWAV/{name}.wav", f"VideoFlash/{name}.flv") for name in names])
    for shard in (1, 2):
        summary = pd.read_csv(table.summary_path(faces_shard(config, "c", shard)))
        assert (summary["frames_with_face"] == summary["frames"]).all()
        for encoder in config.encoders:
            extract.encode_shard(config, "c", encoder, shard)
    stores = {}
    for encoder in config.encoders:
        extract.build_index(config, "c", encoder)
        stores[encoder] = FeatureStore(paths.features("c", encoder))
        assert stores[encoder].clips == names
    assert {name: store.info.dim for name, store in stores.items()} == {
        "logmel": 80, "hog": 1764, "whisper": 5 * 384,
    }  # fmt: skip
    assert len(stores["whisper"].metadata["settings"]["sha256"]) == 64
    for name in names:
        seconds = soundfile.info(mirror / f"clips/AudioWAV/{name}.wav").duration
        assert len(stores["logmel"][name]) / 25 == pytest.approx(seconds, abs=0.05)
        assert len(stores["whisper"][name]) / 12.5 == pytest.approx(seconds, abs=0.09)
        assert len(stores["hog"][name]) / 25 == pytest.approx(seconds, abs=0.1)
    quarantine.quarantine(config, "b")
    assert len(tables.read(paths.quarantine("b"))) == 0
