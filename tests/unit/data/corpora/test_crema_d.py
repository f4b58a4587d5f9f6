"""CREMA-D's tables become labels and votes: published counts of the real ones, faults of made ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

CLASSES = ["angry", "disgust", "fear", "happy", "neutral", "sad"]


def made(build, root: Path, label: str = "intended", classes: list[str] | None = None) -> pd.DataFrame:
    return build("crema_d", root, label, classes or ["neutral", "sad"])


class TestFullSizeTables:
    """The official tables, 7,442 clips (no media)."""

    @pytest.fixture(scope="class")
    def frame(self, build, mirror: Path) -> pd.DataFrame:
        return made(build, mirror / "crema_d", "consensus", CLASSES)

    def test_every_clip_and_actor_is_there(self, frame: pd.DataFrame) -> None:
        assert len(frame) == 7442
        actors = frame.drop_duplicates("speaker").set_index("speaker")
        assert len(actors) == 91
        assert actors["sex"].value_counts().to_dict() == {"male": 48, "female": 43}
        assert actors["age"].between(20, 74).all()
        assert actors["race"].value_counts()["African American"] == 22
        assert actors["ethnicity"].value_counts()["Hispanic"] == 10
        assert frame["sentence"].nunique() == 12
        assert frame["level"].value_counts().to_dict() == {"XX": 6077, "LO": 455, "MD": 455, "HI": 455}
        assert frame["intended"].value_counts().to_dict() == dict.fromkeys(CLASSES, 1271) | {"neutral": 1087}

    @pytest.mark.parametrize(
        ("channel", "ties", "percent", "neutral"),
        [("voice", 644, 41.6, 3897), ("face", 470, 66.3, 2076), ("multimodal", 420, 72.2, 1972)],
    )
    def test_votes_of_a_channel(
        self, frame: pd.DataFrame, channel: str, ties: int, percent: float, neutral: int
    ) -> None:
        assert (frame[channel] == "").sum() == ties
        assert round(100 * (frame[channel] == frame["intended"]).mean(), 1) == percent
        assert (frame[channel] == "neutral").sum() == neutral

    def test_agreement_by_intended_class(self, frame: pd.DataFrame) -> None:
        agreement = (frame["multimodal"] == frame["intended"]).groupby(frame["intended"]).mean().round(3)
        expected = {
            "neutral": 0.957,
            "happy": 0.948,
            "angry": 0.747,
            "disgust": 0.744,
            "fear": 0.648,
            "sad": 0.323,
        }
        assert agreement.to_dict() == expected

    def test_counts_of_votes_have_the_label_as_their_single_winner(self, frame: pd.DataFrame) -> None:
        """tabulatedVotes (counts) and summaryTable (labels) are two files: they agree on all 22,326 votes."""
        for channel in ("voice", "face", "multimodal"):
            counts = frame[[f"votes_{channel}_{name}" for name in CLASSES]].set_axis(CLASSES, axis=1)
            assert counts.sum(axis=1).between(4, 12).all()
            leaders = counts.eq(counts.max(axis=1), axis=0)
            single = leaders.sum(axis=1) == 1
            assert (single == (frame[channel] != "")).all()
            assert (counts[single].idxmax(axis=1) == frame.loc[single, channel]).all()

    @pytest.mark.parametrize(
        ("number", "parts", "test_classes", "script"),
        [  # counts in the order angry, sad, disgust, fear, neutral, happy
            (1, (4043, 878, 899), (150, 64, 126, 130, 243, 186), 0.834),
            (2, (4024, 881, 915), (153, 58, 127, 126, 273, 178), 0.808),
            (3, (4017, 869, 934), (143, 75, 140, 137, 264, 175), 0.829),
            (4, (4046, 896, 878), (126, 61, 119, 119, 267, 186), 0.803),
        ],
    )
    def test_consensus_in_each_partition(
        self, frame: pd.DataFrame, mirror: Path, number: int, parts: tuple, test_classes: tuple, script: float
    ) -> None:
        table = pd.read_csv(mirror / f"crema_d/partitions/mspl_consensus/label_consensus_{number}.csv")
        names = table["FileName"].str.removesuffix(".wav")
        assert set(names) == set(frame.index[frame["consensus"] != ""]) and len(names) == 5820
        sets = table["Split_Set"].value_counts()
        assert (sets["Train"], sets["Development"], sets["Test"]) == parts
        test = frame.loc[names[table["Split_Set"] == "Test"]]
        counts = test["consensus"].value_counts()
        assert tuple(counts[["angry", "sad", "disgust", "fear", "neutral", "happy"]]) == test_classes
        assert round((test["consensus"] == test["intended"]).mean(), 3) == script


SUMMARY = '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"\n'
VOTES = '"","A","D","F","H","N","S","fileName","numResponses"\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two clips of two actors in the layout of the official repository, one face vote tied."""
    root = tmp_path / "in"
    for folder in ("processedResults", "AudioWAV", "VideoFlash", "partitions/mspl_consensus"):
        (root / folder).mkdir(parents=True)
    (root / "VideoDemographics.csv").write_text(
        '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n'
        '1002,21,"Female","Asian","Hispanic"\n'
    )
    (root / "SentenceFilenames.csv").write_text(
        '"Stimulus_Number","Filename"\n1,"1001_IEO_NEU_XX"\n2,"1002_TIE_SAD_XX"\n'
    )
    (root / "processedResults/summaryTable.csv").write_text(
        SUMMARY
        + '"1","1001_IEO_NEU_XX","N","69","H:N","9","N","6"\n"2","1002_TIE_SAD_XX","S","7","F","5","S",""\n'
    )
    (root / "processedResults/tabulatedVotes.csv").write_text(
        VOTES
        + '"100001",0,0,0,1,10,0,"1001_IEO_NEU_XX",11\n"100002",0,0,2,0,3,4,"1002_TIE_SAD_XX",9\n'
        + '"200001",0,0,0,5,5,0,"1001_IEO_NEU_XX",10\n"200002",1,0,7,0,0,2,"1002_TIE_SAD_XX",10\n'
        + '"300001",0,0,0,0,9,0,"1001_IEO_NEU_XX",9\n"300002",0,0,3,0,0,6,"1002_TIE_SAD_XX",9\n'
    )
    (root / "partitions/mspl_consensus/label_consensus_1.csv").write_text(
        "FileName,angry,sad,disgust,fear,neutral,happy,SpkrID,Gender,Split_Set\n"
        "1002_TIE_SAD_XX.wav,0.01,0.66,0.01,0.3,0.01,0.01,1002,Female,Train\n"
    )
    (root / "AudioWAV/1001_IEO_NEU_XX.wav").write_bytes(b"")
    (root / "VideoFlash/1001_IEO_NEU_XX.flv").write_bytes(b"")
    return root


def test_a_made_tree(build, tree: Path) -> None:
    frame = made(build, tree)
    first, second = frame.loc["1001_IEO_NEU_XX"], frame.loc["1002_TIE_SAD_XX"]
    assert (first["audio"], first["video"]) == (
        "AudioWAV/1001_IEO_NEU_XX.wav",
        "VideoFlash/1001_IEO_NEU_XX.flv",
    )
    assert (second["audio"], second["video"], second["audio_sha256"]) == ("", "", "")
    assert list(first[["speaker", "sex", "age", "race", "ethnicity"]]) == [
        "1001",
        "male",
        51,
        "Caucasian",
        "Not Hispanic",
    ]
    targets = ["intended", "voice", "face", "multimodal", "consensus"]
    assert list(first[targets]) == ["neutral", "neutral", "", "neutral", ""]
    assert list(second[targets]) == ["sad", "sad", "fear", "sad", "sad"]
    assert first["votes_face_happy"] == first["votes_face_neutral"] == 5
    assert (second["votes_voice_neutral"], second["votes_face_angry"], second["votes_multimodal_sad"]) == (
        3,
        1,
        6,
    )


def test_tables_may_lie_in_labels(build, tree: Path) -> None:
    (tree / "labels").mkdir()
    for path in [*tree.glob("*.csv"), *tree.glob("processedResults/*.csv")]:
        path.rename(tree / "labels" / path.name)
    assert len(made(build, tree)) == 2


def test_tables_that_disagree_are_logged(build, tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tree / "processedResults/tabulatedVotes.csv"
    path.write_text(path.read_text().replace('"300001",0,0,0,0,9', '"300001",9,0,0,0,0'))
    assert made(build, tree).loc["1001_IEO_NEU_XX", "multimodal"] == "neutral"
    assert "the multimodal votes of 1 clips differ" in caplog.text and "1001_IEO_NEU_XX" in caplog.text


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("processedResults/summaryTable.csv", "", None, r"no summaryTable\.csv .*`ugcl data fetch`"),
        ("processedResults/tabulatedVotes.csv", "", None, r"no tabulatedVotes\.csv"),
        ("VideoDemographics.csv", "1002,21", "1003,21", "no actor 1002"),
        ("VideoDemographics.csv", '"Race"', '"Origin"', "no column 'Race'"),
        ("SentenceFilenames.csv", "1002_TIE", "1002_IEO", "differ in 2 clips, first 1002_IEO_SAD_XX"),
        ("processedResults/summaryTable.csv", "1001_IEO_NEU", "1001_IEO_BAD", "not a CREMA-D name"),
        ("processedResults/tabulatedVotes.csv", '"200001"', '"100003"', "1001_IEO_NEU_XX twice for voice"),
        ("partitions/mspl_consensus/label_consensus_1.csv", "fear", "fright", "no column 'fear'"),
    ],
)
def test_faults_are_one_line(build, tree: Path, file: str, old: str, new: str | None, words: str) -> None:
    path = tree / file
    if new is None:
        path.unlink()
    else:
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UgclError, match=words) as caught:
        made(build, tree)
    assert "\n" not in str(caught.value)


def test_broken_media_are_known_by_what_is_in_the_file(build, tree: Path, film) -> None:
    """The corpus has clips that are silent, mute or unreadable; no list of them is needed."""
    sound, video = tree / "AudioWAV/1001_IEO_NEU_XX.wav", tree / "VideoFlash/1001_IEO_NEU_XX.flv"

    def failures() -> tuple[str, str]:
        row = made(build, tree).reset_index().set_index("clip", drop=False).loc["1001_IEO_NEU_XX"]
        clip, found = Clip.from_row(row, tree), []
        for read in (clip.sound, lambda: list(clip.frames())):
            try:
                found.append("" if len(read()) else "nothing")
            except MediaError as error:
                found.append(error.failure)
        return found[0], found[1]

    assert failures() == ("empty", "empty")
    soundfile.write(sound, np.zeros(8000), 16000)
    video.write_bytes(b"FLV\x01\x05" + bytes(range(256)) * 20)
    assert failures() == ("silent", "unreadable")
    sound.unlink()
    film(video, 0.4, "flv", sound=False)
    assert failures() == ("no_audio", "")
    film(video, 0.4, "flv")
    assert failures() == ("", "")
    video.unlink()
    assert failures() == ("no_audio", "no_video")


def test_consensus_needs_its_partitions(build, tree: Path) -> None:
    path = tree / "partitions/mspl_consensus/label_consensus_1.csv"
    second = path.with_name("label_consensus_2.csv")
    second.write_text(path.read_text().replace("0.01,0.66", "0.66,0.01"))
    with pytest.raises(UgclError, match="1002_TIE_SAD_XX is angry here and sad in another partition"):
        made(build, tree)
    path.unlink()
    second.unlink()
    assert (made(build, tree)["consensus"] == "").all()
    with pytest.raises(UgclError, match="which protocol 'p' needs"):
        made(build, tree, "consensus", ["sad", "fear"])
