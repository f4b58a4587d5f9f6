"""RAVDESS as its archives are unpacked: sounds and videos of one performance find each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ugcl.errors import UgclError

CLASSES = ["neutral", "calm"]


def made(build, root: Path):
    return build("ravdess", root, "intended", CLASSES)


@pytest.mark.parametrize("layout", ["together", "apart"])
def test_the_official_archives(build, wav, film, tmp_path: Path, layout: str) -> None:
    sounds, videos = {
        "together": ("Actor_01", "Actor_01"),
        "apart": ("Audio_Speech_Actors_01-24/Actor_01", "Video_Speech_Actor_01/Actor_01"),
    }[layout]
    for emotion in ("01", "02"):
        wav(tmp_path / f"in/{sounds}/03-01-{emotion}-01-02-01-01.wav", 0.3)
    film(tmp_path / f"in/{videos}/01-01-01-01-02-01-01.mp4")
    film(tmp_path / f"in/{videos}/02-01-01-01-02-01-01.mp4", sound=False)
    film(tmp_path / f"in/{videos}/02-01-02-01-02-01-01.mp4", sound=False)
    film(tmp_path / f"in/{videos}/01-02-02-01-02-01-01.mp4")  # a song
    frame = made(build, tmp_path / "in")
    assert list(frame["audio"]) == [f"{sounds}/{clip}.wav" for clip in frame.index]
    assert list(frame["video"]) == [
        f"{videos}/01-01-01-01-02-01-01.mp4",
        f"{videos}/02-01-02-01-02-01-01.mp4",
    ]
    assert list(frame["intended"]) == ["neutral", "calm"]
    facts = ["speaker", "sex", "sentence", "level", "repetition", "duration"]
    assert frame.iloc[0][facts].tolist() == ["01", "male", "dogs", "normal", "01", 0.3]


def test_a_video_without_its_sound_file_is_a_clip(build, film, tmp_path: Path) -> None:
    for emotion in ("01", "02"):
        film(tmp_path / f"in/Actor_24/01-01-{emotion}-01-01-02-24.mp4", 0.4)
    frame = made(build, tmp_path / "in")
    assert list(frame.index) == ["03-01-01-01-01-02-24", "03-01-02-01-01-02-24"]
    assert (frame["audio"] == "").all() and (frame["sex"] == "female").all()
    assert frame["duration"].between(0.38, 0.5).all()


def test_an_empty_folder_is_explained(build, tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"no RAVDESS speech clips \(looked for Actor_\*/03-01"):
        made(build, tmp_path)
