"""Attributes of clips: intensity and the share of raters, known in training alone."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from ugcl.config.protocols import Protocol
from ugcl.data.dataset import ClipDataset
from ugcl.data.parts import attribute_values, part_rows
from ugcl.errors import UgclError

PROTOCOL = Protocol(label="intended", classes=["angry", "sad"], merge={"furious": "angry"})
MANIFEST = pd.DataFrame(
    {
        "clip": ["a", "b", "c", "d"],
        "speaker": list("wxyz"),
        "intended": ["sad", "furious", "sad", "angry"],
        "level": ["LO", "HI", "XX", "strong"],
        "votes_voice_angry": [1, 2, 0, 0],
        "votes_voice_furious": [0, 2, 0, 0],
        "votes_voice_sad": [3, 1, 5, 0],
    }
)
SPLIT = pd.DataFrame({"clip": ["d", "c", "b", "a"], "part": "train"})


def test_intensity_and_shares_by_hand():
    rows = part_rows(MANIFEST, SPLIT, "train", PROTOCOL, (), ("intensity", "voice", "face"))
    found = rows.set_index("clip")
    assert found["attribute_intensity"].fillna(-1).to_dict() == {"d": 1, "c": -1, "b": 1, "a": 0}
    assert found["attribute_voice"].fillna(-1).to_dict() == {"d": -1, "c": 1, "b": 0.8, "a": 0.75}
    assert found["attribute_face"].isna().all(), "no votes of the face"


def test_no_attribute_at_all_is_refused():
    rows = MANIFEST.assign(label=["sad", "angry", "sad", "angry"], level="XX")
    with pytest.raises(
        UgclError, match=r"no training clip has one of the attributes intensity, face; choose"
    ):
        attribute_values(rows, ["intensity", "face"], PROTOCOL)


def test_rows_without_attributes_are_as_before():
    rows = part_rows(MANIFEST, SPLIT, "train", PROTOCOL)
    assert list(rows) == ["clip", "speaker", "label"]


def test_a_batch_carries_them():
    rows = part_rows(MANIFEST, SPLIT, "train", PROTOCOL, (), ("voice",))
    batch = ClipDataset(rows, {}, PROTOCOL.classes).batch([3, 0])
    assert batch.clips == ["a", "d"]
    values = batch.to("cpu").attributes["voice"].tolist()
    assert values[0] == 0.75 and math.isnan(values[1])
