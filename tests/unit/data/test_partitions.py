"""Partitions that others published are taken as they are: words, names and folds of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ugcl.config.protocols import Partitions, Protocol
from ugcl.data import tables
from ugcl.data.splits import build as splits
from ugcl.data.splits.partitions import clip_names, part_names
from ugcl.errors import LeakError, UgclError

CLASSES = ["angry", "happy"]
PARTS = {"1": "Train", "2": "Train", "3": "Train", "4": "Train", "5": "Development", "6": "Test"}


@pytest.fixture
def manifest() -> pd.DataFrame:
    rows = [
        (f"01-{name}-{s}", str(s), ("male", "female")[s % 2], name)
        for s in range(1, 8)
        for name in (*CLASSES, "bored")
    ]
    return pd.DataFrame(rows, columns=["clip", "speaker", "sex", "intended"])


def published(manifest: pd.DataFrame, parts: dict[str, str]) -> pd.DataFrame:
    rows = manifest[manifest["speaker"].isin(list(parts))]
    return pd.DataFrame(
        {"FileName": "audio/" + rows["clip"] + ".WAV", "Split_Set": rows["speaker"].map(parts)}
    )


def make(manifest: pd.DataFrame, root: Path, number: int = 1, **options: Any) -> pd.DataFrame:
    scheme = {"scheme": "partitions", "files": ["a.csv"], "clip": "FileName", "part": "Split_Set", **options}
    protocol = Protocol(classes=CLASSES, folds=Partitions(**scheme))
    return splits.make_fold(manifest, protocol, root, number).merge(manifest, on="clip")


def speakers(fold: pd.DataFrame) -> dict[str, set[str]]:
    return {part: set(rows["speaker"]) for part, rows in fold.groupby("part")}


def test_words_and_file_names_are_known_in_anyones_spelling() -> None:
    words = pd.Series(["Train", "Development", " VALID", "validation", "val", "TEST", "eval", "fold"])
    assert part_names(words).tolist()[:7] == ["train", "dev", "dev", "dev", "dev", "test", "test"]
    assert part_names(words).isna().tolist() == [False] * 7 + [True]
    names = pd.Series(["a/b/1001_IEO_ANG_HI.wav", r"c:\x\clip.FLV", "dia0_utt1.mp4", "plain.v2"])
    assert clip_names(names).tolist() == ["1001_IEO_ANG_HI", "clip", "dia0_utt1", "plain.v2"]
    assert clip_names(pd.Series(["03-01-05"]), 2).tolist() == ["01-05"]


def test_parts_are_as_published_and_the_rest_is_left_out(manifest: pd.DataFrame, tmp_path: Path) -> None:
    tables.write(published(manifest, PARTS), tmp_path / "a.csv")
    found = make(manifest, tmp_path)
    assert speakers(found) == {"train": {"1", "2", "3", "4"}, "dev": {"5"}, "test": {"6"}}
    assert set(found["intended"]) == set(CLASSES)


def test_folds_inside_one_file_get_a_dev_part_of_training_speakers(
    manifest: pd.DataFrame, tmp_path: Path
) -> None:
    parts = []
    for fold, tested in (("0", "1"), ("10", "3"), ("2", "2")):
        words = {str(s): "test" if str(s) == tested else "train" for s in range(1, 8)}
        parts.append(published(manifest, words).assign(fold=fold, model="good"))
    parts.append(published(manifest, dict.fromkeys("1234567", "train")).assign(fold="0", model="bad"))
    table = pd.concat(parts)
    table["FileName"] = "02" + table["FileName"].str.removeprefix("audio/01")
    tables.write(table, tmp_path / "a.csv")
    options = {"fold": "fold", "folds": 3, "last_fields": 2, "dev_speakers": 2, "where": {"model": "good"}}
    found = [speakers(make(manifest, tmp_path, number, **options)) for number in (1, 2, 3)]
    assert [parts["test"] for parts in found] == [{"1"}, {"2"}, {"3"}]
    assert [parts["dev"] for parts in found] == [{"2", "3"}, {"3", "4"}, {"4", "5"}]
    with pytest.raises(UgclError, match=r"'.*' is in two parts"):
        make(manifest, tmp_path, 1, **(options | {"where": {}}))
    with pytest.raises(UgclError, match=r"holds 3 folds, folds.folds says 5"):
        make(manifest, tmp_path, 1, **(options | {"folds": 5}))
    with pytest.raises(UgclError, match="no row has model 'best'"):
        make(manifest, tmp_path, 1, **(options | {"where": {"model": "best"}}))


def test_the_manifest_may_hold_the_official_part(manifest: pd.DataFrame, tmp_path: Path) -> None:
    manifest["part"] = manifest["speaker"].map(PARTS).fillna("")
    found = splits.make_fold(
        manifest, Protocol(classes=CLASSES, folds=Partitions(scheme="partitions")), tmp_path, 1
    )
    assert found["part"].value_counts().to_dict() == {"train": 8, "dev": 2, "test": 2}
    manifest.loc[manifest["clip"] == "01-happy-6", "part"] = "Train"
    manifest.loc[manifest["clip"] == "01-happy-5", "part"] = "Test"
    leaky = Partitions(scheme="partitions")
    with pytest.raises(LeakError, match=r"train and test share 1 speakers \(6\)"):
        splits.make_fold(manifest, Protocol(classes=CLASSES, folds=leaky), tmp_path, 1)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (
            lambda t: t.assign(FileName="x" + t["FileName"].str[-8:]),
            {},
            r"clips are not in the manifest \(first: x",
        ),
        (lambda t: t.replace("Test", "holdout"), {}, "'holdout' is not a part"),
        (lambda t: t, {"part": "Set"}, "no column 'Set'; it has FileName, Split_Set"),
        (lambda t: t, {"dev_speakers": 2}, "has a dev part of its own"),
        (lambda t: t, {"files": ["b.csv"]}, r"b\.csv: not found"),
    ],
)
def test_a_broken_partition_is_explained(
    manifest: pd.DataFrame, tmp_path: Path, change: Any, options: dict[str, Any], words: str
) -> None:
    tables.write(change(published(manifest, PARTS)), tmp_path / "a.csv")
    with pytest.raises(UgclError, match=words):
        make(manifest, tmp_path, **options)
