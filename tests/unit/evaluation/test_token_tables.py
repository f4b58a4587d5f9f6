"""The inside of the reference: tables that agree with what can be counted by hand, the same on every run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from ugcl import config as configuration
from ugcl.config import Config
from ugcl.evaluation.networks.embeddings import Inside
from ugcl.evaluation.networks.tokens import (
    COLUMNS,
    hard_negatives,
    retrieval,
    token_map,
    token_tables,
    token_usage,
    tokens,
)
from ugcl.plan import evaluation as outputs


def unit(rows: list[list[float]]) -> np.ndarray:
    x = np.array(rows, dtype=float)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture
def inside() -> Inside:
    """Three clips on a circle: the audio of clip 2 is nearer to the video of clip 1 than to its own."""
    audio, video = unit([[1, 0], [0, 1], [0.2, 1]]), unit([[1, 0.1], [0.1, 1], [1, 1]])
    weights = np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.0, 1, 0, 0]])
    return Inside({"audio": audio, "video": video}, {"audio": weights}, np.eye(3), {})


def test_retrieval_is_the_rank_of_the_own_half(inside: Inside) -> None:
    labels = np.array(["sad", "sad", "happy"])
    row = retrieval(inside, labels).set_index(["query", "target"]).loc[("audio", "video")]
    assert row["recall_at_1"] == pytest.approx(2 / 3) and row["recall_at_5"] == 1
    assert row["mean_rank"] == pytest.approx((1 + 1 + 2) / 3)
    assert (row["chance_at_1"], row["chance_rank"]) == (pytest.approx(1 / 3), 2)
    assert row["same_label_at_1"] == pytest.approx(2 / 3)


def test_equal_similarities_share_the_middle_rank() -> None:
    same = np.tile(unit([[1, 1]]), (4, 1))
    table = retrieval(Inside({"audio": same, "video": same}), np.array(["a"] * 4))
    assert table["mean_rank"].tolist() == [2.5, 2.5] and (table["recall_at_1"] == 0).all()


def test_tokens_are_counted_and_dead_ones_found(inside: Inside) -> None:
    table = tokens(inside)
    assert table["share"].tolist() == pytest.approx([0.5, 0.5, 0, 0])
    assert table["first"].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    usage = token_usage(inside).iloc[0]
    assert usage["perplexity"] == pytest.approx(2) and usage["entropy"] == pytest.approx(np.log(2))
    assert (usage["dead"], usage["never_first"], usage["tokens"]) == (2, 2, 4)
    assert usage["clip_perplexity"] == pytest.approx((1 + 2 + 1) / 3)


def test_a_hard_negative_is_the_most_similar_clip_of_another_emotion(inside: Inside) -> None:
    table = hard_negatives(inside, ["c0", "c1", "c2"], np.array(["sad", "sad", "happy"])).set_index("clip")
    assert table["other"].to_dict() == {"c0": "c2", "c1": "c2", "c2": "c1"}
    a, v = inside.tokens["audio"], inside.tokens["video"]
    assert table.loc["c1", "similarity"] == pytest.approx((a[1] @ v[2] + v[1] @ a[2]) / 2)
    assert table.loc["c1", "own_similarity"] == pytest.approx(a[1] @ v[1])
    assert (table["label"] != table["other_label"]).all()
    assert table["similarity"].is_monotonic_decreasing


def test_the_map_is_the_same_for_the_same_seed_and_has_every_half() -> None:
    random = np.random.default_rng(0)
    z = {m: unit(random.normal(size=(20, 4)).tolist()) for m in ("audio", "video")}
    rows = pd.DataFrame({"clip": [f"c{i}" for i in range(20)], "speaker": "s", "label": "sad"})
    first, again = (token_map(Inside(z), rows, 3) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert len(first) == 40 and set(first["modality"]) == {"audio", "video"}


def test_the_tables_of_a_trained_system_are_whole_and_equal_on_a_rerun(tiny: Config, ugcl) -> None:
    ugcl("evaluate", "tokens", "tiny")
    files = outputs.represent_outputs("tiny")
    frames = {path.stem: pd.read_csv(path) for path in files}
    assert {name: tuple(frame) for name, frame in frames.items()} == {
        name: ("system", *columns) for name, columns in COLUMNS.items()
    }
    assert frames["tokens"].groupby(["fold", "modality"])["share"].sum().to_numpy() == pytest.approx(
        1, abs=1e-4
    )
    weights = frames["attention"].groupby(["clip", "modality"])["weight"].sum()
    assert weights.to_numpy() == pytest.approx(np.ones(len(weights)), abs=1e-4)
    before = {path: path.read_bytes() for path in files}
    token_tables(tiny, "tiny")
    assert {path: path.read_bytes() for path in files} == before


def test_a_reference_without_tokens_has_tables_without_rows(tiny: Config) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["benchmarks"]["tiny"]["reference"] = "concat"
    config = configuration.parse(tree)
    frames = {path.stem: pd.read_csv(path) for path in token_tables(config, "tiny")}
    assert {name: tuple(frame) for name, frame in frames.items()} == {
        name: ("system", *columns) for name, columns in COLUMNS.items()
    }
    assert len(frames["tokens"]) == len(frames["retrieval"]) == 0
