"""Features of other programs, one file per clip, laid out as those programs write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from ugcl import config as configuration
from ugcl.config import Config
from ugcl.config.features import Files
from ugcl.data import shards, tables
from ugcl.errors import UgclError
from ugcl.features.encoders.exported.files import FilesEncoder
from ugcl.features.extract import encoded
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.media.interval import Interval
from ugcl.plan import check, paths

OPENFACE = {
    "path": "openface/{clip}.csv", "columns": ["AU*_r", "gaze_angle_?"], "time": "timestamp",
    "success": "success", "confidence": "confidence", "least_confidence": 0.8,
}  # fmt: skip
HEAD = "frame, face_id, timestamp, confidence, success, gaze_angle_x, gaze_angle_y, AU01_r, AU12_r, AU01_c"


def openface(
    path: Path, count: int = 6, fps: float = 30.0, failed: tuple[int, ...] = (), unsure=()
) -> np.ndarray:
    """A table as FeatureExtraction of OpenFace 2.2 writes it; its chosen columns in the order of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.round(np.random.default_rng(count).uniform(0.1, 5, (count, 4)), 3)
    lines = [HEAD]
    for i, (x, y, one, twelve) in enumerate(values):
        good, sure = int(i not in failed), 0.5 if i in unsure else 0.98
        row = (i + 1, 0, f"{i / fps:.3f}", sure, good, x, y, one, twelve, 1.0)
        lines.append(", ".join(map(str, row)))
    path.write_text("\n".join(lines) + "\n")
    return values


def encoder(root: Path, settings: dict, clips=("a", "b")) -> FilesEncoder:
    entry = Files.model_validate({"kind": "files"} | settings)
    rows = [{"clip": name, "audio": "", "video": f"video/{name}.mp4"} for name in clips]
    return FilesEncoder("mine", entry, root, rows)


def failure(model: FilesEncoder, clip: Clip) -> tuple[str, str]:
    ((_, found),) = encoded(model, [clip], 1)
    assert isinstance(found, MediaError)
    return found.failure, found.detail


def test_openface_keeps_its_columns_and_its_clock(tmp_path: Path) -> None:
    x = openface(tmp_path / "openface/a.csv", 60, fps=29.97)
    model = encoder(tmp_path, OPENFACE)
    assert model.columns == ["gaze_angle_x", "gaze_angle_y", "AU01_r", "AU12_r"]
    assert model.rate == pytest.approx(29.97, abs=0.02)
    np.testing.assert_allclose(model.encode(Clip("a")), x, rtol=1e-6)


def test_frames_that_failed_take_the_nearest_good_one_and_move_no_other(tmp_path: Path) -> None:
    x = openface(tmp_path / "openface/a.csv", 8, failed=(0, 3), unsure=(4,))
    found = encoder(tmp_path, OPENFACE).encode(Clip("a"))
    np.testing.assert_allclose(found, x[[1, 1, 2, 2, 5, 5, 6, 7]], rtol=1e-6)


def test_a_clip_whose_frames_all_failed_is_set_aside(tmp_path: Path) -> None:
    openface(tmp_path / "openface/a.csv", 3, failed=(0, 1), unsure=(2,))
    model = encoder(tmp_path, OPENFACE)
    assert failure(model, Clip("a")) == ("no_face", f"{tmp_path}/openface/a.csv: all 3 rows failed")


def test_a_rate_that_is_asked_for_resamples_by_the_times(tmp_path: Path) -> None:
    x = openface(tmp_path / "openface/a.csv", 30, fps=30)
    model = encoder(tmp_path, OPENFACE | {"rate": 10.0})
    np.testing.assert_allclose(model.encode(Clip("a")), x[::3], rtol=1e-6)
    other = openface(tmp_path / "openface/b.csv", 15, fps=15)
    twice = encoder(tmp_path, OPENFACE).encode(Clip("b"))  # the rate is that of the first file, 30
    assert len(twice) == 30
    np.testing.assert_allclose(twice[::2], other, rtol=1e-6)


def test_a_segment_takes_its_own_rows_of_the_recording(tmp_path: Path) -> None:
    x = openface(tmp_path / "openface/talk.csv", 50, fps=25, failed=(12,))
    model = encoder(tmp_path, OPENFACE | {"path": "openface/{stem}.csv"}, clips=("talk",))
    video = tmp_path / "video/talk.mp4"
    part = model.encode(Clip("talk_480-1000", video=video, interval=Interval(0.48, 1.0)))
    np.testing.assert_allclose(part, x[[13, *range(13, 25)]], rtol=1e-6)
    late = Clip("late", video=video, interval=Interval(2.5, 3.0))
    assert failure(model, late)[0] == "truncated"
    lost = Clip("lost", video=video, interval=Interval(0.475, 0.515))
    assert failure(model, lost) == (
        "no_face", f"{tmp_path}/openface/talk.csv: all rows from 0.47 to 0.52 s failed"
    )  # fmt: skip


def test_sound_with_a_file_of_its_own_is_not_cut_by_the_video_s_times(tmp_path: Path) -> None:
    """A corpus that cuts videos alone: the features of sound belong to the sound file, whole."""
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    for stem in ("clip1", "talk"):
        np.save(tmp_path / f"{stem}.npy", x if stem == "clip1" else 1 + x)
    clip = Clip(
        "clip1", tmp_path / "sound/clip1.wav", tmp_path / "video/talk.mp4", interval=Interval(0.2, 0.4)
    )
    rows = [{"clip": "clip1", "audio": "sound/clip1.wav", "video": "video/talk.mp4"}]
    settings = {"kind": "files", "path": "{stem}.npy", "rate": 50}
    for modality, expected in (("audio", x), ("video", 1 + x[10:20])):
        entry = Files.model_validate(settings | {"modality": modality})
        found = FilesEncoder("mine", entry, tmp_path, rows).encode(clip)
        np.testing.assert_array_equal(found, expected)


SMILE = {"path": "smile/{clip}.csv", "modality": "audio", "drop": ["name"], "time": "frameTime"}


def test_opensmile_s_semicolons_and_names(tmp_path: Path) -> None:
    """Frames of -csvoutput (lldcsvoutput), and one row of functionals."""
    (tmp_path / "smile").mkdir()
    rows = ["name;frameTime;F0;loudness", *(f"'a';{0.01 * i:.2f};{100 + i};{0.5 + i}" for i in range(5))]
    (tmp_path / "smile/a.csv").write_text("\n".join(rows) + "\n")
    model = encoder(tmp_path, SMILE)
    assert (model.rate, model.columns) == (100.0, ["F0", "loudness"])
    assert model.encode(Clip("a")).tolist() == [[100 + i, 0.5 + i] for i in range(5)]
    (tmp_path / "smile/a.csv").write_text("name;frameTime;F0_mean\n'a';0.0;113.5\n")
    one = encoder(tmp_path, SMILE | {"rate": 0, "drop": ["name"]})
    assert one.encode(Clip("a")).tolist() == [[113.5]]
    with pytest.raises(UgclError, match="column 'name' is not a number; drop it"):
        encoder(tmp_path, SMILE | {"rate": 0, "drop": []})


def test_mertools_folders_of_utterances_and_of_frames(tmp_path: Path) -> None:
    for folder in ("hubert-UTT", "hubert-FRA"):
        (tmp_path / folder).mkdir()
    x = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    np.save(tmp_path / "hubert-UTT/a.npy", x[0])
    np.save(tmp_path / "hubert-FRA/a.npy", x)
    np.save(tmp_path / "hubert-UTT/b.npy", np.zeros(5))  # what MERTools writes where it found nothing
    utterances = {"path": "hubert-UTT/{clip}.npy", "modality": "audio", "rate": 0}
    model = encoder(tmp_path, utterances)
    np.testing.assert_array_equal(model.encode(Clip("a")), x[:1])
    assert failure(model, Clip("b"))[0] == "silent"
    frames = encoder(tmp_path, {"path": "hubert-FRA/{clip}.npy", "modality": "audio", "rate": 50})
    np.testing.assert_array_equal(frames.encode(Clip("a")), x)
    times = Interval(0.04, 0.1)
    part = Clip("a", tmp_path / "a.wav", interval=times, sound_interval=times)
    np.testing.assert_array_equal(frames.encode(part), x)  # the file is the clip's own
    whole = encoder(tmp_path, utterances | {"path": "hubert-UTT/{stem}.npy"})
    assert "one vector of the whole recording" in failure(whole, part)[1]


def test_an_array_of_an_npz_is_chosen_by_name(tmp_path: Path) -> None:
    x = np.arange(12.0).reshape(4, 3)
    np.savez(tmp_path / "a.npz", vision=x, text=x[:, :2])
    model = encoder(tmp_path, {"path": "{clip}.npz", "array": "vision", "rate": 1})
    np.testing.assert_array_equal(model.encode(Clip("a")), x)
    with pytest.raises(UgclError, match=r"no array '' \(it has vision, text\); set array"):
        encoder(tmp_path, {"path": "{clip}.npz", "rate": 1})


def test_files_that_do_not_fit_are_failures_of_their_clips(tmp_path: Path) -> None:
    arrays = {
        "a": np.ones((2, 3)),
        "wide": np.ones((2, 4)),
        "nan": np.full((2, 3), np.nan),
        "deep": np.ones((1, 2, 3)),
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "void.npy").touch()
    model = encoder(tmp_path, {"path": "{clip}.npy", "rate": 5})
    assert failure(model, Clip("wide")) == (
        "unreadable", f"{tmp_path}/wide.npy: 4 columns, those of other clips have 3"
    )  # fmt: skip
    assert failure(model, Clip("gone", video=tmp_path / "gone.mp4")) == (
        "missing",
        f"{tmp_path}/gone.npy: no such file",
    )
    assert failure(model, Clip("gone"))[0] == "absent"
    for name in ("nan", "deep", "objects"):
        assert failure(model, Clip(name))[0] == "unreadable"
    assert failure(model, Clip("void"))[0] == "empty"


def test_tables_that_do_not_fit_are_failures_of_their_clips(tmp_path: Path) -> None:
    openface(tmp_path / "openface/a.csv")
    text = (tmp_path / "openface/a.csv").read_text()
    (tmp_path / "openface/short.csv").write_text(text.replace("AU12_r", "AU13_r"))
    (tmp_path / "openface/two.csv").write_text(text + text.splitlines()[-1] + "\n")
    (tmp_path / "openface/head.csv").write_text(HEAD + "\n")
    model = encoder(tmp_path, OPENFACE)
    assert "no column 'AU12_r'" in failure(model, Clip("short"))[1]
    assert "does not rise from row to row" in failure(model, Clip("two"))[1]
    assert failure(model, Clip("head"))[0] == "empty"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"path": "all.npy", "rate": 0}, "write {clip} or {stem}"),
        ({"path": "{name}.npy", "rate": 0}, "write {clip} or {stem}"),
        ({"path": "{clip}.pkl", "rate": 0}, "files of this ending cannot be read"),
        ({"path": "{clip}.npy", "rate": 0, "columns": ["x"]}, "an array has no named columns"),
        ({"path": "{clip}.npy", "rate": 0, "array": "x"}, "only an .npz has several"),
        ({"path": "{clip}.csv", "rate": 0, "least_confidence": 0.5}, "name the column"),
        ({"path": "{clip}.csv"}, "give the vectors per second"),
    ],
)
def test_settings_that_say_too_little_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Files.model_validate({"kind": "files"} | settings)


def test_no_file_and_no_column_are_faults_of_the_parameters(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"no clip has its file \(first looked for .*openface/a\.csv\)"):
        encoder(tmp_path, OPENFACE)
    openface(tmp_path / "openface/a.csv")
    with pytest.raises(UgclError, match="has no such column; fix the patterns"):
        encoder(tmp_path, OPENFACE | {"columns": ["AU99*"]})


def test_an_empty_array_does_not_decide_for_the_others(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((0,)))
    np.save(tmp_path / "b.npy", np.ones((2, 3)))
    model = encoder(tmp_path, {"path": "{clip}.npy", "modality": "audio", "rate": 10})
    assert model.dim == 3 and failure(model, Clip("a"))[0] == "empty"
    (tmp_path / "b.npy").unlink()
    with pytest.raises(UgclError, match=r"no file can be read: .*a\.npy: has no values"):
        encoder(tmp_path, {"path": "{clip}.npy", "modality": "audio", "rate": 10})


def test_the_digest_is_that_of_the_clips_files(tmp_path: Path) -> None:
    openface(tmp_path / "openface/a.csv")
    openface(tmp_path / "openface/stray.csv", 9)
    first = encoder(tmp_path, OPENFACE).settings
    openface(tmp_path / "openface/stray.csv", 10)
    assert encoder(tmp_path, OPENFACE).settings == first
    openface(tmp_path / "openface/b.csv", 7)
    assert encoder(tmp_path, OPENFACE).settings["sha256"] != first["sha256"]


def test_the_workflow_encodes_them_and_says_what_is_lost(tiny: Config, ugcl) -> None:
    names = tables.read_manifest(paths.manifest("tiny"))["clip"].tolist()
    values = {name: openface(Path(f"clips/openface/{name}.csv"), 20 + i) for i, name in enumerate(names)}
    Path(f"clips/openface/{names[0]}.csv").unlink()
    openface(Path(f"clips/openface/{names[1]}.csv"), 5, failed=tuple(range(5)))
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["encoders"]["au"] = {"kind": "files"} | OPENFACE
    tree["benchmarks"]["tiny"]["features"]["video"] = "au"
    tree["data"]["max_quarantined"] = 0.5
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    ugcl("features", "encode", "tiny", "au", "1")
    ugcl("features", "index", "tiny", "au")
    store = shards.FeatureStore(paths.features("tiny", "au"))
    np.testing.assert_allclose(store[names[5]].numpy(), values[names[5]], atol=5e-3)
    assert store.info.rate == pytest.approx(30, abs=0.1)
    ugcl("features", "quarantine", "tiny")
    lost = tables.read(paths.quarantine("tiny")).set_index("clip")
    assert lost["failure"].to_dict() == {names[0]: "missing", names[1]: "no_face"}
    assert f"openface/{names[0]}.csv: no such file" in lost.loc[names[0], "detail"]


def test_a_folder_that_is_not_there_stops_the_workflow(tiny: Config, project: Path, monkeypatch) -> None:
    root = Path("clips").absolute()
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["corpora"]["tiny"]["root"] = str(root)
    tree["encoders"]["au"] = {"kind": "files"} | OPENFACE
    tree["benchmarks"]["tiny"]["features"]["video"] = "au"
    config = configuration.parse(tree)
    monkeypatch.chdir(project)
    with pytest.raises(UgclError, match=r"encoders\.au\.path: folder .*/clips/openface not found"):
        check.check(config)
    (root / "openface").mkdir()
    check.check(config)
