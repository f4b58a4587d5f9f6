"""What docs/corpora.md says of dialogues of one's own: a table of words, `ugcl init`, and the stages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import Result

from tests.fixtures import tiny_corpus
from ugcl import config as configuration
from ugcl.config import read
from ugcl.data.parts import open_fold

Run = Callable[..., Result]


@pytest.fixture
def page(project: Path) -> dict[str, str]:
    """The blocks of the section about dialogues, by language."""
    text = (project / "docs/corpora.md").read_text()
    section = text.split("## Your own dialogues")[1].split("\n## ")[0]
    return dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))


@pytest.fixture
def folder(project: Path, page: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's rows in three sessions of other speakers; the project is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UGCL_PARAMS", raising=False)
    Path("params.yaml").write_text(yaml.safe_dump(read(project / "params.yaml"), sort_keys=False))
    rows = pd.read_csv(io.StringIO(page["csv"]), dtype=str)
    sessions = [
        rows.assign(
            session=number,
            speaker=rows["speaker"] + number,
            clip=rows["clip"].str.replace("s1", f"s{number}"),
            dialogue=rows["dialogue"].str.replace("s1", f"s{number}"),
        )
        for number in "123"
    ]
    Path("own").mkdir()
    pd.concat(sessions).to_csv("own/clips.csv", index=False)
    return Path("own")


def stages(ugcl: Run, encoders: list[str]) -> None:
    """From the table to the quarantine."""
    ugcl("data", "manifest", "talk")
    ugcl("data", "check", "talk")
    for fold in "123":
        ugcl("data", "split", "talk", "main", fold)
    for encoder in encoders:
        if encoder == "hog":
            ugcl("features", "faces", "talk", "1")
        ugcl("features", "encode", "talk", encoder, "1")
        ugcl("features", "index", "talk", encoder)
    ugcl("features", "quarantine", "talk")


def test_a_table_of_words_becomes_a_benchmark_with_context(
    folder: Path, page: dict[str, str], ugcl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "clips.csv").read_bytes()
    (command,) = [line.split() for line in page["sh"].splitlines() if line.startswith("ugcl init")]
    command[command.index("/path/to/folder")] = "own"
    output = ugcl(*command[1:]).stdout
    assert "15 clips, 0 with a sound file, 0 with a video; 15 with a transcript" in output
    assert (folder / "clips.csv").read_bytes() == before
    monkeypatch.setenv("UGCL_PARAMS", "params-talk.yaml")
    tree = read(Path("params-talk.yaml"))
    shown = yaml.safe_load(page["yaml"].replace("/path/to/folder", "own"))
    for section in ("corpora", "benchmarks"):
        written = tree[section]["talk"]
        assert shown[section]["talk"].items() <= written.items(), section
    tree["corpora"]["talk"]["shards"] = 1
    tree["train"] |= {"epochs": 1, "batch": 4}
    Path("params-talk.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    stages(ugcl, ["ngrams"])
    config = configuration.load()
    parts = open_fold(config, config.resolve("talk", "text-context"), 1)
    for part, session in (("test", "1"), ("dev", "2"), ("train", "3")):
        names = [[parts[part].clips[clip] for clip in group] for group in parts[part].groups]
        turns = [[f"s{session}_a_{n}" for n in (1, 2, 3)], [f"s{session}_b_{n}" for n in (1, 2)]]
        assert sorted(names) == turns
    assert parts["test"].features("text", 0).shape == (1, 512)
    for system in ("text-context", "text-only"):
        ugcl("train", "talk", system, "--seed", "0", "--fold", "1", "--fold", "2", "--fold", "3")
        ugcl("evaluate", "predict", "talk", system)


def test_turns_with_media_for_some(
    folder: Path, project: Path, ugcl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_corpus.lay_out(project, folder / "media")
    table = pd.read_csv(folder / "clips.csv", dtype=str, keep_default_na=False)
    sounds = sorted(path.relative_to(folder).as_posix() for path in (folder / "media").rglob("*.wav"))
    table["audio"] = pd.Series(sounds).reindex(table.index[::2]).reindex(table.index).fillna("")
    table.to_csv(folder / "clips.csv", index=False)
    ugcl("init", "own", "--name", "talk")
    monkeypatch.setenv("UGCL_PARAMS", "params-talk.yaml")
    tree = read(Path("params-talk.yaml"))
    entry = tree["benchmarks"]["talk"]
    assert entry["features"] == {"audio": "logmel", "text": "ngrams"} and entry["absent"] == "keep"
    assert entry["systems"] == ["ugcl", "concat", "audio-only", "text-context", "text-only"]
    tree["corpora"]["talk"]["shards"] = 1
    Path("params-talk.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    stages(ugcl, ["logmel", "ngrams"])
    config = configuration.load()
    part = open_fold(config, config.resolve("talk", "concat"), 1)["test"]
    assert len(part) == 5
    present = part.batch(range(5)).present
    expected = [bool(table.set_index("clip")["audio"][clip]) for clip in part.clips]
    assert present["audio"].tolist() == expected and 0 < sum(expected) < 5
    assert present["text"].all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns="turn"), "line 2 is in dialogue 's1_a' and has no turn; number it"),
        (
            lambda t: t.assign(turn=t["turn"].where(t.index != 3, "")),
            "line 5 is in dialogue 's1_b' and has no",
        ),
        (
            lambda t: t.assign(turn=t["turn"].replace("2", "01")),
            "line 3 is a second clip with turn 01 of dia",
        ),
        (lambda t: t.drop(columns="emotion"), "no column 'emotion'"),
    ],
)
def test_faults_of_a_table_are_one_line(folder: Path, ugcl: Run, change: Callable, words: str) -> None:
    table = pd.read_csv(folder / "clips.csv", dtype=str, keep_default_na=False)
    change(table).to_csv(folder / "clips.csv", index=False)
    error = ugcl("init", "own", "--name", "talk", code=1).error
    assert words in error and "\n" not in error and "own/clips.csv" in error
    assert not Path("params-talk.yaml").exists()


@pytest.mark.parametrize("drop", [True, False])
def test_a_benchmark_of_words_on_a_corpus_without_them_is_refused(
    folder: Path, ugcl: Run, monkeypatch: pytest.MonkeyPatch, drop: bool
) -> None:
    ugcl("init", "own", "--name", "talk")
    monkeypatch.setenv("UGCL_PARAMS", "params-talk.yaml")
    table = pd.read_csv(folder / "clips.csv", dtype=str).assign(audio="a.wav", transcript="")
    (table.drop(columns="transcript") if drop else table).to_csv(folder / "clips.csv", index=False)
    ugcl("data", "manifest", "talk")
    for command in (["data", "check", "talk"], ["features", "encode", "talk", "ngrams", "1"]):
        error = ugcl(*command, code=1).error
        assert "no clip has transcript, which benchmarks.talk.features.text reads" in error
        assert "\n" not in error
