"""What the app makes of uploaded files: clips within limits, players, drawings, sentences."""

from __future__ import annotations

import re
import wave
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from ugcl import load
from ugcl.app import about, answers, panels, playback, timeline, uploads
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.inference.predictions import Prediction

TINY = "tests/fixtures/tiny"
NAME = "1001_KEY_ANG_XX"


def tone(path: Path, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = 8000 * np.sin(np.arange(int(8000 * seconds)) / 5)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def test_files_of_one_name_are_one_clip_and_equal_names_are_told_apart(tmp_path: Path, project: Path) -> None:
    places = [tmp_path / part for part in ("scratch", "a", "b")]
    for place in places:
        place.mkdir()
    (places[1] / f"{NAME}.txt").write_text("kids are\ntalking")
    first, second = tone(places[1] / "x.wav", 1), tone(places[2] / "x.wav", 2)
    files = [project / TINY / f"AudioWAV/{NAME}.wav", project / TINY / f"VideoMP4/{NAME}.mp4"]
    recordings = [("camera", None), ("microphone", second)]
    files += [places[1] / f"{NAME}.txt", first, second]
    found = uploads.batch(places[0], files, recordings, uploads.Limits())
    clips = {clip.name: clip for clip in found.clips}
    assert set(clips) == {NAME, "x", "x (2)", "microphone"} and found.refused == {}
    assert clips[NAME].audio and clips[NAME].video and clips[NAME].transcript == "kids are talking"
    assert found.folder.parent == places[0] and found.folder.stat().st_mode & 0o077 == 0


def test_clips_of_equal_stems_have_no_path_of_the_server_in_their_names(
    tmp_path: Path, project: Path
) -> None:
    film = (project / TINY / f"VideoMP4/{NAME}.mp4").read_bytes()
    for name in ("x.mp4", "x.mov"):
        (tmp_path / name).write_bytes(film)
    (tmp_path / "scratch").mkdir()
    files = [tmp_path / "x.mp4", tmp_path / "x.mov"]
    found = uploads.batch(tmp_path / "scratch", files, [], uploads.Limits())
    assert [clip.name for clip in found.clips] == ["x.mov", "x.mp4"]


def test_a_clip_beyond_a_limit_is_refused_and_the_others_are_kept(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    files = [tone(tmp_path / "short.wav", 1.9), tone(tmp_path / "long.wav", 2.6)]
    found = uploads.batch(tmp_path / "scratch", files, [], uploads.Limits(seconds=2))
    assert [clip.name for clip in found.clips] == ["short"]
    assert found.refused == {"long": "long.wav is 3 s long, and at most 2 s are taken; cut it"}
    found = uploads.batch(tmp_path / "scratch", files, [], uploads.Limits(megabytes=0.035))
    assert [clip.name for clip in found.clips] == ["short"] and "MB" in found.refused["long"]


def test_a_text_that_cannot_be_read_is_reported_and_the_rest_is_kept(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    wrong = tmp_path / "short.txt"
    wrong.write_bytes("caf\u00e9".encode("latin-1"))
    files = [tone(tmp_path / "short.wav", 1), wrong]
    found = uploads.batch(tmp_path / "scratch", files, [], uploads.Limits())
    assert [(clip.name, clip.transcript) for clip in found.clips] == [("short", "")]
    assert found.refused == {"short.txt": "short.txt: not a text in UTF-8; save it as UTF-8"}
    alone = uploads.batch(tmp_path / "scratch", [wrong], [], uploads.Limits())
    assert alone.clips == [] and set(alone.refused) == {"short.txt"}


def test_files_that_cannot_be_laid_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    with pytest.raises(FileNotFoundError):
        uploads.batch(tmp_path / "scratch", [tmp_path / "gone.wav"], [], uploads.Limits())
    assert list((tmp_path / "scratch").iterdir()) == []


def test_clips_of_one_stem_have_players_of_their_own(tmp_path: Path, project: Path) -> None:
    film = (project / TINY / f"VideoMP4/{NAME}.mp4").read_bytes()
    for name in ("x.avi", "x.mov"):
        (tmp_path / name).write_bytes(film)
    clips = [Clip(name, video=tmp_path / name) for name in ("x.avi", "x.mov")]
    made = [playback.playable(clip, tmp_path) for clip in clips]
    assert [path and path.name for path in made] == ["x.avi.mp4", "x.mov.mp4"]
    assert all(path.is_file() for path in made)


def test_too_many_files_and_none_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match="no clip yet"):
        uploads.batch(tmp_path, [], [("camera", None)], uploads.Limits())
    with pytest.raises(UgclError, match="51 files: at most 50"):
        uploads.batch(tmp_path, [tmp_path / f"{i}.wav" for i in range(51)], [], uploads.Limits())


def test_a_typed_transcript_is_that_of_the_one_clip() -> None:
    assert uploads.with_words([Clip("a", transcript="x")], " it is\n eleven ")[0].transcript == "it is eleven"
    assert uploads.with_words([Clip("a"), Clip("b")], " ") == [Clip("a"), Clip("b")]
    with pytest.raises(UgclError, match="for 2 clips"):
        uploads.with_words([Clip("a"), Clip("b")], "it is eleven")


def test_a_request_that_fails_leaves_no_files(tmp_path: Path, tiny_folder: Path) -> None:
    (tmp_path / "scratch").mkdir()
    model = load("tiny/ugcl", project=tiny_folder)
    files = [tone(tmp_path / "a.wav", 1), tone(tmp_path / "b.wav", 1)]
    request = uploads.batch(tmp_path / "scratch", files, [], uploads.Limits())
    with pytest.raises(UgclError, match="for 2 clips"):
        answers.answer(model, request, "it is eleven", lambda *_: None)
    work = answers.Work()
    work.end()
    request = uploads.batch(tmp_path / "scratch", files, [], uploads.Limits())
    with pytest.raises(UgclError, match="was ended"):
        answers.answer(model, request, "", lambda *_: work.check())
    assert list((tmp_path / "scratch").iterdir()) == []


def test_sentences_have_neither_codes_nor_folders(tmp_path: Path) -> None:
    text = f"audio: no_audio: {tmp_path}/a b.mp4: no sound; video: no_face: {tmp_path}/a b.mp4: no face"
    assert uploads.sentence(text, tmp_path) == "audio: a b.mp4: no sound; video: a b.mp4: no face"


def streams(path: Path) -> dict[str, tuple[str, float]]:
    with av.open(str(path)) as container:
        return {s.type: (s.codec_context.name, float(s.duration * s.time_base)) for s in container.streams}


def test_a_sound_and_a_video_file_become_one_player(tmp_path: Path, project: Path) -> None:
    sound, film = (project / TINY / f"{part}" for part in (f"AudioWAV/{NAME}.wav", f"VideoMP4/{NAME}.mp4"))
    made = playback.playable(Clip("x", sound, film), tmp_path)
    found = streams(made)
    assert {kind: codec for kind, (codec, _) in found.items()} == {"video": "h264", "audio": "aac"}
    assert found["audio"][1] == pytest.approx(streams(sound)["audio"][1], abs=0.1)
    assert found["video"][1] == pytest.approx(streams(film)["video"][1], abs=0.1)


def test_what_browsers_play_stays_as_it_is_and_other_containers_are_converted(
    tmp_path: Path, project: Path
) -> None:
    film = project / TINY / f"VideoMP4/{NAME}.mp4"
    assert playback.playable(Clip("x", None, film), tmp_path) == film
    other = tmp_path / "x.avi"
    with av.open(str(film)) as source, av.open(str(other), "w") as target:
        stream = target.add_stream("mpeg4", rate=25)
        stream.width, stream.height = source.streams.video[0].width, source.streams.video[0].height
        for i, frame in enumerate(source.decode(video=0)):
            picture = av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"), format="rgb24")
            picture.pts = i
            target.mux(stream.encode(picture))
        target.mux(stream.encode())
    made = playback.playable(Clip("x", None, other), tmp_path)
    assert streams(made)["video"][0] == "h264"
    assert streams(made)["video"][1] == pytest.approx(streams(other)["video"][1], abs=0.1)
    assert playback.playable(Clip("words", transcript="so"), tmp_path) is None
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 100)
    assert playback.playable(Clip("x", None, tmp_path / "broken.mp4"), tmp_path) is None


def test_the_strong_colour_covers_the_windows_where_a_class_is_the_most_probable() -> None:
    """Four windows of a clip of 4 s; the first class is on top in the first two: from 0 to the middle."""
    p = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6]])
    time = np.array([0.5, 1.5, 2.5, 3.5])
    for k, places in ((0, (0.0, 500.0)), (1, (500.0, 1000.0))):
        drawing = timeline._curve(time, p, k, 4.0)
        (strong,) = re.findall(r'points="([^"]*)" fill="--shade" fill-opacity="0.8"', drawing)
        points = [tuple(map(float, pair.split(","))) for pair in strong.split()]
        assert (min(x for x, _ in points), max(x for x, _ in points)) == places
        heights = {x: 1 - y / 100 for x, y in points if y < 100}
        assert heights[1000 * time[2 * k] / 4] == pytest.approx(p[2 * k, k])
        assert heights[500.0] == pytest.approx((p[1, k] + p[2, k]) / 2)


def test_a_gap_is_left_where_nothing_could_be_read() -> None:
    p = np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8]])
    drawing = timeline._curve(np.array([0.5, 1.5, 2.5]), p, 0, 3.0)
    assert drawing.count("<polyline") == 2


def test_names_and_failures_are_text_and_never_markup() -> None:
    name = "<img src=x onerror=alert(1)>"
    good = Prediction(Clip(name), probabilities={"a<b": 0.7, "c": 0.3}, modalities="audio", duration=1.0)
    bad = Prediction(Clip(name), failure=f"{name}.mp4: the file is <b>odd</b>")
    for html in (panels.table([good, bad], 0), panels.failure(bad)):
        assert "<img" not in html and "<b>odd" not in html and "&lt;img" in html
    assert "<b>a&lt;b</b>" in panels.table([good], 0)


def test_the_page_says_what_a_model_was_trained_on_and_that_it_is_synthetic(tiny_folder: Path) -> None:
    model = load("tiny/ugcl", project=tiny_folder)
    assert "must not be used on people" in about.banner(model)
    text = about.description(model)
    assert "corpus tiny (SYNTHETIC), label emotion: the column emotion of your own table" in text
    assert "audio by logmel, video by hog" in text and "3 trained networks vote" in text
    model.ensemble = replace(model.ensemble, marks="")
    assert "SYNTHETIC" not in about.banner(model) + about.description(model)


def test_a_bundle_brings_its_model_card_without_the_header_of_the_hub(
    tiny: object, tmp_path: Path, ugcl
) -> None:
    ugcl("export", "tiny/ugcl", "--out", str(tmp_path / "bundle.zip"))
    card = load(tmp_path / "bundle.zip").card
    assert card.startswith("# ugcl on tiny") and "## Intended use" in card and "license:" not in card
