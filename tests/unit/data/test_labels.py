"""Labels merge, broken clips stay out, and votes become shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ugcl.config.protocols import Protocol
from ugcl.data.labels import labelled, vote_shares
from ugcl.errors import UgclError


@pytest.fixture
def manifest() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clip": ["a", "b", "c", "d", "e"],
            "categorical": ["happy", "excited", "sad", "", "other"],
            "votes_all_happy": [2, 0, 0, 1, 0],
            "votes_all_excited": [1, 3, 0, 1, 0],
            "votes_all_SAD": [1, 0, 2, 1, 0],
        }
    )


def test_merged_labels_count_as_their_class_and_excluded_clips_are_gone(manifest: pd.DataFrame) -> None:
    protocol = Protocol(
        label="categorical", classes=["happy", "sad"], merge={"excited": "happy"}, exclude=["c"]
    )
    found = labelled(manifest, protocol)
    assert dict(zip(found["clip"], found["label"], strict=True)) == {"a": "happy", "b": "happy"}
    assert list(found["categorical"]) == ["happy", "excited"]


def test_a_label_column_that_is_not_there_is_named(manifest: pd.DataFrame) -> None:
    with pytest.raises(UgclError, match="no column 'consensus'"):
        labelled(manifest, Protocol(label="consensus", classes=["happy", "sad"]))


def test_vote_shares_add_merged_labels_and_are_nan_where_nobody_voted(manifest: pd.DataFrame) -> None:
    shares = vote_shares(manifest, "votes_all", ["happy", "sad"], {"excited": "happy"})
    expected = [[0.75, 0.25], [1, 0], [0, 1], [2 / 3, 1 / 3], [np.nan, np.nan]]
    np.testing.assert_allclose(shares, expected)
    with pytest.raises(UgclError, match="no column votes_all_fear"):
        vote_shares(manifest, "votes_all", ["happy", "fear"])
