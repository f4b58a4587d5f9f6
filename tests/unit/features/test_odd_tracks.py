"""Sound and pictures of odd files have one time axis, the default track, and their true shape."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.unit.features.made_sound import RATE, encoded, noise
from ugcl.features.media.clip import Clip
from ugcl.features.media.interval import Interval
from ugcl.features.media.sound import sound
from ugcl.features.media.video import frames

# --- one time axis


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "pcm_s16le"), ("mp4", "aac"), ("ts", "aac")])
def test_a_gap_in_the_stamps_is_silence(tmp_path: Path, suffix: str, codec: str) -> None:
    path = encoded(tmp_path / f"a.{suffix}", noise(2.0), codec, starts=((0, 0.768, 0), (0.768, 2.0, 1.6)))
    notes: list[str] = []
    found = np.concatenate(list(Clip("a", path).stretches(notes=notes)))
    assert len(found) / RATE == pytest.approx(2.832, abs=0.2)
    assert np.abs(found[round(1.0 * RATE) : round(1.5 * RATE)]).max() < 1e-3
    assert np.abs(found[: round(0.6 * RATE)]).max() > 0.1 and np.abs(found[round(1.8 * RATE) :]).max() > 0.1
    assert any("missing inside" in note for note in notes)
    part = sound(path, interval=Interval(1.0, 2.0))
    loud = np.flatnonzero(np.abs(part) > 0.02)
    assert len(part) == RATE and loud[0] / RATE == pytest.approx(0.6, abs=0.1)


def test_a_jump_of_hours_is_not_believed(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.ts", noise(2.0), "aac", starts=((0, 1.024, 0), (1.024, 2.0, 20000.0)))
    assert len(sound(path)) / RATE == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("interval", [Interval(1.5, 2.5), Interval(2.03, 3.01), Interval(0.7, 1.0)])
def test_an_interval_of_a_programme_stream_is_its_own(tmp_path: Path, interval: Interval) -> None:
    path = tmp_path / "a.mpg"
    with av.open(str(path), "w", format="mpeg") as container:
        film = container.add_stream("mpeg2video", rate=25, options={"bf": "2", "g": "12"})
        film.width, film.height, film.pix_fmt = 320, 240, "yuv420p"
        track = container.add_stream("mp2", rate=48000, layout="stereo")
        fitted = av.AudioResampler(track.format, "stereo", 48000, frame_size=track.frame_size)
        for number in range(100):
            picture = av.VideoFrame.from_ndarray(
                np.random.default_rng(number).integers(0, 255, (240, 320, 3)).astype(np.uint8), format="rgb24"
            )
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(film.encode(picture))
            time = (np.arange(1920) + 1920 * number) / 48000
            block = av.AudioFrame.from_ndarray(
                np.tile(0.4 * np.sin(2 * np.pi * (400 * time + 150 * time**2)), (2, 1)).astype(np.float32),
                format="fltp",
                layout="stereo",
            )
            block.sample_rate, block.pts, block.time_base = 48000, 1920 * number, Fraction(1, 48000)
            for part in fitted.resample(block):
                container.mux(track.encode(part))
        container.mux(film.encode(None))
        container.mux(track.encode(None))
    part = sound(path, interval=interval)
    assert len(part) == pytest.approx(interval.duration * RATE, abs=2)
    middle = part[len(part) // 2 - 1000 : len(part) // 2 + 1000]
    peak = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(2000), 1 << 16))) * RATE / (1 << 16)
    assert peak == pytest.approx(400 + 300 * (interval.start + interval.end) / 2, abs=30)
    assert len(list(frames(path, interval))) == pytest.approx(interval.duration * 25, abs=2)


# --- tracks


@pytest.mark.parametrize("default", [0, 1, 2])
def test_the_default_track_is_read_and_a_note_says_so(tmp_path: Path, default: int) -> None:
    path, pitches = tmp_path / "a.mkv", (300, 600, 900)
    with av.open(str(path), "w") as container:
        tracks = [container.add_stream("flac", rate=RATE, layout="mono") for _ in pitches]
        for number, track in enumerate(tracks):
            track.disposition = av.stream.Disposition.default if number == default else 0
        for track, pitch in zip(tracks, pitches, strict=True):
            tone = np.sin(2 * np.pi * pitch * np.arange(RATE) / RATE) * 16000
            for start in range(0, RATE, 1600):
                block = av.AudioFrame.from_ndarray(
                    tone[None, start : start + 1600].astype(np.int16), format="s16", layout="mono"
                )
                block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
                container.mux(track.encode(block))
            container.mux(track.encode(None))
    notes: list[str] = []
    found = np.concatenate(list(Clip("a", path).stretches(notes=notes)))
    assert np.argmax(np.abs(np.fft.rfft(found[:RATE]))) == pytest.approx(pitches[default], abs=2)
    assert notes == [f"3 sound tracks in the file; number {default + 1} is used (marked as default)"]


# --- pictures


@pytest.mark.parametrize(
    ("codec", "options"),
    [("libx264", {"bf": "3"}), ("libx264", {"bf": "8", "b-pyramid": "normal"}), ("mpeg4", {"bf": "2"})],
)
def test_an_avi_with_reordered_frames_loses_none(tmp_path: Path, codec: str, options: dict[str, str]) -> None:
    path, count = tmp_path / "a.avi", 60
    with av.open(str(path), "w") as container:
        film = container.add_stream(codec, rate=25, options=options | {"g": "30", "b": "2000000"})
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        for number in range(count):
            pixels = np.full((48, 64, 3), 20 + 3 * number, np.uint8)
            pixels[number % 40 : number % 40 + 8, :20] = (
                255 - 2 * number
            )  # something to predict from both sides
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(film.encode(picture))
        container.mux(film.encode(None))
    found = list(frames(path))
    assert len(found) == count
    np.testing.assert_allclose(np.diff([frame.time for frame in found]), 1 / 25, atol=1e-6)
    levels = [float(frame.rgb()[:, 40:].mean()) for frame in found]
    np.testing.assert_allclose(levels, 20 + 3 * np.arange(count), atol=4)


@pytest.mark.parametrize(("aspect", "shape"), [((4, 3), (48, 80)), ((1, 2), (96, 60)), ((1, 1), (48, 60))])
@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4")])
def test_pixels_come_out_square(
    tmp_path: Path, suffix: str, codec: str, aspect: tuple[int, int], shape: tuple[int, int]
) -> None:
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w") as container:
        film = container.add_stream(codec, rate=25)
        film.width, film.height, film.pix_fmt = 60, 48, "yuv420p"
        film.sample_aspect_ratio = film.codec_context.sample_aspect_ratio = Fraction(*aspect)
        pixels = np.zeros((48, 60, 3), np.uint8)
        pixels[:, :30] = 200
        for number in range(5):
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(film.encode(picture))
        container.mux(film.encode(None))
    shown = next(frames(path)).rgb()
    assert shown.shape == (*shape, 3)
    half = shape[1] // 2
    assert shown[:, : half - 4].mean() > 180 and shown[:, half + 4 :].mean() < 20
    assert next(frames(path, region="left")).rgb().mean() > 170
