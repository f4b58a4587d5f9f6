"""Systems beside raters: against their majority and against their votes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import raters
from ugcl.evaluation.statistics.metrics import scores
from ugcl.evaluation.tables import predictions

CLASSES = ["angry", "sad"]
PROTOCOL = Protocol(label="intended", classes=CLASSES)
SETTINGS = Evaluate(bootstrap=300)


def made() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Six clips of three speakers: a tie, one without votes, two where raters differ from the label."""
    clips = [f"c{i}" for i in range(6)]
    manifest = pd.DataFrame({"clip": clips, "intended": ["angry", "angry", "angry", "sad", "sad", "sad"]})
    manifest["voice"] = ["angry", "sad", "", "sad", "angry", ""]
    manifest["votes_voice_angry"] = [9, 2, 5, 1, 8, 0]
    manifest["votes_voice_sad"] = [1, 8, 5, 9, 2, 0]
    p = np.array([0.8, 0.3, 0.6, 0.4, 0.3, 0.9])
    frame = pd.DataFrame({"seed": 0, "fold": 1, "clip": clips, "speaker": ["s0", "s1", "s2"] * 2})
    frame = frame.assign(label=manifest["intended"], predicted=np.where(p > 0.5, "angry", "sad"))
    return frame.assign(p_angry=p, p_sad=1 - p), manifest


def test_agreement_counts_clips_with_a_majority_alone() -> None:
    frame, manifest = made()
    row = raters.disagreement(frame, manifest, PROTOCOL, SETTINGS).set_index("channel").loc["voice"]
    # Untied: c0 angry/angry said angry, c1 angry/sad said sad, c3 sad/sad said sad, c4 sad/angry said sad.
    assert row["clips"] == 4
    assert row["agreement"] == pytest.approx(3 / 4) and row["label_agreement"] == pytest.approx(2 / 4)
    assert row["right_agreed"] == 1 and row["right_disputed"] == pytest.approx(1 / 2)
    assert row["followed"] == pytest.approx(1 / 2)
    assert row["ci_low"] < row["agreement"] < row["ci_high"]


def test_votes_are_compared_wherever_somebody_voted() -> None:
    frame, manifest = made()
    row = raters.disagreement(frame, manifest, PROTOCOL, SETTINGS).iloc[0]
    q, p = np.array([0.9, 0.2, 0.5, 0.1, 0.8]), frame["p_angry"].to_numpy()[:5]
    assert row["kl"] == pytest.approx(np.mean(q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))))
    assert -1 <= row["entropy_correlation"] <= 1


def test_the_label_s_own_raters_are_no_row_and_no_votes_no_column() -> None:
    frame, manifest = made()
    own = Protocol(label="voice", classes=CLASSES)
    assert raters.disagreement(frame, manifest, own, SETTINGS).empty
    assert raters.richest_channel(manifest, "voice") == "voice"
    assert raters.richest_channel(manifest.drop(columns="voice"), "intended") is None
    assert raters.shares(manifest, "face", PROTOCOL) is None


def test_a_soft_target_adds_distances_to_the_votes() -> None:
    frame, manifest = made()
    assert predictions.with_rater_shares(frame, manifest, PROTOCOL) is frame
    soft = PROTOCOL.model_copy(update={"soft": "votes_voice"})
    found = scores(predictions.with_rater_shares(frame, manifest, soft), CLASSES)
    assert found["kl"] == pytest.approx(raters.disagreement(frame, manifest, PROTOCOL, SETTINGS)["kl"].item())
    assert 0 < found["cosine"] < 1
