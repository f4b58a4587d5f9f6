"""`input.standardise`: a speaker's own level is gone, and no other part is read for it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.data import tables
from ugcl.data.parts import BenchmarkData, open_fold
from ugcl.data.shards import FeatureStore
from ugcl.errors import UgclError
from ugcl.evaluation.networks.predict import predict
from ugcl.evaluation.networks.robustness import robustness
from ugcl.evaluation.networks.tokens import token_tables
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.inference import ensemble as inference
from ugcl.inference import predictions as user_predictions
from ugcl.inference.observation import Observation
from ugcl.plan import paths
from ugcl.plan.evaluation import prediction, score
from ugcl.training.run import train_runs

SPLIT = paths.split("made", "intended", 1)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """`plain` and `own`, which is the same with speaker normalisation, trained and evaluated."""
    root = make_project(tmp_path_factory.mktemp("project"), epochs=4)
    tree = yaml.safe_load((root / "params.yaml").read_text())
    tree["systems"]["plain"] = {}
    tree["systems"]["own"] = {"input": {"standardise": "speaker"}}
    tree["benchmarks"]["made"] |= {"systems": ["plain", "own"], "reference": "own", "folds": [1]}
    tree["evaluate"] = {
        "bootstrap": 100,
        "permutations": 100,
        "robustness": ["missing:video", "drop:alternate"],
    }
    (root / "params.yaml").write_text(yaml.safe_dump(tree))
    with contextlib.chdir(root):
        for system in ("plain", "own"):
            train_runs(config.load(), "made", system, [0], [1])
            predict(config.load(), "made", system)
        yield root


def probabilities(system):
    return pd.read_csv(prediction("made", system, 0, 1), index_col="clip").filter(like="p_")


def louder(monkeypatch):
    """The test speaker's features lie elsewhere and spread wider, as of another microphone."""
    get = FeatureStore.__getitem__
    monkeypatch.setattr(
        FeatureStore, "__getitem__", lambda self, clip: get(self, clip) * (3 if "s5" in clip else 1) + 2
    )


@pytest.mark.parametrize(("system", "same"), [("own", True), ("plain", False)])
def test_a_speaker_s_level_does_not_change_what_is_predicted(project, monkeypatch, system, same):
    before = probabilities(system)
    louder(monkeypatch)
    predict(config.load(), "made", system)
    after = probabilities(system)
    monkeypatch.undo()
    predict(config.load(), "made", system)
    assert (np.abs(before - after).to_numpy().max() < 0.02) == same


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_no_clip_of_another_part_is_read(project, monkeypatch, part):
    read = set()
    get = FeatureStore.__getitem__
    monkeypatch.setattr(FeatureStore, "__getitem__", lambda self, clip: (read.add(clip), get(self, clip))[1])
    parameters = config.load()
    clips = open_fold(parameters, parameters.resolve("made", "own"), 1, [part])[part]
    clips.batch([0])
    clips.statistics()
    split = tables.read_split(SPLIT)
    assert read == set(split.loc[split["part"] == part, "clip"])


def test_clean_clips_of_the_robustness_table_are_those_predicted(project):
    robustness(config.load(), "made")
    for system in ("plain", "own"):
        table = pd.read_csv(score("made", "robustness"))
        table = table[table["system"] == system]
        clean = table[(table["condition"] == "clean") & (table["metric"] == "war")]["value"].item()
        found = pd.read_csv(prediction("made", system, 0, 1))
        assert clean == pytest.approx((found["label"] == found["predicted"]).mean(), abs=1e-6)


def test_what_is_shown_of_the_inside_is_of_the_features_it_learnt_from(project, monkeypatch):
    token_tables(config.load(), "made")
    before = pd.read_csv(score("made", "tokens"))
    louder(monkeypatch)
    token_tables(config.load(), "made")
    after = pd.read_csv(score("made", "tokens"))
    pd.testing.assert_frame_equal(before, after, atol=0.02)


@pytest.fixture
def ensemble(project, monkeypatch):
    """The trained runs, and clips whose features are read from the store in place of media."""
    made = inference.load(config.load(), "made", "own")

    class Observer:
        def __init__(self, *_):
            self.stores = BenchmarkData(config.load(), "made").stores(made.run)

        def __call__(self, clip: Clip) -> Observation:
            if clip.name == "broken":
                raise MediaError("unreadable", "no sound")
            return Observation(
                clip, {m: s[clip.name].numpy() for m, s in self.stores.items()}, {}, None, None
            )

    monkeypatch.setattr(user_predictions, "Observer", Observer)
    return made


def test_recordings_of_one_person_are_predicted_as_the_test_clips_were(project, ensemble):
    wanted = probabilities("own")
    plain = replace(ensemble, temperatures=[1.0])
    clips = [Clip(name, None, None) for name in ("broken", *wanted.index)]
    first, *others = user_predictions.predictions(config.load(), plain, clips)
    assert first.failure == "no sound"
    found = pd.DataFrame([one.probabilities for one in others], index=wanted.index).add_prefix("p_")
    pd.testing.assert_frame_equal(found, wanted, atol=1e-5, check_names=False)


def test_one_recording_alone_is_refused_with_a_way_out(project, ensemble):
    clips = [Clip(name, None, None) for name in ("broken", "s5_sad_0")]
    with pytest.raises(UgclError, match=r"s5_sad_0: no other clip has audio.*several recordings"):
        list(user_predictions.predictions(config.load(), ensemble, clips))
