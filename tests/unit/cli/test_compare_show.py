"""`ugcl compare` and `ugcl show`: what they print is what the files hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from ugcl.config import Config
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths

CLIP = "1002_KEY_HAP_XX"


def accuracy(system: str, folds: tuple[int, ...] = (1, 2, 3)) -> float:
    frame = pd.concat([pd.read_csv(outputs.prediction("tiny", system, 0, fold)) for fold in folds])
    return (frame["label"] == frame["predicted"]).mean()


def test_two_systems_are_compared_on_their_predictions(tiny: Config, ugcl) -> None:
    tree = json.loads(ugcl("compare", "tiny/ugcl", "tiny/concat", "--json").stdout)
    assert (tree["clips"], tree["speakers"], tree["folds"]) == (12, 4, 3)
    war = next(row for row in tree["metrics"] if row["metric"] == "war")
    assert war["value"] == pytest.approx(accuracy("ugcl"))
    assert war["difference"] == pytest.approx(accuracy("ugcl") - accuracy("concat"))
    assert 0 < war["p_mcnemar"] <= 1 and war["p_permutation"] is None


def test_one_run_is_compared_with_another_on_the_same_fold_only(tiny: Config, ugcl) -> None:
    tree = json.loads(ugcl("compare", "tiny/ugcl/seed0/fold2", "tiny/concat/seed0/fold2", "--json").stdout)
    war = next(row for row in tree["metrics"] if row["metric"] == "war")
    assert war["value"] == pytest.approx(accuracy("ugcl", (2,)))
    error = ugcl("compare", "tiny/ugcl/seed0/fold1", "tiny/ugcl/seed0/fold2", code=1).error
    assert "0 of them the same" in error


@pytest.mark.parametrize("synthetic", [True, False])
def test_systems_of_synthetic_clips_are_marked(tiny: Config, ugcl, synthetic: bool) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["corpora"]["tiny"]["synthetic"] = synthetic
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    compared, shown = ("compare", "tiny/ugcl", "tiny/concat"), ("show", CLIP)
    assert ("SYNTHETIC" in ugcl(*compared).stdout.splitlines()[0]) is synthetic
    assert json.loads(ugcl(*compared, "--json").stdout)["marks"] == "SYNTHETIC" * synthetic
    assert ("SYNTHETIC" in ugcl(*shown).stdout) is synthetic
    facts = json.loads(ugcl(*shown, "--json").stdout)["benchmarks"]["tiny"]
    assert facts["marks"] == "SYNTHETIC" * synthetic


def test_a_table_without_colour_when_piped(tiny: Config, ugcl) -> None:
    text = ugcl("compare", "tiny/ugcl", "tiny/concat").stdout
    assert "\x1b" not in text and "macro-F1" in text and "12 clips of 4 speakers" in text


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tiny", "<benchmark>/<system>"),
        ("tiny/other", "has no system 'other'"),
        ("tiny/ugcl/seed7", "no seed 'seed7'"),
        ("tiny/ugcl/seed0/2", "no fold '2'"),
        ("nowhere/ugcl", "nowhere"),
    ],
)
def test_a_wrong_name_is_one_clear_line(tiny: Config, ugcl, name: str, message: str) -> None:
    assert message in ugcl("compare", name, "tiny/ugcl", code=1).error


def test_show_tells_manifest_features_folds_and_every_system_s_word(tiny: Config, ugcl) -> None:
    facts = json.loads(ugcl("show", CLIP, "--json").stdout)
    assert facts["manifest"]["speaker"] == "1002" and facts["manifest"]["emotion"] == "happy"
    assert int(facts["features"]["hog"]["dim"]) == 1764
    entry = facts["benchmarks"]["tiny"]
    assert sorted(entry["parts"].values()).count("test") == 1
    fold = next(int(fold) for fold, part in entry["parts"].items() if part == "test")
    assert [row["system"] for row in entry["predictions"]] == ["ugcl", "concat", "audio-only"]
    for row in entry["predictions"]:
        frame = pd.read_csv(outputs.prediction("tiny", row["system"], 0, fold)).set_index("clip")
        assert row["predicted"] == frame.loc[CLIP, "predicted"]
        assert row["probabilities"]["happy"] == pytest.approx(frame.loc[CLIP, "p_happy"], abs=2e-6)
    text = ugcl("show", CLIP).stdout
    assert "\x1b" not in text and "benchmark tiny" in text and f"{fold} test" in text


def test_show_tells_a_quarantined_clip_s_reason_and_works_before_training(tiny: Config, ugcl) -> None:
    shutil.rmtree(paths.PREDICTIONS)
    paths.quarantine("tiny").write_text(
        f"clip,speaker,label,modality,failure,detail\n{CLIP},1002,happy,video,no_face,3 of 60 frames\n"
    )
    assert "no_face (3 of 60 frames)" in ugcl("show", CLIP).stdout


def test_an_unknown_clip_is_answered_with_similar_names(tiny: Config, ugcl) -> None:
    assert f"like it: {CLIP}" in ugcl("show", CLIP + "X", code=1).error
