"""CMU-MOSI: utterances named by video and place, in official parts, with features read from one archive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ugcl.config import load
from ugcl.data.corpora import mosi, release
from ugcl.data.splits.build import make_fold
from ugcl.errors import UgclError
from ugcl.features.encoders.sequences import SequencesEncoder
from ugcl.features.media.clip import Clip

ARRAYS = {"video_id": ["v1", "v1", "-v2"], "pos": [10, 9, 1], "split": ["train", "train", "test"]}
TEXTS = "utt_id,text,n\nv1_9,SO SO,1\nv1_10,IT WAS GREAT,1\n-v2_1,NO,2\n"


@pytest.fixture
def corpus(project: Path):
    return load(project / "params.yaml").corpora["mosi"]


def tree(root: Path, texts: str = TEXTS, **arrays: list) -> Path:
    np.savez(root / "mosi_utt.npz", **(ARRAYS | {"label": [1, 0, 0]} | arrays))
    (root / "transcripts.csv").write_text(texts)
    return root


def test_a_video_is_the_speaker_and_the_dialogue_of_its_utterances(tmp_path: Path, corpus) -> None:
    frame = mosi.rows(tree(tmp_path), corpus)
    columns = ["clip", "speaker", "part", "dialogue", "turn", "transcript", "polarity"]
    assert frame[columns].to_numpy().tolist() == [
        ["v1_10", "v1", "train", "v1", 10, "it was great", "positive"],
        ["v1_9", "v1", "train", "v1", 9, "so so", "negative"],
        ["-v2_1", "-v2", "test", "-v2", 1, "no", "negative"],
    ]


@pytest.mark.parametrize(
    ("texts", "arrays", "words"),
    [
        (TEXTS, {"label": [1, 0, 2]}, "label 2 is neither 0 nor 1"),
        (TEXTS, {"label": [1, 0]}, "not an archive with video_id, pos, split, label"),
        (TEXTS, {"video_id": np.array(["a", "b", "c"], object)}, "not an archive"),
        (TEXTS.replace("-v2_1,NO,2\n", ""), {}, "no transcript of -v2_1"),
        (TEXTS.replace("utt_id", "name"), {}, "no column 'utt_id'"),
    ],
)
def test_faults_are_one_line(tmp_path: Path, corpus, texts: str, arrays: dict, words: str) -> None:
    with pytest.raises(UgclError, match=words) as caught:
        mosi.rows(tree(tmp_path, texts, **arrays), corpus)
    assert "\n" not in str(caught.value)


def test_the_release(mirror: Path, corpus) -> None:
    """Published: 62 training and 31 test videos, 1,447 and 752 utterances; dev is ten training videos."""
    frame = mosi.rows(mirror / "mosi", corpus)
    release.check(frame, mosi.RELEASE, "mosi")
    assert len(frame) == mosi.RELEASE.clips
    assert frame.groupby("part")["speaker"].nunique().to_dict() == {"test": 31, "train": 62}
    fold = make_fold(frame.assign(sex="", sentence=""), corpus.protocols["polarity2"], mirror, 1)
    joined = fold.merge(frame.drop(columns="part"), on="clip")
    assert joined.groupby("part")["dialogue"].nunique().to_dict() == {"dev": 10, "test": 31, "train": 52}
    assert (joined.groupby("dialogue")["part"].nunique() == 1).all()
    assert joined.groupby("part").size().to_dict() == {"dev": 225, "test": 752, "train": 1222}


def test_the_features_are_those_of_the_utterances(project: Path, mirror: Path, corpus) -> None:
    """Logistic regression on all training videos: accuracy text .753, audio .541, video .521, all .769."""
    from sklearn.linear_model import LogisticRegression

    frame = mosi.rows(mirror / "mosi", corpus)
    train = (frame["part"] == "train").to_numpy()
    columns, encoders = {}, load(project / "params.yaml").encoders
    for modality in ("text", "audio", "video"):
        config = encoders[f"mosi-{modality}"]
        reader = SequencesEncoder(modality, config, mirror / "mosi" / config.path)
        assert reader.modality == modality and reader.rate == 0
        x = np.concatenate([reader.encode(Clip(clip)) for clip in frame["clip"]])
        columns[modality] = (x - x[train].mean(axis=0)) / (x[train].std(axis=0) + 1e-8)
    columns["all"] = np.hstack(list(columns.values()))
    found = {}
    for name, x in columns.items():
        model = LogisticRegression(max_iter=1000, C=0.01).fit(x[train], frame["polarity"][train])
        found[name] = model.score(x[~train], frame["polarity"][~train])
    assert found == pytest.approx({"text": 0.753, "audio": 0.541, "video": 0.521, "all": 0.769}, abs=0.02)
