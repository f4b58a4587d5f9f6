"""Groups of clips are scored as if they were all there is, and small ones are said to be small."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import metrics, subgroups

CLASSES = ["angry", "sad", "fear"]
SETTINGS = Evaluate(bootstrap=4000)


def made(speakers: int = 12, each: int = 4, seeds: int = 2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and manifest: women are recognised better, everybody speaks every class at two levels."""
    random = np.random.default_rng(8)
    rows = []
    for speaker in range(speakers):
        for name in CLASSES:
            for take in range(each):
                rows.append(
                    (f"s{speaker:02d}", "female" if speaker % 2 else "male", 20 + 5 * speaker, name, take)
                )
    clips = pd.DataFrame(rows, columns=["speaker", "sex", "age", "label", "take"])
    clips = clips.assign(
        clip=[f"c{i:03d}" for i in range(len(clips))], level=clips["take"].map("LHLH".__getitem__)
    )
    parts = []
    for seed in range(seeds):
        right = random.random(len(clips)) < np.where(clips["sex"] == "female", 0.8, 0.5)
        frame = clips[["clip", "speaker", "label"]].assign(seed=seed, fold=1)
        parts.append(frame.assign(predicted=np.where(right, clips["label"], "sad")))
    return pd.concat(parts, ignore_index=True), clips


def table(frame: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    return subgroups.subgroups(frame, manifest, CLASSES, SETTINGS).set_index(["attribute", "group"])


def uar(frame: pd.DataFrame, clips: set[str]) -> float:
    """Mean over seeds of the UAR of the given clips."""
    own = frame[frame["clip"].isin(clips)]
    return float(np.mean([metrics.scores(rows, CLASSES)["uar"] for _, rows in own.groupby("seed")]))


def test_groups_have_the_scores_of_their_own_clips_and_gaps_to_the_others() -> None:
    frame, manifest = made()
    found = table(frame, manifest)
    assert set(found.index.get_level_values(0)) == {"sex", "age", "level"}
    for (attribute, group), row in found.iterrows():
        of = subgroups.groups(manifest, attribute)
        inside = uar(frame, set(of.index[of == group]))
        assert row["uar"] == pytest.approx(inside)
        assert row["gap"] == pytest.approx(inside - uar(frame, set(of.index[of != group])))
        assert row["ci_low"] < row["uar"] < row["ci_high"]
        assert row["gap_low"] < row["gap"] < row["gap_high"]
    assert found.loc[("sex", "female"), ["clips", "speakers", "classes", "small"]].tolist() == [72, 6, 3, ""]
    assert found.loc[("sex", "female"), "gap"] == -found.loc[("sex", "male"), "gap"]


def test_the_gap_of_groups_of_different_speakers_has_welch_s_interval() -> None:
    frame, manifest = made(seeds=1)
    found = table(frame, manifest).loc[("sex", "female")]
    right = (frame["label"] == frame["predicted"]).groupby(frame["speaker"]).mean()
    women = manifest.drop_duplicates("speaker").set_index("speaker")["sex"] == "female"
    # Everybody has as many clips of each class, so a group's UAR is the mean of its speakers' scores.
    test = stats.ttest_ind(right[women], right[~women], equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert (found["gap_low"], found["gap_high"]) == pytest.approx((low, high), abs=0.01)


def test_the_gap_of_groups_of_the_same_speakers_is_paired() -> None:
    frame, manifest = made(seeds=1)
    found = table(frame, manifest).loc[("level", "H")]
    right = (frame["label"] == frame["predicted"]).groupby([frame["speaker"], manifest["level"]]).mean()
    difference = right.unstack()["H"] - right.unstack()["L"]
    expected = stats.t.interval(0.95, 11, difference.mean(), stats.sem(difference))
    assert (found["gap_low"], found["gap_high"]) == pytest.approx(expected, abs=0.01)


def test_ages_are_bands_and_what_is_unknown_is_in_no_group() -> None:
    _, manifest = made()
    ages = manifest.assign(age=manifest["age"].where(manifest["age"] != 25, pd.NA).astype("Int64"))
    bands = subgroups.groups(ages, "age")
    expected = {20: "under 30", 25: "", 30: "30 to 44", 45: "45 to 59", 60: "60 and over", 75: "60 and over"}
    for age, band in expected.items():
        assert set(bands[(manifest["age"] == age).to_numpy()]) == {band}, age


def test_few_speakers_and_missing_classes_are_flagged_and_one_group_is_none() -> None:
    frame, manifest = made(speakers=8)
    manifest["race"] = np.where(manifest["speaker"] < "s03", "a", "b")
    manifest["ethnicity"] = "one"
    manifest["sentence"] = np.where(manifest["label"] == "fear", "X", "Y")
    found = table(frame, manifest)
    assert found.loc[("race", "a"), "small"] == "3 speakers"
    assert found.loc[("race", "b"), "small"] == ""
    assert found.loc[("sentence", "Y"), "small"] == "no fear"
    assert found.loc[("sentence", "X"), "small"] == "no angry, sad"
    assert found.loc["sentence", "gap"].isna().all(), "no class is in both groups"
    assert "ethnicity" not in found.index.get_level_values(0)


def test_a_group_of_one_speaker_has_no_interval() -> None:
    frame, manifest = made(speakers=8)
    manifest["race"] = np.where(manifest["speaker"] == "s03", "a", "b")
    found = table(frame, manifest).loc[("race", "a")]
    assert np.isnan([found["ci_low"], found["gap_low"]]).all() and found["small"] == "1 speaker"


def test_speakers_scores_are_their_own() -> None:
    frame, _ = made()
    frame = frame[(frame["speaker"] != "s03") | (frame["label"] != "fear")]
    found = subgroups.per_speaker(frame, CLASSES).set_index("speaker")
    for speaker in ("s00", "s03"):
        own = frame[frame["speaker"] == speaker]
        assert found.loc[speaker, "uar"] == pytest.approx(uar(own, set(own["clip"])))
        assert found.loc[speaker, "war"] == pytest.approx((own["label"] == own["predicted"]).mean())
    assert found.loc["s03", ["clips", "classes"]].tolist() == [8, 2]
