"""Predictions of a system trained on synthetic clips say so; `ugcl predict` works from any folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ugcl.config import Config
from ugcl.plan import paths
from ugcl.reports.timeline import BENDS, smoothing

CLIP = "1001_KEY_ANG_XX"
FILES = (f"clips/VideoMP4/{CLIP}.mp4", f"clips/AudioWAV/{CLIP}.wav")


def outputs(ugcl) -> dict[str, str]:
    """What a user sees of one prediction: terminal, JSON, CSV, timeline's CSV and title of its picture."""
    shown = ugcl("predict", *FILES, "--timeline", "--out", "found").stdout
    table = pd.read_csv("found/predictions.csv", keep_default_na=False)
    line = pd.read_csv(f"found/{CLIP}.timeline.csv", keep_default_na=False)
    return {
        "terminal": shown.splitlines()[0],
        "json": json.loads(Path("found/predictions.json").read_text())["marks"],
        "printed": json.loads(ugcl("predict", *FILES, "--json").stdout)["marks"],
        "csv": " ".join(set(table["marks"])),
        "timeline": " ".join(set(line["marks"])),
        "png": Image.open(f"found/{CLIP}.timeline.png").text["Title"],
    }


def change_cards(synthetic: bool) -> None:
    for path in paths.MODELS.rglob("card.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"synthetic": synthetic}))


def test_synthetic_training_is_said_in_every_output(tiny: Config, ugcl) -> None:
    assert all("SYNTHETIC" in text for text in outputs(ugcl).values())


def test_a_card_of_real_clips_leaves_no_mark(tiny: Config, ugcl) -> None:
    change_cards(synthetic=False)
    assert not any("SYNTHETIC" in text for text in outputs(ugcl).values())


def test_one_synthetic_run_among_several_marks_the_prediction(tiny: Config, ugcl) -> None:
    change_cards(synthetic=False)
    path = paths.MODELS / paths.run("tiny", "ugcl", 0, 2) / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"synthetic": True}))
    assert json.loads(ugcl("predict", *FILES, "--json").stdout)["marks"] == "SYNTHETIC"
    assert json.loads(ugcl("predict", *FILES, "--json", "--fold", "1").stdout)["marks"] == ""


def elsewhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another folder with the clip, now the working folder."""
    folder = project.parent / "elsewhere"
    folder.mkdir()
    for name in FILES:
        shutil.copy(project / name, folder)
    monkeypatch.chdir(folder)
    return folder


def test_a_project_elsewhere_predicts_the_same(tiny: Config, ugcl, monkeypatch) -> None:
    project = Path.cwd()
    expected = json.loads(ugcl("predict", *FILES, "--json").stdout)["clips"][0]["probabilities"]
    folder = elsewhere(project, monkeypatch)
    assert "--project" in ugcl("predict", f"{CLIP}.wav", code=1).error
    found = json.loads(
        ugcl("predict", ".", "--project", "../project", "--timeline", "--out", "found", "--json").stdout
    )
    assert found["clips"][0]["probabilities"] == expected and found["calibrated"]
    assert Path.cwd() == folder
    assert {path.name for path in Path("found").iterdir()} == {
        "predictions.csv", "predictions.json", f"{CLIP}.timeline.csv", f"{CLIP}.timeline.png"
    }  # fmt: skip
    ugcl("predict", f"{CLIP}.wav", "--project", "../project", "--timeline")
    assert Path(f"{CLIP}.timeline.png").is_file()


def test_the_folder_of_a_run_or_of_a_system_predicts_as_its_name(tiny: Config, ugcl, monkeypatch) -> None:
    project = Path.cwd()
    whole = json.loads(ugcl("predict", *FILES, "--system", "concat", "--json").stdout)
    one = json.loads(ugcl("predict", *FILES, "--system", "concat", "--fold", "2", "--json").stdout)
    elsewhere(project, monkeypatch)
    folder = "../project/results/models/tiny/concat"
    for path, expected in ((folder, whole), (f"{folder}/seed0/fold2", one)):
        found = json.loads(ugcl("predict", ".", "--system", path, "--json").stdout)
        assert found["runs"] == expected["runs"] and found["calibrated"] and found["system"] == "concat"
        assert found["clips"][0]["probabilities"] == expected["clips"][0]["probabilities"]
    assert "no card.json" in ugcl("predict", ".", "--system", "./", code=1).error
    assert "several systems" in ugcl("predict", ".", "--system", "../project/results/", code=1).error
    assert ugcl("predict", ".", "--system", folder, "--fold", "1", code=2)


def test_a_run_that_was_copied_away_has_no_temperature_of_another(tiny: Config, ugcl) -> None:
    shutil.copytree("results/models/tiny/ugcl/seed0/fold1", "../given")
    found = json.loads(ugcl("predict", *FILES, "--system", "../given", "--json").stdout)
    assert found["runs"] == [{"seed": 0, "fold": 1}] and not found["calibrated"]


def timeline(duration: float, step: float) -> pd.DataFrame:
    time = (np.arange(round(duration / step)) + 0.5) * step
    wave = (np.arange(len(time)) % 2).astype(float)
    return pd.DataFrame({"time": time, "start": time, "end": time, "p_a": wave, "p_b": 1 - wave})


def test_a_long_timeline_is_a_running_mean_and_a_short_one_is_not() -> None:
    short, width = smoothing(timeline(5, 0.2), 5)
    assert width == 0 and short["p_a"].tolist() == timeline(5, 0.2)["p_a"].tolist()
    table = timeline(60, 0.2)
    smooth, width = smoothing(table, 60)
    assert width == pytest.approx(60 / BENDS)
    middle = table[(table["time"] - table["time"][150]).abs() <= width / 2]
    assert smooth["p_a"][150] == pytest.approx(middle["p_a"].mean())
    assert (smooth["p_a"] + smooth["p_b"]).to_numpy() == pytest.approx(np.ones(300))
    assert smooth["p_a"].iloc[10:-10].between(0.4, 0.6).all()


def test_a_gap_in_a_timeline_stays_empty() -> None:
    table = timeline(10, 0.2).drop(index=range(20, 30)).reset_index(drop=True)
    smooth, _ = smoothing(table, 10)
    assert len(smooth) == len(table) + 1 and smooth["p_a"].isna().sum() == 1
    assert 4 < smooth.loc[smooth["p_a"].isna(), "time"].item() < 6.1
