"""Reference rows are what counting labels by hand gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics.baselines import vote_channels
from ugcl.evaluation.tables.references import references
from ugcl.plan.names import is_reference_row

CLASSES = ["happy", "sad"]
PROTOCOL = Protocol(label="consensus", classes=CLASSES, merge={"excited": "happy"}, soft="votes_face")
SETTINGS = Evaluate(bootstrap=100)


@pytest.fixture
def manifest() -> pd.DataFrame:
    rows = [  # clip, speaker, consensus, intended, face, votes for happy, excited, sad
        ("a", "1", "happy", "excited", "", 1, 1, 2),
        ("b", "1", "sad", "sad", "sad", 0, 0, 4),
        ("c", "2", "excited", "happy", "excited", 0, 3, 1),
        ("d", "2", "sad", "happy", "happy", 3, 0, 1),
        ("e", "3", "sad", "sad", "sad", 1, 0, 1),
        ("f", "3", "sad", "other", "sad", 0, 0, 1),
    ]
    votes = [f"votes_face_{name}" for name in ("happy", "excited", "sad")]
    return pd.DataFrame(rows, columns=["clip", "speaker", "consensus", "intended", "face", *votes])


@pytest.fixture
def rows(manifest: pd.DataFrame) -> pd.DataFrame:
    test = {1: "abcd", 2: "ef"}
    folds = {
        number: pd.DataFrame({"clip": manifest["clip"]}).assign(
            part=["test" if clip in clips else "train" for clip in manifest["clip"]]
        )
        for number, clips in test.items()
    }
    return references(manifest, PROTOCOL, folds, SETTINGS)


def value(rows: pd.DataFrame, system: str, metric: str, fold: str = "all") -> float:
    return rows.query("system == @system and metric == @metric and fold == @fold")["value"].item()


def test_rows_that_guess_agree_with_scikit_learn(rows: pd.DataFrame) -> None:
    truth = ["happy", "sad", "happy", "sad", "sad", "sad"]
    guesses = {
        "script": ["happy", "sad", "happy", "happy", "sad", "none"],
        "raters:face": ["none", "sad", "happy", "happy", "sad", "sad"],
        "majority": ["sad", "sad", "sad", "sad", "happy", "happy"],  # a tie in fold 2's training part
    }
    for system, said in guesses.items():
        assert value(rows, system, "war") == pytest.approx(accuracy_score(truth, said))
        recall = recall_score(truth, said, labels=CLASSES, average="macro", zero_division=0)
        assert value(rows, system, "uar") == pytest.approx(recall)
        weighted = f1_score(truth, said, labels=CLASSES, average="weighted", zero_division=0)
        assert value(rows, system, "weighted_f1") == pytest.approx(weighted)
        assert value(rows, system, "war", "1") == pytest.approx(accuracy_score(truth[:4], said[:4]))
        assert value(rows, system, "war", "2") == pytest.approx(accuracy_score(truth[4:], said[4:]))


def test_rows_that_draw_are_what_many_draws_give(rows: pd.DataFrame) -> None:
    truth = np.array([0, 1, 0, 1, 1, 1])
    happy = {"chance": [0.5] * 6, "one rater:face": [0.5, 0, 0.75, 0.75, 0.5, 0]}
    random = np.random.default_rng(0)
    for system, share in happy.items():
        said = (random.random((20_000, 6)) >= share).astype(int)
        assert value(rows, system, "war") == pytest.approx((said == truth).mean(), abs=0.01)
        recalls = [(said == truth)[:, truth == k].mean() for k in (0, 1)]
        assert value(rows, system, "uar") == pytest.approx(np.mean(recalls), abs=0.01)


def test_rows_that_nothing_trained_do_not_vary_by_fold() -> None:
    random = np.random.default_rng(0)
    clips = [f"{i:03d}" for i in range(240)]
    manifest = pd.DataFrame({"clip": clips, "speaker": [f"{i // 20:02d}" for i in range(240)]})
    manifest["consensus"] = random.choice(CLASSES, 240)
    manifest["intended"] = np.where(random.random(240) < 0.7, manifest["consensus"], "happy")
    protocol = Protocol(label="consensus", classes=CLASSES)

    def script(folds: int) -> pd.DataFrame:
        splits = {
            k: manifest[["clip"]].assign(part=np.where(np.arange(240) // 20 % folds == k, "test", "train"))
            for k in range(folds)
        }
        found = references(manifest, protocol, splits, SETTINGS).query("system == 'script' and fold == 'all'")
        return found[["metric", "value", "ci_low", "ci_high"]].reset_index(drop=True)

    pd.testing.assert_frame_equal(script(2), script(6))


def test_every_row_is_marked_as_a_reference(rows: pd.DataFrame) -> None:
    assert set(rows["system"]) == {
        "chance",
        "majority",
        "script",
        "raters:face",
        "one rater:face",
    }
    assert all(is_reference_row(system) for system in rows["system"])
    modalities = rows.drop_duplicates("system").set_index("system")["modalities"]
    assert modalities["one rater:face"] == modalities["raters:face"] == "video"


def test_raters_are_not_scored_against_a_label_made_of_their_own_votes(manifest: pd.DataFrame) -> None:
    both = manifest.assign(multimodal=manifest["face"], votes_multimodal_sad=1)
    assert vote_channels(both, "consensus") == ["face"]
    assert vote_channels(both, "face") == ["multimodal"]
    assert vote_channels(both, "intended") == ["face", "multimodal"]
