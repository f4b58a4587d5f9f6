"""`absent: keep`: a clip that lacks a file or a transcript stays in the parts, through every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import Result

from tests.fixtures import tiny_corpus
from ugcl import config as configuration
from ugcl.data.parts import open_fold
from ugcl.features.quarantine import stays

Run = Callable[..., Result]
SYSTEMS = ["ugcl", "concat", "audio-only"]
MORE = {  # clip → audio, video, transcript, failures by modality where it is set aside
    "words": ("", "", "I am glad.", {}),
    "sound": ("AudioWAV/1001_KEY_HAP_XX.wav", "", "", {}),
    "nothing": ("", "", " ", {"audio": "absent", "text": "absent", "video": "absent"}),
    "broken": ("broken.wav", "", "Hello.", {"audio": "unreadable", "video": "absent"}),
}


def parameters(project: Path, absent: str) -> dict:
    """Three modalities without weights, three systems, an epoch of each."""
    tree = configuration.read(project / "params.yaml")
    corpus = {"adapter": "folder", "root": "clips", "shards": 1, "protocols": {"p": tiny_corpus.PROTOCOL}}
    benchmark = {
        "corpus": "tiny",
        "protocol": "p",
        "features": {"audio": "logmel", "video": "hog", "text": "ngrams"},
        "absent": absent,
        "systems": SYSTEMS,
        "reference": "ugcl",
        "seeds": [0],
        "folds": [1],
        "overrides": {
            "input": {"modalities": ["audio", "video", "text"]},
            "encoder": {"width": 16},
            "method": {"tokens": 8},
            "train": {"epochs": 1, "batch": 4},
        },
    }
    tiny_corpus.alone(tree, corpus, benchmark)
    tree["data"]["max_quarantined"] = 0.5
    tree["evaluate"] = {"bootstrap": 100, "permutations": 100, "robustness": ["noise:10", "missing:text"]}
    return tree


@pytest.fixture(scope="module")
def encoded(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny clips with transcripts, four that lack something, and all features; read it only."""
    from typer.testing import CliRunner

    from ugcl.cli.main import app

    folder = tmp_path_factory.mktemp("absent")
    tiny_corpus.lay_out(project, folder / "clips")
    table = pd.read_csv(folder / "clips/clips.csv", dtype=str).assign(transcript="It is eleven o'clock.")
    more = [(clip, *named, "1001", "happy") for clip, (*named, _) in MORE.items()]
    more = pd.DataFrame(more, columns=["clip", "audio", "video", "transcript", "speaker", "emotion"])
    pd.concat([table, more]).to_csv(folder / "clips/clips.csv", index=False)
    (folder / "clips/broken.wav").write_bytes(bytes(range(256)) * 30)
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters(project, "keep"), sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("UGCL_PARAMS", raising=False)
        steps = [["data", "manifest", "tiny"], ["data", "split", "tiny", "p", "1"]]
        steps += [["features", "faces", "tiny", "1"]]
        for encoder in ("logmel", "hog", "ngrams"):
            steps += [["features", "encode", "tiny", encoder, "1"], ["features", "index", "tiny", encoder]]
        for step in steps:
            result = CliRunner().invoke(app, step, catch_exceptions=False)
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def here(encoded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, now the working folder."""
    import shutil

    shutil.copytree(encoded, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("UGCL_PARAMS", raising=False)
    return tmp_path / "project"


def test_an_absence_has_a_word_of_its_own_beside_faults(here: Path) -> None:
    found = pd.read_csv("data/features/tiny/logmel/shard-1.csv").set_index("clip")["failure"].dropna()
    assert found.to_dict() == {"words": "absent", "nothing": "absent", "broken": "unreadable"}
    found = pd.read_csv("data/features/tiny/hog/shard-1.csv").set_index("clip")
    assert found["failure"].dropna().to_dict() == dict.fromkeys(MORE, "absent")
    assert set(found["detail"].dropna()) == {"the manifest names no video"}


def test_clips_that_lack_a_modality_go_through_every_command(here: Path, ugcl: Run) -> None:
    ugcl("features", "quarantine", "tiny")
    table = pd.read_csv("data/quarantine/tiny.csv", keep_default_na=False)
    aside = table[table["kept"] == ""]
    expected = {(clip, m): f for clip, (*_, failures) in MORE.items() for m, f in failures.items()}
    assert aside.set_index(["clip", "modality"])["failure"].to_dict() == expected
    kept = table[table["kept"] == "yes"].groupby("clip")["modality"].agg(list).to_dict()
    assert kept == {"sound": ["text", "video"], "words": ["audio", "video"]}

    config = configuration.load()
    parts = open_fold(config, config.resolve("tiny", "concat"), 1)
    of = {clip: part for part in parts.values() for clip in part.clips}
    assert set(MORE) & set(of) == {"sound", "words"} and len(of) == 14
    batch = of["words"].batch([of["words"].clips.index(clip) for clip in ("sound", "words")])
    present = {modality: flags.tolist() for modality, flags in batch.present.items()}
    assert present == {"audio": [True, False], "video": [False, False], "text": [False, True]}

    for system in SYSTEMS:
        ugcl("train", "tiny", system, "--seed", "0", "--fold", "1")
        ugcl("evaluate", "predict", "tiny", system)
    for step in ("score", "perturb", "robustness", "cost", "tokens", "tables"):
        ugcl("evaluate", step, "tiny")
    predicted = pd.read_csv("results/predictions/tiny/ugcl/seed0/fold1.csv")
    assert {"sound", "words"} <= set(predicted["clip"]) and predicted.filter(like="p_").notna().all(axis=None)
    clips = pd.read_csv("results/tables/tiny/clips.csv", keep_default_na=False).set_index("clip")
    assert clips.loc[clips["absent"] != "", "absent"].to_dict() == {
        "sound": "text video",
        "words": "audio video",
    }
    assert set(clips.index[clips["failure"] != ""]) == {"nothing", "broken"}
    published = pd.read_csv("results/tables/tiny/quarantine.csv")
    assert set(published["clip"]) == {"nothing", "broken"}
    assert "absent" in ugcl("show", "words").stdout and "quarantined" in ugcl("show", "broken").stdout


def test_without_keep_they_are_set_aside(here: Path, ugcl: Run, project: Path) -> None:
    tree = parameters(project, "quarantine")
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    ugcl("features", "quarantine", "tiny")
    config = configuration.load()
    parts = open_fold(config, config.resolve("tiny", "concat"), 1)
    assert not set(MORE) & {clip for part in parts.values() for clip in part.clips}
    tree["data"]["max_quarantined"] = 0.1
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    error = ugcl("features", "quarantine", "tiny", code=1).error
    assert "4 of 16 clips" in error and "absent" in error


def test_features_and_quarantine_that_do_not_agree_are_refused(here: Path, ugcl: Run) -> None:
    ugcl("features", "quarantine", "tiny")
    path = Path("data/quarantine/tiny.csv")
    table = pd.read_csv(path, keep_default_na=False)
    table[(table["clip"] != "words") | (table["modality"] != "audio")].to_csv(path, index=False)
    error = ugcl("train", "tiny", "concat", "--seed", "0", "--fold", "1", code=1).error
    assert "lacks clip words, which has no audio features" in error


def test_a_clip_stays_only_where_all_it_lacks_was_never_there() -> None:
    rows = [
        ("a", "absent"),
        ("b", "absent"), ("b", "unreadable"),
        ("c", "no_face"),
        ("d", "absent"), ("d", "absent"), ("d", "absent"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["clip", "failure"])
    assert table["clip"][stays(table, 3)].tolist() == ["a"]
