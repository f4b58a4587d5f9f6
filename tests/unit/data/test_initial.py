"""A folder of media becomes a table of clips; columns are guessed where every name says them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from ugcl import config as configuration
from ugcl.data.initial.guesses import labels, speakers
from ugcl.data.initial.parameters import parameters
from ugcl.data.initial.table import start
from ugcl.errors import UgclError


def put(root: Path, *names: str) -> Path:
    """Empty files: names alone decide here."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def listed(root: Path) -> list[tuple[str, str, str]]:
    return list(start(root).clips[["clip", "audio", "video"]].itertuples(index=False, name=None))


def test_sound_and_video_of_one_name_are_one_clip_and_names_are_clip_names(tmp_path: Path) -> None:
    put(tmp_path, "AudioWAV/a.wav", "VideoMP4/a.mp4", "x/b 1.wav", "x/b 1.mp4", "x/take.mp4", "y/take.mp4")
    put(tmp_path, "notes.txt", "clips.xlsx")
    assert listed(tmp_path) == [
        ("a", "AudioWAV/a.wav", "VideoMP4/a.mp4"),
        ("b_1", "x/b 1.wav", "x/b 1.mp4"),
        ("x_take", "", "x/take.mp4"),
        ("y_take", "", "y/take.mp4"),
    ]
    assert start(tmp_path).renamed == 3


def test_names_that_become_equal_stay_different_clips(tmp_path: Path) -> None:
    put(tmp_path, "a b.wav", "a_b.wav", "c/a(b.wav")
    names = [clip for clip, _, _ in listed(tmp_path)]
    assert len(set(names)) == 3 and all(name.replace("_", "").isalnum() for name in names)


def test_the_kinds_of_a_ravdess_take_are_one_clip_with_its_speaker_and_emotion(tmp_path: Path) -> None:
    put(tmp_path, "Audio/Actor_01/03-01-05-01-01-01-01.wav", "Video/Actor_01/01-01-05-01-01-01-01.mp4")
    put(tmp_path, "Video/Actor_01/02-01-05-01-01-01-01.mp4", "Video/Actor_02/02-01-03-01-01-01-02.mp4")
    found = start(tmp_path)
    assert found.clips.to_numpy().tolist() == [
        ["02-01-03-01-01-01-02", "", "Video/Actor_02/02-01-03-01-01-01-02.mp4", "02", "happy"],
        [
            "03-01-05-01-01-01-01",
            "Audio/Actor_01/03-01-05-01-01-01-01.wav",
            "Video/Actor_01/01-01-05-01-01-01-01.mp4",
            "01",
            "angry",
        ],
    ]
    assert "RAVDESS" in found.speaker.source


def test_names_of_crema_d_say_speaker_and_emotion() -> None:
    names = ["AudioWAV/1001_IEO_ANG_HI.wav", "AudioWAV/1091_TIE_SAD_XX.wav"]
    assert speakers(names).values == ["1001", "1091"]
    assert labels(names).values == ["angry", "sad"]


@pytest.mark.parametrize(
    ("names", "who", "what"),
    [
        (["Actor_01/happy/1.mp4", "Actor_02/Sad/2.mp4"], ["Actor_01", "Actor_02"], ["happy", "sad"]),
        (["happy/spk1_x.mp4", "anger/spk2_y.mp4"], ["spk1", "spk2"], ["happy", "anger"]),
        (
            ["d/subject-3_NEU_1.wav", "e/subject-4_FRU_1.wav"],
            ["subject-3", "subject-4"],
            ["neutral", "frustrated"],
        ),
        # bare numbers and letters may be sentences or sessions; one file of many without a word is enough
        (["01_angry_2.wav", "02_sad_1.wav"], ["", ""], ["angry", "sad"]),
        (["s1/happy.wav", "s2/b.wav"], ["", ""], ["", ""]),
        # two words in a name, a single label for all, and folders that contradict the files
        (["spk1_spk2_happy_sad.wav", "spk3_spk4_happy_sad.wav"], ["", ""], ["", ""]),
        (["happy/a_sad.wav", "sad/b_happy.wav"], ["", ""], ["", ""]),
        (["spk1/happy_1.wav", "spk1/happy_2.wav"], ["", ""], ["", ""]),
    ],
)
def test_a_column_is_guessed_for_all_clips_or_for_none(
    names: list[str], who: list[str], what: list[str]
) -> None:
    assert (speakers(names).values, labels(names).values) == (who, what)


def test_spellings_of_one_speaker_become_the_commonest_one() -> None:
    found = speakers(["Spk1/a.wav", "spk01/b.wav", "spk01/c.wav", "spk2/d.wav"])
    assert found.values == ["spk01", "spk01", "spk01", "spk2"]
    assert "in 1 clips another spelling of an id is replaced" in found.source


def test_patterns_say_what_names_alone_do_not() -> None:
    names = ["01_angry_2.wav", "02_sad_1.wav"]
    assert speakers(names, r"^(\d+)_").values == ["01", "02"]
    assert labels(names, r"_(\w+?)_").values == ["angry", "sad"]
    with pytest.raises(UgclError, match=r"label pattern '\^x': has no group"):
        labels(names, "^x")


@pytest.mark.parametrize(
    ("files", "words"),
    [((), "no media file in this folder"), (None, "not a folder; give the one that holds the media")],
)
def test_a_folder_without_media_is_explained(tmp_path: Path, files: tuple | None, words: str) -> None:
    with pytest.raises(UgclError, match=words):
        start(tmp_path if files is not None else tmp_path / "none")


def tree(project: Path, root: Path, text: str) -> configuration.Config:
    file = root / "params-mine.yaml"
    file.write_text(text)
    return configuration.load(file)


def written(project: Path, root: Path, name: str = "mine") -> str:
    base = configuration.read(project / "params.yaml")
    return parameters(base, name, root.as_posix(), "clips.csv", f"params-{name}.yaml", start(root))


def test_the_parameters_load_and_fit_what_the_folder_has(project: Path, tmp_path: Path) -> None:
    media = tmp_path / "media"
    for number in (1, 2, 3, 4):
        put(media, f"spk{number}/angry_{number}.wav", f"spk{number}/sad_{number}.wav")
    put(media, "spk5/sad_5.wav")
    config = tree(project, tmp_path, written(project, media))
    entry, protocol = config.benchmark("mine"), config.protocol("mine")
    assert (config.active, entry.features, entry.systems) == (["mine"], {"audio": "logmel"}, ["audio-only"])
    assert (protocol.classes, protocol.folds.scheme, protocol.folds.folds) == (
        ["angry", "sad"],
        "stratified",
        4,
    )
    assert config.train == configuration.load(project / "params.yaml").train


def film(path: Path, sound: bool) -> None:
    """A quarter of a second of grey, with or without a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("mp3", rate=22050, layout="mono") if sound else None
        for _ in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            tone = np.sin(np.arange(1152) / 11)[None].astype(np.float32)
            block = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            block.sample_rate = 22050
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))


@pytest.mark.parametrize(("sound", "kinds"), [(True, ["audio", "video"]), (False, ["video"])])
def test_a_video_s_own_sound_is_a_modality(
    project: Path, tmp_path: Path, sound: bool, kinds: list[str]
) -> None:
    (tmp_path / "media").mkdir()
    film(tmp_path / "media/a.avi", sound)
    config = tree(project, tmp_path, written(project, tmp_path / "media"))
    assert list(config.benchmark("mine").features) == kinds


def test_what_is_not_known_has_to_be_written_and_the_file_says_so(project: Path, tmp_path: Path) -> None:
    text = written(project, put(tmp_path, "a.wav", "b.mp4"))
    assert "# WRITE those of the table" in text
    assert yaml.safe_load(text)["benchmarks"]["mine"]["systems"] == [
        "ugcl",
        "concat",
        "audio-only",
        "video-only",
    ]


@pytest.mark.parametrize(
    ("name", "words"), [("demo", "in corpora .* already"), ("my clips", "is not a name")]
)
def test_a_name_that_cannot_be_is_refused(project: Path, tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UgclError, match=words):
        written(project, put(tmp_path, "a.wav"), name)
