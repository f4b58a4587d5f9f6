"""Predictions of trained runs: rows, order, and independence of batches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from tests.fixtures import finished
from ugcl import config as configuration
from ugcl.data import tables
from ugcl.data.dataset import ClipDataset
from ugcl.data.parts import BenchmarkData
from ugcl.data.shards import FeatureInfo, FeatureStore, write_index, write_shard
from ugcl.errors import UgclError
from ugcl.evaluation.networks.predict import predict
from ugcl.evaluation.tables.predictions import read
from ugcl.inference.probabilities import predict_clips
from ugcl.methods.build import build
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths
from ugcl.training.state.checkpoint import save_run

CLASSES = ["angry", "disgust", "fear", "happy", "neutral", "sad"]


class Mean(nn.Module):
    """Logits are the mean of the valid frames' first values: known without training."""

    def forward(self, batch):
        x, mask = batch.features["audio"], batch.masks["audio"].unsqueeze(2)
        return {"logits": (x * mask).sum(1) / mask.sum(1)}


def store(folder: Path, clips: list[str], dim: int, encoder: str) -> FeatureStore:
    random = np.random.default_rng(len(encoder))
    arrays = {c: random.normal(size=(random.integers(2, 9), dim)).astype(np.float16) for c in clips}
    write_shard(folder, 1, arrays, {}, FeatureInfo(encoder, dim), {})
    write_index(folder, 1)
    return FeatureStore(folder)


def test_rows_are_softmax_of_the_clip_s_logits_whatever_the_batch(tmp_path: Path) -> None:
    clips = [f"c{i}" for i in range(7)]
    kept = store(tmp_path, clips, len(CLASSES), "a")
    rows = pd.DataFrame({"clip": clips, "speaker": "s", "label": "sad"})
    data = ClipDataset(rows, {"audio": kept}, CLASSES)
    table = predict_clips(Mean(), data, batch=3)
    assert table["clip"].tolist() == clips and set(table["label"]) == {"sad"}
    for row in table.itertuples(index=False):
        logits = kept[row.clip].float().mean(0)
        expected = torch.softmax(logits, 0).numpy()
        assert np.array(row[4:]) == pytest.approx(expected, abs=1e-6)
        assert row.predicted == CLASSES[int(expected.argmax())]
    pd.testing.assert_frame_equal(table, predict_clips(Mean(), data, batch=7), rtol=1e-6)


def test_a_logit_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    class Broken(Mean):
        def forward(self, batch):
            return {"logits": super().forward(batch)["logits"] * float("nan")}

    data = ClipDataset(
        pd.DataFrame({"clip": ["c0"], "speaker": "s", "label": "sad"}),
        {"audio": store(tmp_path, ["c0"], len(CLASSES), "a")},
        CLASSES,
    )
    with pytest.raises(UgclError, match="not finite"):
        predict_clips(Broken(), data)


def good(manifest: pd.DataFrame, modality: str) -> list[str]:
    """The clips that have features of a modality."""
    bad = tables.read(paths.quarantine("demo"))
    return manifest.loc[~manifest["clip"].isin(bad.loc[bad["modality"] == modality, "clip"]), "clip"].tolist()


def test_runs_on_disk_predict_the_good_test_clips_of_their_fold(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = finished.parameters(project)
    tree = config.model_dump()
    tree["benchmarks"]["demo"] |= {"systems": ["ugcl"], "reference": "ugcl", "seeds": [0], "folds": [2]}
    tree["corpora"]["demo"]["shards"] = 1
    config = configuration.parse(tree)
    finished.finish(config, "demo", sentences=1)
    manifest = tables.read_manifest(paths.manifest("demo"))
    run = config.resolve("demo", "ugcl")
    stores = {
        modality: store(paths.features("demo", encoder), good(manifest, modality), 12, encoder)
        for modality, encoder in run.features.items()
    }
    infos = {modality: kept.info for modality, kept in stores.items()}
    torch.manual_seed(0)
    model = build(run, infos, {m: (torch.zeros(12), torch.ones(12)) for m in infos})
    folder = paths.MODELS / paths.run("demo", "ugcl", 0, 2)
    card = json.loads((folder / "card.json").read_text())
    card |= {"run": run.model_dump(), "features": {m: info.to_dict() for m, info in infos.items()}}
    card["data"] = BenchmarkData(config, "demo").hashes(run, 2)
    save_run(folder, model.state_dict(), card)

    path = outputs.prediction("demo", "ugcl", 0, 2)
    path.unlink()
    assert predict(config, "demo", "ugcl") == [path, outputs.temperature("demo", "ugcl")]
    frame = read(path, CLASSES)
    split = tables.read_split(paths.split("demo", "intended", 2))
    bad = set(tables.read(paths.quarantine("demo"))["clip"])
    expected = sorted(set(split.loc[split["part"] == "test", "clip"]) - bad)
    assert frame["clip"].tolist() == expected
    label = manifest.set_index("clip")["intended"]
    assert (frame["label"] == frame["clip"].map(label)).all()
    before = path.read_bytes()
    predict(config, "demo", "ugcl")
    assert path.read_bytes() == before
