"""Weights, card and the tables that a run was trained with belong together; every reader looks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths
from ugcl.training.state.checkpoint import load_run
from ugcl.training.state.records import read_card

ONE, TWO = (paths.MODELS / paths.run("tiny", "ugcl", 0, fold) for fold in (1, 2))
CLIP = "clips/AudioWAV/1001_KEY_ANG_XX.wav"
READERS = (
    ("evaluate", "predict", "tiny", "ugcl"),
    ("evaluate", "robustness", "tiny"),
    ("evaluate", "tokens", "tiny"),
    ("evaluate", "cost", "tiny"),
    ("predict", CLIP),
)


@pytest.fixture
def small(tiny: Config) -> Config:
    """The tiny project with one condition, which needs no features of its own."""
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["evaluate"]["robustness"] = ["missing:video"]
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return tiny


def copy(name: str) -> None:
    shutil.copy(TWO / name, ONE / name)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("reader", READERS, ids=lambda words: words[-2])
def test_no_reader_takes_the_weights_of_another_fold(small: Config, ugcl, reader: tuple[str, ...]) -> None:
    """Their training part held this fold's test speakers: scores would be too high."""
    copy("model.safetensors")
    error = ugcl(*reader, code=1).error
    assert error.startswith(f"{ONE}/model.safetensors: fold is 2 instead of 1; train this run again")


@pytest.mark.parametrize("reader", READERS, ids=lambda words: words[-2])
def test_no_reader_takes_the_whole_folder_of_another_fold(
    small: Config, ugcl, reader: tuple[str, ...]
) -> None:
    copy("model.safetensors")
    copy("card.json")
    assert f"{ONE}/card.json: fold is 2 instead of 1" in ugcl(*reader, code=1).error


@pytest.mark.parametrize("place", [-1, -4000, 700])
def test_weights_with_a_flipped_bit_are_refused(tiny: Config, place: int) -> None:
    load_run(ONE)
    flip(ONE / "model.safetensors", place)
    with pytest.raises(UgclError, match=r"fold1.*train"):
        load_run(ONE)


def test_weights_of_the_same_run_trained_otherwise_are_refused(tiny: Config, tmp_path: Path) -> None:
    """The same benchmark, system, seed and fold, say of a colleague's copy: the digests differ."""
    for name in ("model.safetensors", "card.json"):
        shutil.copy(ONE / name, tmp_path / name)
    card = json.loads((tmp_path / "card.json").read_text())
    card["lineage"] = "0123456789ab"
    (ONE / "card.json").write_text(json.dumps(card))
    with pytest.raises(UgclError, match="lineage is abc123 instead of 0123456789ab"):
        load_run(ONE)
    card["lineage"], card["clips"]["train"] = "abc123", 47
    (ONE / "card.json").write_text(json.dumps(card))
    with pytest.raises(UgclError, match=r"model\.safetensors: card is .* instead of"):
        load_run(ONE)


def test_a_run_that_was_moved_elsewhere_is_read(tiny: Config, tmp_path: Path) -> None:
    shutil.copytree(ONE, tmp_path / "kept")
    assert read_card(tmp_path / "kept").fold == 1
    load_run((tmp_path / "project" / ONE).absolute())


@pytest.mark.parametrize("reader", READERS[:4], ids=lambda words: words[-2])
@pytest.mark.parametrize("table", ["split", "quarantine", "features"])
def test_tables_that_changed_after_the_training_are_refused(
    small: Config, ugcl, reader: tuple[str, ...], table: str
) -> None:
    """The clips that a network learnt from may be among those it is tested on now."""
    files = {
        "split": paths.split("tiny", "three", 1),
        "quarantine": paths.quarantine("tiny"),
        "features": paths.features("tiny", "hog") / "index.csv",
    }
    path = files[table]
    lines = path.read_text().splitlines(keepends=True)
    rows = lines[1:][::-1] or ["1001_KEY_ANG_XX,1001,angry,text,silent,\n"]
    path.write_text("".join([lines[0], *rows]))
    error = ugcl(*reader, code=1).error
    assert f"{path.as_posix()} is " in error and "since this run was trained; train it again" in error


def test_a_temperature_of_other_weights_is_refused_where_clips_are_predicted(tiny: Config, ugcl) -> None:
    path = outputs.temperature("tiny", "ugcl")
    path.write_text(path.read_text().replace(read_card(ONE).files["model.safetensors"], "b" * 64))
    error = ugcl("predict", CLIP, code=1).error
    assert "temperature.csv: seed 0, fold 1: weights is bbbbbbbbbbbb… instead of" in error
    assert "ugcl evaluate predict" in error


def test_a_quarantine_of_another_state_or_corpus_is_refused(tiny: Config, ugcl) -> None:
    path = paths.quarantine("tiny")
    before, again = path.read_text(), "run `ugcl features quarantine tiny` again"
    for row, fault in (
        ("x_1,1001,angry,video,no_face,\n", "clip 'x_1': speaker is 1001 instead of"),
        ("1001_KEY_ANG_XX,1009,angry,video,no_face,\n", "speaker is 1009 instead of 1001"),
        ("1001_KEY_ANG_XX,1001,angry,video,no_face,\n", "has clip 1001_KEY_ANG_XX, which has video features"),
    ):
        path.write_text(before + row)
        error = ugcl("train", "tiny", "ugcl", code=1).error
        assert fault in error and again in error
