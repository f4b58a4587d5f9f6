"""The protocols of params.yaml give the published counts, on real tables or on manifests of their sizes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from tests.fixtures.folds import make_folds
from ugcl.config import Config, load
from ugcl.config.protocols import Protocol
from ugcl.data.corpora import crema_d, ravdess
from ugcl.data.splits import build as splits
from ugcl.evaluation.tables.references import references

BROKEN = {"1064_IEO_DIS_MD", "1064_TIE_SAD_XX", "1076_MTI_NEU_XX", "1076_MTI_SAD_XX"}
MSPL = [  # partition: clips of train, dev and test; score of the intended label on test
    ((4043, 878, 899), 0.834),
    ((4024, 881, 915), 0.808),
    ((4017, 869, 934), 0.829),
    ((4046, 896, 878), 0.803),
]
IEMOCAP = {  # session: angry, happy, excited, sad, neutral (Busso et al. 2008; EmoBox's lists)
    "1": (229, 135, 143, 194, 384),
    "2": (137, 117, 210, 197, 362),
    "3": (240, 135, 151, 305, 320),
    "4": (327, 65, 238, 143, 258),
    "5": (170, 143, 299, 245, 384),
}


@pytest.fixture(scope="module")
def config(project: Path) -> Config:
    return load(project / "params.yaml")


@pytest.fixture(scope="module")
def crema(config: Config, mirror: Path) -> tuple[pd.DataFrame, Path]:
    root = mirror / "crema_d"
    rows = crema_d.rows(root, config.corpora["crema_d"])
    return rows.sort_values("clip", ignore_index=True).assign(session=""), root


def protocol(config: Config, corpus: str, name: str) -> Protocol:
    return config.corpus_protocol(corpus, name)


def parts(frame: pd.DataFrame, fold: pd.DataFrame) -> dict[str, pd.DataFrame]:
    joined = fold.merge(frame.drop(columns="part", errors="ignore"), on="clip")
    return dict(list(joined.groupby("part")))


def test_crema_d_tests_the_published_actor_blocks(config: Config, crema: tuple) -> None:
    frame, root = crema
    folds = make_folds(frame, protocol(config, "crema_d", "intended_5fold"), root)
    found = [parts(frame, fold) for fold in folds]
    assert [len(fold["test"]) for fold in found] == [1463, 1470, 1476, 1474, 1555]
    ends = [1001, 1019, 1037, 1055, 1073, 1092]
    for fold, first, after in zip(found, ends, ends[1:], strict=False):
        assert sorted(fold["test"]["speaker"].unique()) == [str(n) for n in range(first, after)]
        dev = fold["dev"].drop_duplicates("speaker")
        assert dev["sex"].value_counts().to_dict() == {"female": 7, "male": 7}
        assert sum(rows["speaker"].nunique() for rows in fold.values()) == 91
    whole = pd.concat(folds)
    assert not BROKEN & set(whole["clip"]) and BROKEN.issubset(frame["clip"])


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_crema_d_takes_the_consensus_partitions_as_published(
    config: Config, crema: tuple, number: int
) -> None:
    frame, root = crema
    scheme = protocol(config, "crema_d", "consensus_mspl")
    fold = splits.make_fold(frame, scheme, root, number)
    found = parts(frame, fold)
    sizes, script = MSPL[number - 1]
    assert tuple(len(found[part]) for part in ("train", "dev", "test")) == sizes
    assert [found[p]["speaker"].nunique() for p in ("train", "dev", "test")] == [63, 14, 14]
    rows = references(frame, scheme, {number: fold}, config.evaluate.model_copy(update={"bootstrap": 100}))
    row = rows.query("system == 'script' and metric == 'war' and fold == @number.__str__()")
    assert row["value"].item() == pytest.approx(script, abs=5e-4)


def test_crema_d_test_clips_of_the_first_partition_by_class(config: Config, crema: tuple) -> None:
    frame, root = crema
    fold = splits.make_fold(frame, protocol(config, "crema_d", "consensus_mspl"), root, 1)
    counts = parts(frame, fold)["test"]["consensus"].value_counts()
    names = ["angry", "sad", "disgust", "fear", "neutral", "happy"]
    assert [counts[name] for name in names] == [150, 64, 126, 130, 243, 186]


@pytest.mark.parametrize(
    ("name", "clips"),
    [("consensus_5fold", 5816), ("voice_5fold", None), ("face_5fold", None), ("multimodal_5fold", None)],
)
def test_crema_d_vote_targets_leave_ties_out(
    config: Config, crema: tuple, name: str, clips: int | None
) -> None:
    frame, root = crema
    scheme = protocol(config, "crema_d", name)
    expected = clips or int(((frame[scheme.label] != "") & ~frame["clip"].isin(list(BROKEN))).sum())
    folds = make_folds(frame, scheme, root)
    assert {len(fold) for fold in folds} == {expected}
    assert sum((fold["part"] == "test").sum() for fold in folds) == expected


def test_crema_d_humans_against_the_intended_label(config: Config, crema: tuple) -> None:
    frame, root = crema
    scheme = protocol(config, "crema_d", "intended_5fold").model_copy(update={"exclude": []})
    folds = dict(enumerate(make_folds(frame, scheme, root), start=1))
    rows = references(frame, scheme, folds, config.evaluate.model_copy(update={"bootstrap": 100}))
    war = rows.query("metric == 'war' and fold == 'all'").set_index("system")["value"]
    assert {name: round(war[f"raters:{name}"], 3) for name in ("voice", "face", "multimodal")} == {
        "voice": 0.416,
        "face": 0.663,
        "multimodal": 0.722,
    }
    assert war["chance"] == pytest.approx(1 / 6)
    assert "script" not in war.index


def test_unseen_sentences_of_crema_d_are_each_tested_in_one_fold(config: Config, crema: tuple) -> None:
    frame, root = crema
    scheme = protocol(config, "crema_d", "intended_5fold_text_independent")
    found = [parts(frame, fold) for fold in make_folds(frame, scheme, root)]
    tested = [set(fold["test"]["sentence"]) for fold in found]
    assert sorted(name for names in tested for name in names) == sorted(frame["sentence"].unique())
    for fold, names in zip(found, tested, strict=True):
        assert not names & (set(fold["train"]["sentence"]) | set(fold["dev"]["sentence"]))


def test_ravdess_variants_and_its_published_folds(config: Config, mirror: Path) -> None:
    root = mirror / "ravdess"
    frame = ravdess.rows(root, config.corpora["ravdess"]).sort_values("clip", ignore_index=True)
    sizes = {"emotion8": 240, "emotion7": 208, "emotion6": 176, "emotion8_text_independent": 120}
    for name, size in sizes.items():
        for fold in make_folds(frame, protocol(config, "ravdess", name), root):
            test = parts(frame, fold)["test"]
            assert len(test) == size
            assert test.drop_duplicates("speaker")["sex"].value_counts().to_dict() == {"female": 2, "male": 2}
    folds = make_folds(frame, protocol(config, "ravdess", "emotion8_published"), root)
    found = [parts(frame, fold) for fold in folds]
    assert [len(fold["test"]) for fold in found] == [300, 300, 300, 300, 240]
    assert sorted(found[0]["test"]["speaker"].unique()) == ["02", "05", "14", "15", "16"]
    assert [len(fold["dev"]) for fold in found] == [240] * 5


@pytest.fixture(scope="module")
def iemocap() -> pd.DataFrame:
    """A manifest of the release's sizes; within a session the clips go to its two speakers in turn."""
    labels = ("angry", "happy", "excited", "sad", "neutral")
    rows = [
        (f"Ses0{session}{sex}_{label}_{n:03d}", f"Ses0{session}{sex}", words[sex], session, label)
        for session, counts in IEMOCAP.items()
        for label, count in [*zip(labels, counts, strict=True), ("frustrated", 40), ("", 30)]
        for n, sex in zip(range(count), "FM" * count, strict=False)
        for words in [{"F": "female", "M": "male"}]
    ]
    frame = pd.DataFrame(rows, columns=["clip", "speaker", "sex", "session", "categorical"])
    number = frame.groupby(["session", "categorical"]).cumcount() % 30  # some thirty dialogues a session
    return frame.assign(dialogue="Ses0" + frame["session"] + "_impro" + number.map("{:02d}".format))


def test_iemocap_sessions_have_the_published_sizes(config: Config, iemocap: pd.DataFrame) -> None:
    merged = make_folds(iemocap, protocol(config, "iemocap", "hap_exc_5session"), Path())
    assert {len(fold) for fold in merged} == {5531}
    assert [(fold["part"] == "test").sum() for fold in merged] == [1085, 1023, 1151, 1031, 1241]
    assert [(fold["part"] == "dev").sum() for fold in merged] == [1023, 1151, 1031, 1241, 1085]
    plain = make_folds(iemocap, protocol(config, "iemocap", "hap_5session"), Path())
    assert {len(fold) for fold in plain} == {4490}
    (six,) = make_folds(iemocap, protocol(config, "iemocap", "six_class"), Path())
    found = parts(iemocap, six)
    assert {part: set(rows["session"]) for part, rows in found.items()} == {
        "test": {"5"},
        "dev": {"1", "2", "3", "4"},
        "train": {"1", "2", "3", "4"},
    }
    dialogues = {part: set(rows["dialogue"]) for part, rows in found.items()}
    assert len(dialogues["dev"]) == 12 and not dialogues["dev"] & dialogues["train"]


def test_iemocap_speakers_are_tested_one_by_one_without_their_partner(
    config: Config, iemocap: pd.DataFrame
) -> None:
    folds = make_folds(iemocap, protocol(config, "iemocap", "hap_exc_10speaker"), Path())
    tested = []
    for fold in folds:
        found = parts(iemocap, fold)
        (speaker,) = found["test"]["speaker"].unique()
        session = speaker[4]
        assert session not in set(found["train"]["session"]) | set(found["dev"]["session"])
        assert found["dev"]["speaker"].nunique() == 2 and found["train"]["speaker"].nunique() == 6
        tested.append(speaker)
    assert tested == [f"Ses0{session}{sex}" for session, sex in product("12345", "FM")]


def test_msp_improv_and_meld_follow_their_releases(config: Config) -> None:
    classes = ["angry", "happy", "neutral", "sad"]
    rows = [(f"{s}{x}_{c}", f"{x}0{s}", str(s), c) for s in range(1, 7) for x in "FM" for c in classes]
    frame = pd.DataFrame(rows, columns=["clip", "speaker", "session", "categorical"]).assign(sex="")
    scheme = protocol(config, "msp_improv", "four_class_6session")
    found = [parts(frame, fold) for fold in make_folds(frame, scheme, Path())]
    assert [set(fold["test"]["speaker"]) for fold in found] == [{f"F0{s}", f"M0{s}"} for s in range(1, 7)]

    sizes = {"train": 9989, "dev": 1109, "test": 2610}
    emotions, sentiments = protocol(config, "meld", "emotion7_official"), ["negative", "neutral", "positive"]
    rows = [
        (f"{part}_{n}", "Joey", part, emotions.classes[n % 7], sentiments[n % 3])
        for part, size in sizes.items()
        for n in range(size)
    ]
    frame = pd.DataFrame(rows, columns=["clip", "speaker", "part", "emotion", "sentiment"]).assign(sex="")
    frame["dialogue"] = frame["clip"].str[:-1]
    for name in ("emotion7_official", "sentiment3_official"):
        (fold,) = make_folds(frame, protocol(config, "meld", name), Path())
        assert fold["part"].value_counts().to_dict() == sizes
