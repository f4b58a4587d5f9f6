"""Conditions at test time: what each does to features, and the scores that come of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import recall_score

from tests.fixtures import examined, trained
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.data import tables
from ugcl.data.shards import FeatureInfo, FeatureStore
from ugcl.data.stores import Held
from ugcl.errors import UgclError
from ugcl.evaluation.networks.perturb import add_noise, perturb
from ugcl.evaluation.networks.robustness import changed, delay, hold, obstacle, robustness
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths

TIMED, STILL = FeatureInfo("e", 3, rate=10.0), FeatureInfo("e", 3, rate=0.0)
BOTH = {"audio": TIMED, "video": TIMED}
CONDITIONS = ["missing:audio", "missing:video", "noise:10", "drop:alternate", "drop:random", "shift:0.2"]


@given(snr=st.floats(-5, 40), level=st.floats(0.001, 0.9))
def test_noise_has_the_power_that_the_ratio_asks_for(snr: float, level: float) -> None:
    samples = (level * np.sin(np.arange(40_000) / 7)).astype(np.float32)
    noise = add_noise(samples, snr, np.random.default_rng(0)).astype(float) - samples
    assert 10 * np.log10(np.mean(samples.astype(float) ** 2) / np.mean(noise**2)) == pytest.approx(
        snr, abs=0.1
    )


def test_a_lost_frame_shows_the_last_one_that_came() -> None:
    x = torch.arange(6.0)[:, None]
    kept = np.array([False, False, True, False, True, False])
    assert hold(x, kept)[:, 0].tolist() == [0, 0, 2, 2, 4, 4]
    store = Held(TIMED, {"c": x.half()})
    alternate = changed("drop:alternate", {"audio": store}, {}, 0)["audio"]["c"]
    assert alternate[:, 0].tolist() == [0, 0, 2, 2, 4, 4]
    twice = [changed("drop:random", {"audio": store}, {}, seed)["audio"]["c"] for seed in (3, 3)]
    assert torch.equal(*twice)


@given(frames=st.floats(-4, 4), length=st.integers(1, 9))
def test_a_delay_is_linear_in_time_and_keeps_the_length(frames: float, length: int) -> None:
    x = torch.arange(float(length))[:, None]
    late = delay(x, frames)
    expected = (np.arange(length) - frames).clip(0, length - 1)
    assert late[:, 0].numpy() == pytest.approx(expected, abs=1e-5)


def test_sound_comes_late_by_seconds_whatever_its_rate() -> None:
    store = Held(TIMED, {"c": torch.arange(8.0)[:, None]})
    late = changed("shift:0.2", {"audio": store, "video": store}, {}, 0)
    assert late["audio"]["c"][:, 0].tolist() == [0, 0, 0, 1, 2, 3, 4, 5]
    assert torch.equal(late["video"]["c"], store["c"])


@pytest.mark.parametrize(
    ("condition", "infos", "noisy", "words"),
    [
        ("missing:audio", {"audio": TIMED}, False, "reads audio alone"),
        ("missing:text", BOTH, False, "does not read text"),
        ("missing:video", BOTH, False, ""),
        ("noise:10", BOTH, False, "precomputed"),
        ("noise:10", BOTH, True, ""),
        ("noise:10", {"video": TIMED}, True, "does not read audio"),
        ("drop:random", {"video": STILL}, False, "no time axis"),
        ("drop:random", {"audio": TIMED, "video": STILL}, False, ""),
        ("shift:0.5", {"audio": TIMED, "video": STILL}, False, "video features have no time axis"),
        ("shift:0.5", {"audio": TIMED}, False, "beside another modality"),
        ("shift:0.5", BOTH, False, ""),
    ],
)
def test_what_cannot_be_done_has_its_reason(condition: str, infos: dict, noisy: bool, words: str) -> None:
    found = obstacle(condition, infos, noisy)
    assert words in found if words else found == ""


@pytest.fixture
def few(tiny: Config) -> Config:
    """The tiny project with one condition of a kind."""
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["evaluate"]["robustness"] = CONDITIONS
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    return configuration.load()


def table(system: str) -> pd.DataFrame:
    frame = pd.read_csv(outputs.score("tiny", "robustness"), dtype={"level": str})
    frame = frame[frame["system"] == system].drop(columns="system")
    frame = frame.fillna({"level": "", "reason": ""})
    return frame.set_index(["condition", "level", "metric"])


def test_clean_scores_are_those_of_the_predictions_and_every_condition_has_a_row(few: Config, ugcl) -> None:
    ugcl("evaluate", "perturb", "tiny")
    ugcl("evaluate", "robustness", "tiny")
    assert all(path.is_file() for path in outputs.robustness_outputs(few, "tiny"))
    for system in ("ugcl", "audio-only"):
        frame = table(system)
        assert len(frame) == 2 * (1 + len(CONDITIONS))
        files = [outputs.prediction("tiny", system, 0, fold) for fold in (1, 2, 3)]
        tested = pd.concat(map(pd.read_csv, files))
        war = (tested["label"] == tested["predicted"]).mean()
        assert frame.loc[("clean", "", "war"), "value"] == pytest.approx(war, abs=1e-6)
        assert frame.loc[("clean", "", "war"), "clips"] == 12
    lost = table("audio-only").loc[("missing", "audio", "uar")]
    assert np.isnan(lost["value"]) and lost["reason"] == "reads audio alone"
    late = table("ugcl").loc[("shift", "0.2", "uar")]
    clean = table("ugcl").loc[("clean", "", "uar")]
    difference = late["value"] - clean["value"]
    assert late["difference"] == pytest.approx(difference, abs=2e-6)


def test_noisy_features_are_those_of_the_test_clips_and_come_out_the_same_again(few: Config) -> None:
    files = perturb(few, "tiny")
    assert set(files) == set(outputs.perturb_outputs(few, "tiny"))
    noisy = FeatureStore(paths.perturbed("tiny", "noise:10"))
    clean = FeatureStore(paths.features("tiny", "logmel"))
    assert noisy.clips == clean.clips and noisy.info == clean.info
    for clip in noisy.clips:
        assert noisy[clip].shape == clean[clip].shape
        assert noisy[clip].float().mean() > clean[clip].float().mean()  # noise fills the pauses
    before = {path: path.read_bytes() for path in files}
    perturb(few, "tiny")
    assert {path: path.read_bytes() for path in files} == before


def test_noisy_features_of_another_condition_or_of_other_test_clips_are_refused(few: Config, ugcl) -> None:
    perturb(few, "tiny", ["noise:0"])
    perturb(few, "tiny")
    mild, strong = (paths.perturbed("tiny", f"noise:{level}") for level in (10, 0))
    kept = mild.rename("kept")
    strong.rename(mild)
    error = ugcl("evaluate", "robustness", "tiny", code=1).error
    assert error.startswith(f"{mild}: condition is noise:0 instead of noise:10")
    shutil.rmtree(mild)
    kept.rename(mild)
    clip = tables.read(mild / "shard-1.csv")["clip"][0]
    for name in ("shard-1.csv", "index.csv"):
        frame = tables.read(mild / name)
        tables.write(frame[frame["clip"] != clip], mild / name)
    error = ugcl("evaluate", "robustness", "tiny", code=1).error
    assert error == f"{mild}: has no test clip {clip}; run `ugcl evaluate perturb tiny` again"


def test_wrong_labels_in_training_stand_beside_the_conditions_of_their_system(tiny: Config, ugcl) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["evaluate"]["robustness"] = []
    tree["benchmarks"]["tiny"]["label_noise"] = {"concat": [0.5]}
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    config = configuration.load()
    trained.untrained(config, "concat+labels0.5")
    ugcl("evaluate", "predict", "tiny", "concat+labels0.5")
    files = outputs.mislabelled_outputs(config, "tiny")
    assert len(files) == 3 and all(path.is_file() for path in files)
    changed = pd.read_csv(files[1])
    changed.loc[0, "predicted"] = next(name for name in ["angry", "happy"] if name != changed["label"][0])
    changed.to_csv(files[1], index=False)
    examined.seal("tiny", "concat+labels0.5")
    ugcl("evaluate", "robustness", "tiny")
    assert set(pd.read_csv(outputs.score("tiny", "robustness"))["system"]) == {"concat"}
    frame = table("concat")
    tested = {
        name: pd.concat(pd.read_csv(outputs.prediction("tiny", name, 0, fold)) for fold in (1, 2, 3))
        for name in ("concat", "concat+labels0.5")
    }
    uar = {name: recall_score(t["label"], t["predicted"], average="macro") for name, t in tested.items()}
    row = frame.loc[("labels", "0.5", "uar")]
    assert len(frame) == 4 and row["value"] == pytest.approx(uar["concat+labels0.5"], abs=1e-6)
    assert row["difference"] == pytest.approx(uar["concat+labels0.5"] - uar["concat"], abs=2e-6)


@pytest.mark.parametrize("wrong", ["noise", "missing:smell", "shift:soon", "drop:all"])
def test_a_condition_that_does_not_exist_is_refused(tiny: Config, wrong: str) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["evaluate"]["robustness"] = [wrong]
    with pytest.raises(UgclError, match=r"evaluate\.robustness"):
        configuration.parse(tree)


def test_no_conditions_no_tables(tiny: Config) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["evaluate"]["robustness"] = []
    config = configuration.parse(tree)
    assert outputs.perturb_outputs(config, "tiny") == outputs.robustness_outputs(config, "tiny") == []
    with pytest.raises(UgclError, match="tiny has no conditions"):
        robustness(config, "tiny")
