"""`ugcl predict` on the tiny clips: what it says, writes, does without, and refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import yaml

from ugcl.config import Config
from ugcl.data.dataset import Batch
from ugcl.data.shards import FeatureStore
from ugcl.inference import clips as user_clips
from ugcl.inference import ensemble as inference
from ugcl.inference import temperature
from ugcl.inference.observation import Observer
from ugcl.plan import paths
from ugcl.training.state.checkpoint import load_run, save_run

CLIP = "1001_KEY_ANG_XX"
CLASSES = ["p_angry", "p_happy", "p_neutral"]


def by_hand(config: Config, clip: str, without: str = "", system: str = "ugcl") -> np.ndarray:
    """The ensemble's probabilities from the stored features, one run after the other."""
    fitted = temperature.read("tiny", system)
    found = []
    for fold in config.folds("tiny"):
        model, card = load_run(paths.MODELS / paths.run("tiny", system, 0, fold))
        x = {
            m: FeatureStore(paths.features("tiny", info.encoder))[clip].float()[None]
            for m, info in card.features.items()
        }
        present = {m: torch.tensor([m != without]) for m in x}
        masks = {m: torch.full(f.shape[:2], m != without) for m, f in x.items()}
        with torch.inference_mode():
            batch = Batch(x, masks, present, torch.zeros(1, dtype=torch.long), [clip], [""])
            logits = model(batch)["logits"].double()
        found.append(torch.softmax(logits / fitted[0, fold], dim=1)[0].numpy())
    return np.mean(found, axis=0)


def test_a_clip_s_probabilities_are_the_mean_of_the_calibrated_runs(tiny: Config, ugcl) -> None:
    result = ugcl("predict", f"clips/AudioWAV/{CLIP}.wav", f"clips/VideoMP4/{CLIP}.mp4", "--json")
    (row,) = json.loads(result.stdout)["clips"]
    assert row["modalities"] == "audio+video" and row["clip"] == CLIP
    assert list(row["probabilities"].values()) == pytest.approx(by_hand(tiny, CLIP), abs=2e-3)
    assert row["confidence"] == max(row["probabilities"].values())
    assert 0 < row["speech_seconds"] < row["duration"] and row["face_share"] > 0.9
    assert "runs were trained or selected on" in row["notes"][0]


def mute(source: Path, target: Path) -> None:
    """Copy the pictures of a video and leave its sound out."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)


@pytest.mark.parametrize(("name", "without"), [(f"AudioWAV/{CLIP}.wav", "video"), ("mute.mp4", "audio")])
def test_half_a_clip_is_predicted_with_the_missing_token(tiny: Config, ugcl, name: str, without: str) -> None:
    mute(Path(f"clips/VideoMP4/{CLIP}.mp4"), Path("clips/mute.mp4"))
    result = ugcl("predict", f"clips/{name}", "--json")
    (row,) = json.loads(result.stdout)["clips"]
    assert row["modalities"] == {"video": "audio", "audio": "video"}[without]
    assert list(row["probabilities"].values()) == pytest.approx(by_hand(tiny, CLIP, without), abs=2e-3)
    assert row["notes"][0].startswith(f"no {without} used: ")


def test_a_folder_is_paired_and_a_bad_file_is_reported_while_the_rest_goes_on(tiny: Config, ugcl) -> None:
    Path("clips/VideoMP4/broken.mp4").write_bytes(b"junk")
    result = ugcl("predict", "clips", "--system", "audio-only", "--fold", "2", "--out", "found")
    assert "not predicted: broken: " in result.stderr
    frame = pd.read_csv("found/predictions.csv", keep_default_na=False)
    assert len(frame) == 13 and frame["clip"].is_monotonic_increasing
    bad = frame[frame["clip"] == "broken"].iloc[0]
    assert bad["failure"] and bad["predicted"] == ""
    good = frame[frame["failure"] == ""]
    assert good[CLASSES].astype(float).sum(axis=1).to_numpy() == pytest.approx(np.ones(12), abs=1e-5)
    tree = json.loads(Path("found/predictions.json").read_text())
    assert tree["runs"] == [{"seed": 0, "fold": 2}] and tree["calibrated"] is True
    assert [row["clip"] for row in tree["clips"]] == frame["clip"].tolist()


def two_faces(source: Path, target: Path) -> None:
    """The pictures of a video beside themselves, without sound."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream("libx264", rate=25)
        for number, frame in enumerate(old.decode(video=0)):
            pixels = np.hstack([frame.to_ndarray(format="rgb24")] * 2)
            if number == 0:
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            new.mux(stream.encode(picture))
        new.mux(stream.encode(None))


def test_every_note_on_faces_stands_beside_the_prediction(tiny: Config, ugcl) -> None:
    two_faces(Path(f"clips/VideoMP4/{CLIP}.mp4"), Path("two.mp4"))
    told = ugcl("faces", "two.mp4").stderr.splitlines()[-1]
    assert told.startswith("note: two: several faces on ")
    files = ("two.mp4", shutil.copy(f"clips/AudioWAV/{CLIP}.wav", "two.wav"))
    (row,) = json.loads(ugcl("predict", *files, "--json").stdout)["clips"]
    assert told.removeprefix("note: two: ") in row["notes"]
    assert told in ugcl("predict", *files).stdout.splitlines()


def test_notes_on_the_file_stand_beside_the_prediction(tiny: Config, ugcl) -> None:
    samples, rate = soundfile.read(f"clips/AudioWAV/{CLIP}.wav")
    soundfile.write("stale.wav", samples, rate, subtype="PCM_16")
    content = bytearray(Path("stale.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = (800).to_bytes(4, "little")
    Path("stale.wav").write_bytes(content)
    (row,) = json.loads(ugcl("predict", "stale.wav", "--json").stdout)["clips"]
    assert row["duration"] == pytest.approx(len(samples) / rate, abs=1e-4)
    assert any(note.startswith("the header names 0.0") for note in row["notes"])


@pytest.mark.parametrize("kind", ["AIFF", "AU"])
def test_sound_behind_the_end_that_a_header_names_is_never_cut_off_silently(
    tiny: Config, ugcl, kind: str
) -> None:
    samples, rate = soundfile.read(f"clips/AudioWAV/{CLIP}.wav")
    path = Path(f"x.{kind.lower()}")
    soundfile.write(path, samples, rate, "PCM_16", "BIG", kind)
    (whole,) = json.loads(ugcl("predict", path.name, "--json").stdout)["clips"]
    assert whole["duration"] == pytest.approx(len(samples) / rate, abs=1e-4)
    content = bytearray(path.read_bytes())
    size = (2 * rate // 10).to_bytes(4, "big")  # of 0.1 s
    if kind == "AU":
        content[8:12] = size
    else:
        at = content.index(b"SSND") + 4
        content[at : at + 4] = (2 * rate // 10 + 8).to_bytes(4, "big")
        at = content.index(b"COMM") + 10
        content[at : at + 4] = (rate // 10).to_bytes(4, "big")
    path.write_bytes(content)
    error = ugcl("predict", path.name, code=1).stderr
    assert f"names 0.10 s of sound, the file holds {len(samples) / rate:.2f} s; save it again" in error


def test_a_long_clip_is_the_mean_over_its_stretches(tiny: Config, ugcl, monkeypatch) -> None:
    video, audio = (f"clips/{kind}/{CLIP}.{end}" for kind, end in (("VideoMP4", "mp4"), ("AudioWAV", "wav")))
    (one,) = json.loads(ugcl("predict", video, audio, "--json").stdout)["clips"]
    assert not any(note.startswith("long: ") for note in one["notes"])
    monkeypatch.setattr(inference, "LONGEST", one["duration"] / 2.5)
    (row,) = json.loads(ugcl("predict", video, audio, "--json").stdout)["clips"]
    assert any(note.startswith("long: the mean over 3 stretches") for note in row["notes"])
    ensemble = inference.load(tiny, "tiny", "ugcl")
    observe = Observer(tiny, ensemble.run, ensemble.infos)
    seen = observe(user_clips.find([video, audio])[0])
    edges = np.linspace(0, seen.duration, 4)
    parts = [inference.within(seen, ensemble.infos, *place) for place in pairwise(edges)]
    expected = np.mean([ensemble([part])[0] for part in parts], axis=0)
    assert list(row["probabilities"].values()) == pytest.approx(expected, abs=1e-5)


def test_only_when_nothing_works_is_it_an_error(tiny: Config, ugcl) -> None:
    Path("broken.mp4").write_bytes(b"junk")
    assert "broken" in ugcl("predict", "broken.mp4", code=1).stderr
    assert "no such file" in ugcl("predict", "nowhere/*.mp4", code=1).error
    assert "has no system 'other'" in ugcl("predict", "clips", "--system", "other", code=1).error
    assert "has no fold 9" in ugcl("predict", "clips", "--fold", "9", code=1).error


def test_a_timeline_covers_the_clip_and_is_drawn(tiny: Config, ugcl) -> None:
    ugcl(
        "predict", f"clips/VideoMP4/{CLIP}.mp4", f"clips/AudioWAV/{CLIP}.wav", "--timeline", "--out", "found"
    )
    frame = pd.read_csv(f"found/{CLIP}.timeline.csv")
    samples, rate = soundfile.read(f"clips/AudioWAV/{CLIP}.wav")
    assert frame["start"].iloc[0] == 0 and frame["end"].iloc[-1] == pytest.approx(
        len(samples) / rate, abs=0.1
    )
    assert (frame["start"] <= frame["time"]).all() and (frame["time"] <= frame["end"]).all()
    assert frame[CLASSES].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(frame)), abs=1e-5)
    assert Path(f"found/{CLIP}.timeline.png").stat().st_size > 20_000


def test_a_precomputed_modality_is_missing_and_refused_when_alone(tiny: Config, ugcl) -> None:
    for system in ("ugcl", "audio-only"):
        for path in (paths.MODELS / "tiny" / system).rglob("card.json"):
            card = json.loads(path.read_text())
            card["run"]["encoders"]["logmel"] = {
                "kind": "table", "modality": "audio", "path": "x.csv", "rate": 12.5
            }  # fmt: skip
            save_run(path.parent, load_run(path.parent)[0].state_dict(), card)
    shutil.rmtree(paths.PREDICTIONS)
    result = ugcl("predict", f"clips/VideoMP4/{CLIP}.mp4", "--json")
    (row,) = json.loads(result.stdout)["clips"]
    assert row["modalities"] == "video" and "its features are precomputed" in row["notes"][0]
    assert "no clip can be encoded" in ugcl("predict", "clips", "--system", "audio-only", code=1).error


def test_an_encoder_of_the_card_wins_over_the_parameters_of_today(tiny: Config, ugcl) -> None:
    before = ugcl("predict", f"clips/AudioWAV/{CLIP}.wav", "--json").stdout
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["encoders"]["logmel"]["bands"] = 40
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    assert ugcl("predict", f"clips/AudioWAV/{CLIP}.wav", "--json").stdout == before


def test_without_a_fitted_temperature_it_says_so(tiny: Config, ugcl) -> None:
    shutil.rmtree(paths.PREDICTIONS)
    assert "NOT calibrated" in ugcl("predict", f"clips/AudioWAV/{CLIP}.wav").stdout


def clips_of(folder: Path, *names: str) -> dict[str, tuple[Path | None, Path | None]]:
    """The clips that a folder with these files stands for: name → sound, video; paths from the folder."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    here = lambda path: path and path.relative_to(folder).as_posix()  # noqa: E731
    return {
        clip.name.removeprefix(f"{folder}/"): (here(clip.audio), here(clip.video))
        for clip in user_clips.find([str(folder)])
    }


def test_files_of_one_stem_are_paired_only_as_one_sound_and_one_video(tmp_path: Path) -> None:
    clips = clips_of(tmp_path, "a/x.wav", "a/x.mp4", "a/y.wav", "a/y.flac", "a/y.mp4", "a/notes.txt")
    assert clips.pop("x") == ("a/x.wav", "a/x.mp4")
    assert clips == {
        "a/y.wav": ("a/y.wav", None), "a/y.flac": ("a/y.flac", None), "a/y.mp4": (None, "a/y.mp4")
    }  # fmt: skip
    assert len(user_clips.find([f"{tmp_path}/a/*.wav"])) == 2


def test_a_person_s_sound_never_joins_another_person_s_picture(tmp_path: Path) -> None:
    assert clips_of(tmp_path / "one", "anna/take1.wav", "bob/take1.mp4") == {
        "anna/take1.wav": ("anna/take1.wav", None), "bob/take1.mp4": (None, "bob/take1.mp4")
    }  # fmt: skip
    names = [f"{who}/take1.{kind}" for who in ("anna", "bob", "carl") for kind in ("wav", "mp4")]
    assert clips_of(tmp_path / "all", *names) == {
        f"{who}/take1": (f"{who}/take1.wav", f"{who}/take1.mp4") for who in ("anna", "bob", "carl")
    }


def test_folders_named_after_their_kind_are_paired_person_by_person(tmp_path: Path) -> None:
    names = [
        f"{kind}/{who}/t.{end}" for who in "ab" for kind, end in (("AudioWAV", "wav"), ("VideoMP4", "mp4"))
    ]
    clips = clips_of(tmp_path, *names, "AudioWAV/c/t.wav", "VideoMP4/d/t.mp4")
    assert clips["AudioWAV/a/t"] == ("AudioWAV/a/t.wav", "VideoMP4/a/t.mp4")
    assert clips["AudioWAV/b/t"] == ("AudioWAV/b/t.wav", "VideoMP4/b/t.mp4")
    assert clips["AudioWAV/c/t.wav"][1] is None and clips["VideoMP4/d/t.mp4"][0] is None


def test_linked_folders_are_gone_through_and_broken_links_are_reported(
    tiny: Config, ugcl, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree("clips/AudioWAV", tmp_path / "elsewhere")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "again").symlink_to(folder)
    (folder / "lost.wav").symlink_to(tmp_path / "gone.wav")
    (folder / "lost").symlink_to(tmp_path / "gone")
    result = ugcl("predict", str(folder), "--system", "audio-only", "--json")
    rows = json.loads(result.stdout)["clips"]
    assert len([row for row in rows if row["predicted"]]) == 12
    assert "not predicted: lost: missing: " in result.stderr and "gone.wav" in result.stderr
    assert f"lost: a link to {tmp_path}/gone, which does not exist" in caplog.text


def test_a_missing_file_is_reported_and_the_rest_goes_on(tiny: Config, ugcl) -> None:
    result = ugcl("predict", "nowhere.wav", f"clips/AudioWAV/{CLIP}.wav", "--json")
    assert [bool(row["predicted"]) for row in json.loads(result.stdout)["clips"]] == [True, False]
    assert "not predicted: nowhere: audio: missing: nowhere.wav: no such file" in result.stderr


def test_names_in_another_encoding_and_very_long_ones_are_predicted(tiny: Config) -> None:
    content = Path(f"clips/AudioWAV/{CLIP}.wav").read_bytes()
    folder = Path("names")
    folder.mkdir()
    names = [b"lat\xe9in.wav", b"lat\xe8in.wav", b"x" * 246 + b".wav", b"y" * 245 + b"1.wav"]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(content)
    command = [sys.executable, "-m", "ugcl", "predict", "names", "--timeline", "--out", "found"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["clips"]
    assert [row["clip"][:9] for row in rows] == ["lat\\xe8in", "lat\\xe9in", "x" * 9, "y" * 9]
    assert len({row["confidence"] for row in rows}) == 1 and rows[0]["confidence"] > 0
    assert len(list(Path("found").glob("*.timeline.png"))) == len(names)
    assert pd.read_csv("found/predictions.csv")["clip"].tolist() == [row["clip"] for row in rows]
    assert subprocess.run(command[:-2], capture_output=True).returncode == 0
    exported = [*command[:5], "--export", "textgrid,eaf,vtt,srt", "--out", "exported"]
    done = subprocess.run(exported, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for ending in ("TextGrid", "eaf", "vtt", "srt"):
        files = list(Path("exported").glob(f"*.{ending}"))
        assert len(files) == len(names) and all(path.read_text("utf-8") for path in files)


@pytest.mark.parametrize("duration", [0.3, 1.0, 2.37])
def test_windows_cover_the_clip_without_gaps(duration: float) -> None:
    places = inference.windows(duration, 1.0, 0.2)
    assert places[0][0] == 0 and places[-1][1] == pytest.approx(duration)
    assert all(b[0] < a[1] and b[0] >= a[0] for a, b in pairwise(places))
