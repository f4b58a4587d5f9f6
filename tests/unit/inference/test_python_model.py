"""`ugcl.load` and what it gives: the same as the commands, from any folder, without loading torch before."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import ugcl as package
from ugcl.config import Config
from ugcl.data.dataset import Batch
from ugcl.data.shards import FeatureStore
from ugcl.errors import UgclError
from ugcl.inference.observation import Observer
from ugcl.plan import paths
from ugcl.training.state.checkpoint import load_run

CLIP = "1001_KEY_ANG_XX"
SOUND, VIDEO = f"clips/AudioWAV/{CLIP}.wav", f"clips/VideoMP4/{CLIP}.mp4"


def test_importing_the_package_loads_nothing_heavy(project: Path) -> None:
    script = (
        "import sys, ugcl; assert 'load' in dir(ugcl); heavy = {'torch', 'pandas', 'numpy', 'sklearn'};"
        " sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=project, check=False).returncode == 0
    assert all(getattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        package.lod  # noqa: B018


def test_a_project_that_is_named_is_the_only_place_that_is_looked_in(tiny: Config) -> None:
    with pytest.raises(UgclError, match="'none' is not in benchmarks"):
        package.load("none/ugcl", project=".")


def test_a_prediction_is_that_of_the_command(tiny: Config, ugcl) -> None:
    (row,) = json.loads(ugcl("predict", SOUND, VIDEO, "--json").stdout)["clips"]
    found = package.load("tiny/ugcl").predict(SOUND, VIDEO)
    assert (found.clip, found.predicted) == (CLIP, row["predicted"])
    assert found.probabilities == pytest.approx(row["probabilities"], abs=1e-6)
    assert found.confidence == max(found.probabilities.values())
    assert found.modalities == ("audio", "video") and found.classes == ["angry", "happy", "neutral"]
    assert list(found.notes) == row["notes"] and found.marks == "SYNTHETIC"


def test_a_folder_is_a_table_and_a_bad_file_a_row_of_it(tiny: Config) -> None:
    Path("clips/VideoMP4/broken.mp4").write_bytes(b"junk")
    model = package.load("tiny/audio-only/fold2")
    assert model.ensemble.runs == [(0, 2)]
    frame = model.predict_folder("clips")
    assert len(frame) == 13 and frame["clip"].is_monotonic_increasing
    good = frame[frame["failure"] == ""]
    assert frame.loc[frame["failure"] != "", "clip"].tolist() == ["broken"]
    np.testing.assert_allclose(good.filter(like="p_").sum(axis=1), 1, atol=1e-9)
    with pytest.raises(UgclError, match="broken: not predicted: "):
        model.predict("clips/VideoMP4/broken.mp4")
    with pytest.raises(UgclError, match="13 clips were named"):
        model.predict("clips")


def test_a_timeline_is_that_of_the_command(tiny: Config, ugcl) -> None:
    ugcl("predict", SOUND, VIDEO, "--timeline", "--step", "0.5", "--out", "found")
    expected = pd.read_csv(f"found/{CLIP}.timeline.csv").drop(columns=["marks", "model"])
    found = package.load("tiny/ugcl").timeline(SOUND, VIDEO, step=0.5)
    pd.testing.assert_frame_equal(found, expected, atol=1e-5)


def test_embeddings_are_what_the_last_layer_reads(tiny: Config) -> None:
    """The layers put on the vectors by hand give the network's probabilities."""
    model = package.load("tiny/concat/seed0/fold1")
    table = model.embed([SOUND, VIDEO])
    network, card = load_run(paths.MODELS / paths.run("tiny", "concat", 0, 1))
    layer = [m for m in network.modules() if isinstance(m, torch.nn.Linear) and m.out_features == 3][-1]
    assert table.index.tolist() == [CLIP] and table.shape == (1, layer.in_features)
    x = {
        m: FeatureStore(paths.features("tiny", info.encoder))[CLIP].float()[None]
        for m, info in card.features.items()
    }
    masks = {m: torch.ones(f.shape[:2], dtype=torch.bool) for m, f in x.items()}
    batch = Batch(x, masks, {m: torch.tensor([True]) for m in x}, torch.tensor([0]), [CLIP], [""])
    with torch.inference_mode():
        expected = network(batch)["logits"]
        found = layer(torch.tensor(table.to_numpy(), dtype=torch.float32))
    np.testing.assert_allclose(found, expected, atol=2e-2)  # stored features are of half precision
    with pytest.raises(UgclError, match="it has runs 0 to 0"):
        model.embed([SOUND], run=1)


def test_another_folder_and_several_threads_give_the_same(tiny: Config, monkeypatch, tmp_path) -> None:
    project = Path.cwd()
    expected = package.load("tiny/ugcl").predict(VIDEO).probabilities
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    models = [
        package.load("tiny/ugcl", project="../project"),
        package.load("../project/results/models/tiny/ugcl"),
    ]
    found: list[dict[str, float]] = []

    def run(model: package.Model) -> None:
        found.append(model.predict(project / VIDEO).probabilities)

    threads = [threading.Thread(target=run, args=(model,)) for model in models * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [pytest.approx(expected)] * 4 and Path.cwd() == tmp_path / "elsewhere"


def test_encoders_are_made_once(tiny: Config, monkeypatch) -> None:
    made = []
    start = Observer.__init__
    monkeypatch.setattr(Observer, "__init__", lambda self, *a: (made.append(1), start(self, *a))[1])
    model = package.load("tiny/audio-only")
    first = model.predict(SOUND)
    assert model.predict(SOUND).probabilities == first.probabilities and len(made) == 1


def test_features_that_are_here_give_the_probabilities_of_the_clip(tiny: Config) -> None:
    model, frame = package.load("tiny/ugcl"), package.load_features("tiny")
    clip = frame[frame["clip"] == CLIP]
    found = model.predict_features(clip[["audio", "video"]])
    assert found[0] == pytest.approx(list(model.predict(SOUND, VIDEO).probabilities.values()), abs=2e-3)
    with pytest.raises(UgclError, match="audio has 3 columns; tiny/ugcl reads the 80 of logmel"):
        model.predict_features({"audio": np.zeros((2, 3))})
    reads = model.ensemble.run.input.model_copy(update={"standardise": "speaker"})
    run = model.ensemble.run.model_copy(update={"input": reads})
    by_speaker = package.Model(model.config, replace(model.ensemble, run=run))
    with pytest.raises(UgclError, match="standardises features by speaker"):
        by_speaker.predict_features(clip[["audio", "video"]])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tiny/nothing", "nothing"),
        ("none/ugcl", "none/ugcl: no system or bundle here, and the hub gave OSError: no network"),
        ("tiny/ugcl/fold9", "tiny has no fold 9; choose from 1, 2, 3"),
        ("tiny/ugcl/seed7", "tiny has no seed 7; choose from 0"),
        ("tiny", "not a trained system"),
        ("clips", "not a trained system"),
    ],
)
def test_a_wrong_name_is_one_line(tiny: Config, monkeypatch, name: str, message: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(UgclError, match=message) as error:
        package.load(name)
    assert "\n" not in str(error.value)


def test_features_of_a_benchmark_are_a_table(tiny: Config) -> None:
    frame = package.load_features("tiny", fold=1)
    split = pd.read_csv(paths.split("tiny", "three", 1)).set_index("clip")["part"]
    assert frame.columns.tolist() == ["clip", "speaker", "label", "part", "audio", "video"]
    assert frame.set_index("clip")["part"].to_dict() == split.to_dict()
    stored = FeatureStore(paths.features("tiny", "logmel"))
    for row in frame.itertuples():
        np.testing.assert_array_equal(row.audio, stored[row.clip].float().numpy())
    means = package.load_features("tiny", modalities=["audio"], mean=True)
    assert "part" not in means and means.shape == (12, 3 + 80)
    np.testing.assert_allclose(means.filter(like="audio_").iloc[3], frame["audio"][3].mean(axis=0), rtol=1e-4)
    with pytest.raises(UgclError, match="tiny has no features of 'text'; choose from audio, video"):
        package.load_features("tiny", modalities=["text"])
    with pytest.raises(UgclError, match="tiny has no fold 4"):
        package.load_features("tiny", fold=4)


def test_predictions_of_a_benchmark_are_a_table(tiny: Config) -> None:
    frame = package.load_predictions("tiny")
    assert frame.groupby("system").size().to_dict() == dict.fromkeys(("ugcl", "concat", "audio-only"), 12)
    one = package.load_predictions("tiny", "concat")
    raw = pd.concat(
        [pd.read_csv(path) for path in sorted(paths.PREDICTIONS.glob("tiny/concat/seed0/fold*.csv"))]
    )
    merged = one.merge(raw, on="clip", suffixes=("", "_raw"))
    assert len(merged) == 12 and (merged["predicted"] == merged["predicted_raw"]).all()
    np.testing.assert_allclose(merged["p_happy"], merged["p_happy_raw"], atol=1e-5)
    with pytest.raises(UgclError, match="tiny has no system 'x'"):
        package.load_predictions("tiny", "x")
