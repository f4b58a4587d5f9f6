"""An utterance is cut from its dialog by the clock, from the half of the picture where its speaker is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.media.interval import Interval
from ugcl.features.media.sound import sound
from ugcl.features.media.video import frames, sample

RATE, FPS, SECONDS = 16000, 25, 6
FILES = {
    "dialog.mp4": ("libx264", {"bf": "3"}, "aac"),
    "dialog.avi": ("mpeg4", {"bf": "2"}, "mp3"),  # as DivX: stamps in decoding order, none in the packets
    "plain.avi": ("mpeg4", {}, "pcm_s16le"),
    "dialog.flv": ("flv", {}, "mp3"),
}


def picture(number: int) -> np.ndarray:
    """Frame `number`: its own grey in the left half, and that from the other end in the right one."""
    pixels = np.empty((48, 64, 3), np.uint8)
    pixels[:, :32], pixels[:, 32:] = 20 + number, 220 - number
    return pixels


def chirp() -> np.ndarray:
    """A sound whose frequency tells the time: 400 Hz plus 300 Hz a second, over all of the file."""
    time = np.arange(SECONDS * RATE) / RATE
    return (0.4 * np.sin(2 * np.pi * (400 * time + 150 * time**2))).astype(np.float32)


@pytest.fixture(scope="module")
def dialogs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of numbered frames with a chirp, in four containers; a key frame every second or so."""
    folder = tmp_path_factory.mktemp("dialogs")
    for name, (codec, options, sound_codec) in FILES.items():
        with av.open(str(folder / name), "w") as container:
            video = container.add_stream(codec, rate=FPS, options=options | {"b": "2000000", "g": "25"})
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            audio = container.add_stream(sound_codec, rate=RATE if sound_codec != "mp3" else 22050)
            audio.layout = "mono"
            for number in range(SECONDS * FPS):
                frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            block = av.AudioFrame.from_ndarray(chirp()[None], format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = RATE, 0, Fraction(1, RATE)
            resampler = av.AudioResampler(audio.format, "mono", audio.rate, frame_size=audio.frame_size)
            for part in [*resampler.resample(block), *resampler.resample(None)]:
                container.mux(audio.encode(part))
            container.mux(audio.encode(None))
    return folder


def number(rgb: np.ndarray) -> int:
    return round(float(rgb.mean()) - 20)


def shown(clip: Clip) -> list[int]:
    return [number(frame.rgb()) for frame in clip.frames()]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.31, 0.99), (1.02, 2.5), (3.99, 4.03), (4.5, 6.0)])
def test_the_frames_of_an_interval_are_those_of_the_whole_file(
    dialogs: Path, name: str, start: float, end: float
) -> None:
    whole = list(frames(dialogs / name, region="left"))
    expected = [f for f in whole if f.time + f.duration > start + 1e-6 and f.time < end]
    found = list(frames(dialogs / name, Interval(start, end), "left"))
    assert [number(f.rgb()) for f in found] == [number(f.rgb()) for f in expected]
    assert [f.index for f in found] == list(range(len(expected)))
    np.testing.assert_allclose([f.time for f in found], [max(f.time - start, 0) for f in expected], atol=1e-6)
    assert found[-1].time + found[-1].duration <= end - start + 1e-6


@given(start=st.integers(0, 5700), length=st.integers(100, 2000))
def test_the_grid_of_an_interval_shows_what_the_clock_says(dialogs: Path, start: int, length: int) -> None:
    begin, end = start / 1000, min((start + length) / 1000, SECONDS)
    grid = list(sample(frames(dialogs / "dialog.mp4", Interval(begin, end), "left"), FPS))
    assert len(grid) == pytest.approx((end - begin) * FPS, abs=1.05)
    for time, frame in grid:
        shown_for = (begin + time) * FPS - number(frame.rgb())  # in frames; a grey may be one off
        assert -1.1 < shown_for < 2.1


def test_only_the_interval_is_decoded(dialogs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ugcl.features.media import video

    decoded, real = [], video.decode
    monkeypatch.setattr(video, "decode", lambda *all: (decoded.append(1) or item for item in real(*all)))
    list(frames(dialogs / "dialog.mp4", Interval(4.6, 5.0)))
    assert len(decoded) <= 10 + 13 + 25 + 1  # the interval, the margin, a group of pictures, the next frame


@pytest.mark.parametrize("name", FILES)
def test_a_half_is_the_speakers(dialogs: Path, name: str) -> None:
    left = next(frames(dialogs / name, Interval(2.0, 3.0), "left")).rgb()
    right = next(frames(dialogs / name, Interval(2.0, 3.0), "right")).rgb()
    assert left.shape == right.shape == (48, 32, 3)
    assert left.mean() == pytest.approx(70, abs=3)  # a container may delay its pictures by a frame or two
    assert left.mean() + right.mean() == pytest.approx(240, abs=2)
    assert next(frames(dialogs / name, Interval(2.0, 3.0))).rgb().shape == (48, 64, 3)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.5), (0.7, 1.3), (3.21, 5.0)])
def test_the_sound_of_an_interval_is_that_of_the_whole_file(
    dialogs: Path, name: str, start: float, end: float
) -> None:
    whole, part = sound(dialogs / name), sound(dialogs / name, interval=Interval(start, end))
    assert len(part) == pytest.approx((end - start) * RATE, abs=2)
    # Stamps of mp3 in avi and flv are rounded, by up to a millisecond, and not to samples.
    inner = part[100:-100]
    starts = [round(start * RATE) + 100 + lag for lag in range(-16, 17)]
    alike = [np.corrcoef(inner, whole[at : at + len(inner)])[0, 1] for at in starts if at >= 0]
    assert max(alike) > 0.95
    middle = part[len(part) // 2 - 1000 : len(part) // 2 + 1000]
    peak = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(2000), 1 << 16))) * RATE / (1 << 16)
    assert peak == pytest.approx(400 + 300 * (start + end) / 2, abs=25)  # 25 Hz are 83 ms


def test_start_and_end_cut_a_sound_file_as_they_cut_the_video(dialogs: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", chirp(), RATE)
    soundfile.write(tmp_path / "long.flac", np.stack([chirp(), chirp()], axis=1), RATE)
    whole = Clip("whole", tmp_path / "long.wav").sound()
    for name in ("long.wav", "long.flac"):
        row = {"clip": "a", "audio": str(tmp_path / name), "video": "dialog.mp4"}
        for start, end in ((1.0, 2.0), (4.3, 5.05), (2.5, np.nan), (np.nan, 0.5)):
            clip = Clip.from_row(row | {"start": start, "end": end}, dialogs)
            first, last = np.nan_to_num([start, end], nan=SECONDS) % SECONDS * RATE
            expected = whole[round(first) : round(last) or None]
            np.testing.assert_allclose(clip.sound(), expected, atol=1e-4)
            assert len(shown(clip)) == pytest.approx(len(expected) / RATE * FPS, abs=2)


def test_an_utterances_own_sound_file_is_not_cut_again(dialogs: Path, wav: Path) -> None:
    row = {"clip": "a", "audio": str(wav), "video": "dialog.mp4", "start": 3.0, "end": 3.5, "region": "right"}
    clip = Clip.from_row(row | {"cut": "video"}, dialogs)
    assert len(clip.sound()) == 16000
    assert len(shown(clip)) == 13
    from_video = Clip.from_row(row | {"audio": ""}, dialogs)
    assert len(from_video.sound()) == 8000


def test_a_row_without_times_is_the_whole_file(dialogs: Path) -> None:
    plain = {"clip": "a", "audio": "", "video": "dialog.mp4"}
    for row in (plain, plain | {"start": np.nan, "end": np.nan, "region": ""}, pd.Series(plain)):
        assert len(shown(Clip.from_row(row, dialogs))) == SECONDS * FPS


@pytest.mark.parametrize("name", FILES)
def test_an_interval_past_the_end_is_truncated(dialogs: Path, name: str) -> None:
    for start, end in ((5.0, 6.5), (7.0, 8.0)):
        with pytest.raises(MediaError, match=r"end at .* s, the clip at") as caught:
            list(frames(dialogs / name, Interval(start, end)))
        assert caught.value.failure == "truncated"
        with pytest.raises(MediaError) as caught:
            sound(dialogs / name, interval=Interval(start, end))
        assert caught.value.failure == "truncated"
    assert len(list(frames(dialogs / name, Interval(5.0, 6.1)))) >= 25  # a quarter second is let pass


def test_an_interval_has_a_length() -> None:
    with pytest.raises(MediaError, match="no length") as caught:
        Interval(2.0, 2.0)
    assert caught.value.failure == "empty"
