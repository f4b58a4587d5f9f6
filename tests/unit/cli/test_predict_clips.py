"""`ugcl predict` on the tiny clips: what it says, writes, does without, and refuses."""

from __future__ import annotations

import json
import shutil
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
from ugcl.plan import paths
from ugcl.training.checkpoint import load_run

CLIP = "1001_KEY_ANG_XX"
CLASSES = ["p_angry", "p_happy", "p_neutral"]


def by_hand(config: Config, clip: str, without: str = "", system: str = "ugcl") -> np.ndarray:
    """The ensemble's probabilities from the stored features, one run after the other."""
    fitted = temperature.read("tiny", system)
    found = []
    for fold in config.folds("tiny"):
        model, card = load_run(paths.MODELS / paths.run("tiny", system, 0, fold))
        x = {
            m: FeatureStore(paths.features("tiny", f["encoder"]))[clip].float()[None]
            for m, f in card["features"].items()
        }
        present = {m: torch.tensor([m != without]) for m in x}
        masks = {m: torch.full(f.shape[:2], m != without) for m, f in x.items()}
        with torch.inference_mode():
            batch = Batch(x, masks, present, torch.zeros(1), [clip], [clip])
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
            path.write_text(json.dumps(card))
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


def test_files_of_one_stem_are_paired_only_as_one_sound_and_one_video(tmp_path: Path) -> None:
    for name in ("a/x.wav", "b/x.mp4", "a/y.wav", "b/y.wav", "a/y.mp4", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    clips = {clip.name: clip for clip in user_clips.find([str(tmp_path)])}
    assert (clips["x"].audio, clips["x"].video) == (tmp_path / "a/x.wav", tmp_path / "b/x.mp4")
    assert len(clips) == 4 and clips[f"{tmp_path}/a/y.mp4"].audio is None
    assert len(user_clips.find([f"{tmp_path}/a/*.wav"])) == 2


@pytest.mark.parametrize("duration", [0.3, 1.0, 2.37])
def test_windows_cover_the_clip_without_gaps(duration: float) -> None:
    places = inference.windows(duration, 1.0, 0.2)
    assert places[0][0] == 0 and places[-1][1] == pytest.approx(duration)
    assert all(b[0] < a[1] and b[0] >= a[0] for a, b in pairwise(places))
