"""Every kind of file that corpora hold gives pictures and sound at their times, or a named failure."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ugcl.features.media.failure import MediaError
from ugcl.features.media.sound import sound
from ugcl.features.media.video import frames, sample

LAYOUTS = {"mono": ["FC"], "stereo": ["FL", "FR"], "5.1": ["FL", "FR", "FC", "LFE", "BL", "BR"]}
# ITU-R BS.775-3: the centre whole, left and right less 3 dB, the surrounds less 6 dB, no low frequencies.
SHARES = {
    "mono": [1.0],
    "stereo": [1 / 2, 1 / 2],
    "5.1": list(np.array([0.7071, 0.7071, 1, 0, 0.5, 0.5]) / 3.4142),
}
CODECS = {
    "mp4": ("libx264", "aac"),
    "mkv": ("libx264", "flac"),
    "flv": ("flv", "mp3"),
    "avi": ("mpeg4", "mp3"),
}


def tone(seconds: float, rate: int = 22050, pitch: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write(
    path: Path,
    pictures: list[np.ndarray],
    fps: Fraction = Fraction(25),
    *,
    channels: np.ndarray | None = None,
    layout: str = "mono",
    rate: int = 22050,
    first: float = 0.0,
    pixels: str = "yuv420p",
    codecs: tuple[str, str] | None = None,
    **options: str,
) -> Path:
    """A file of pictures shown from `first` on, and of sound, (channels, samples), from 0 on."""
    video_codec, sound_codec = codecs or CODECS[path.suffix[1:]]
    with av.open(str(path), "w", options=options) as container:
        if pictures:
            video = container.add_stream(video_codec, rate=fps, options={"g": "5", "bf": "0"})
            video.height, video.width = pictures[0].shape[:2]
            video.pix_fmt, video.codec_context.time_base = pixels, 1 / fps
        if channels is not None:
            audio = container.add_stream(sound_codec, rate=rate, layout=layout)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number + round(first * fps), 1 / fps
            container.mux(video.encode(frame))
        if pictures:
            container.mux(video.encode(None))
        if channels is not None:
            block = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
            block.sample_rate, block.pts, block.time_base = rate, 0, Fraction(1, rate)
            size = audio.frame_size or 1024
            fitted = av.AudioResampler(audio.format, layout, rate, frame_size=size)
            for part in [*fitted.resample(block), *fitted.resample(None)]:
                container.mux(audio.encode(part))
            container.mux(audio.encode(None))
    return path


def greys(count: int, shape: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    return [np.full((*shape, 3), 20 + 3 * i, np.uint8) for i in range(count)]


def number(rgb: np.ndarray) -> int:
    return round((float(rgb.mean()) - 20) / 3)


def failure(work) -> str:
    with pytest.raises(MediaError) as caught:
        work()
    return caught.value.failure


@pytest.mark.parametrize(
    "fps", [Fraction(15), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30)]
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "flv"])
def test_each_rate_keeps_its_clock_on_the_grid(tmp_path, fps, suffix):
    path = write(tmp_path / f"a.{suffix}", greys(40), fps)
    shown = list(sample(frames(path), 25.0))
    assert len(shown) == pytest.approx(40 / float(fps) * 25, abs=1)
    for time, frame in shown:
        latest = {int((time + slack) * fps) for slack in (-0.0011, 0.0011)}  # stamps of flv and mkv are ms
        assert min(number(frame.rgb()), 39) in {min(max(n, 0), 39) for n in latest}


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_turned_picture_is_shown_upright(tmp_path, turns):
    """The track header's matrix turns by quarters clockwise (ISO/IEC 14496-12, §8.3.2)."""
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:24, :32, 0] = upright[24:, :32, 1] = upright[:24, 32:, 2] = 255
    path = write(tmp_path / "a.mp4", [np.ascontiguousarray(np.rot90(upright, turns))] * 5)
    content, word = path.read_bytes(), lambda value: value.to_bytes(4, "big", signed=True)
    cos, sin = [(1, 0), (0, 1), (-1, 0), (0, -1)][turns]
    at = content.index(word(1 << 16) + bytes(12) + word(1 << 16), content.index(b"tkhd"))
    a, b = word(cos << 16), word(sin << 16)
    matrix = a + b + bytes(4) + word(-sin << 16) + a + bytes(4)
    path.write_bytes(content[:at] + matrix + content[at + len(matrix) :])
    shown = next(frames(path)).rgb().astype(int)
    assert shown.shape == upright.shape
    corners = [(12, 16), (36, 16), (12, 48), (36, 48)]
    for row, column in corners:
        np.testing.assert_allclose(shown[row, column], upright[row, column], atol=30)


@pytest.mark.parametrize("size", [(49, 65), (48, 65), (49, 64), (1, 3)])
@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "ffv1"), ("avi", "ffv1"), ("mp4", "mjpeg")])
def test_odd_sizes_lose_no_row_and_no_column(tmp_path, size, suffix, codec):
    rng = np.random.default_rng(0)
    grey = np.repeat(rng.integers(30, 220, (*size, 1)), 3, axis=2).astype(np.uint8)
    if codec == "mjpeg":
        grey[:] = 120  # which loses detail
    pixels = "yuvj444p" if codec == "mjpeg" else "yuv444p"
    path = write(tmp_path / f"a.{suffix}", [grey] * 3, pixels=pixels, codecs=(codec, "mp3"))
    shown = [frame.rgb() for frame in frames(path)]
    assert len(shown) == 3
    np.testing.assert_allclose(shown[1].astype(int), grey, atol=4)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_channels_and_rates_become_one_of_each(tmp_path, layout, rate):
    """A tone in one channel alone comes out at that channel's share, at its pitch and length."""
    for channel, share in enumerate(SHARES[layout]):
        channels = np.zeros((len(LAYOUTS[layout]), rate), np.float32)
        channels[channel] = tone(1.0, rate, 1000.0)
        path = write(tmp_path / "a.mkv", [], channels=channels, layout=layout, rate=rate)
        if share == 0:
            assert failure(lambda path=path: sound(path)) == "silent"
            continue
        samples = sound(path)
        assert abs(len(samples) - 16000) <= 2 and samples.dtype == np.float32
        np.testing.assert_allclose(
            samples[2000:14000], share * tone(1.0, 16000, 1000.0)[2000:14000], atol=5e-3
        )


def test_a_wav_of_six_channels_is_mixed_as_a_film_is(tmp_path):
    channels = np.zeros((6, 16000), np.float32)
    channels[2] = tone(1.0, 16000)
    film = write(tmp_path / "a.mkv", [], channels=channels, layout="5.1", rate=16000)
    plain = write(
        tmp_path / "a.wav", [], channels=channels, layout="5.1", rate=16000, codecs=("", "pcm_s16le")
    )
    np.testing.assert_allclose(sound(plain), sound(film), atol=2e-4)
    np.testing.assert_allclose(sound(plain)[:16000], channels[2] / 3.4142, atol=2e-4)


def test_full_scale_channels_do_not_pass_full_scale(tmp_path):
    path = write(
        tmp_path / "a.mkv", [], channels=np.full((2, 8000), 0.999, np.float32), layout="stereo", rate=16000
    )
    assert np.abs(sound(path)).max() <= 1.001


def test_an_flv_without_a_duration_is_read_to_its_end(tmp_path):
    whole = write(
        tmp_path / "a.flv", greys(50), channels=tone(2.0)[None], flvflags="no_duration_filesize+no_metadata"
    )
    assert b"duration" not in whole.read_bytes()[:600]
    assert [number(frame.rgb()) for frame in frames(whole)] == list(range(50))
    assert len(sound(whole)) / 16000 == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "flv", "avi"])
@pytest.mark.parametrize(("pictures", "seconds"), [(20, 4.0), (100, 1.0)])
def test_a_stream_shorter_than_the_other_is_whole(tmp_path, suffix, pictures, seconds):
    path = write(tmp_path / f"a.{suffix}", greys(pictures // 2) * 2, channels=tone(seconds)[None])
    found = list(frames(path))
    assert len(found) == pictures
    assert found[-1].time + found[-1].duration == pytest.approx(pictures / 25, abs=0.11)
    assert len(sound(path)) / 16000 == pytest.approx(seconds, abs=0.15)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "flv", "avi"])
def test_a_cut_file_is_truncated_in_pictures_and_in_sound(tmp_path, suffix):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (48, 64, 3)).astype(np.uint8) for _ in range(100)]
    steady = rng.normal(0, 0.1, (1, 4 * 22050)).astype(np.float32)
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w", options={"movflags": "faststart"} if suffix == "mp4" else {}) as container:
        codec, sound_codec = CODECS[suffix]
        video = container.add_stream(codec, rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        audio = container.add_stream(sound_codec, rate=22050, layout="mono")
        fitted = av.AudioResampler(audio.format, "mono", 22050, frame_size=audio.frame_size or 1024)
        for number, picture in enumerate(noise):  # by turns, as recorders write
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
            block = av.AudioFrame.from_ndarray(steady[:, number * 882 : number * 882 + 882], "fltp", "mono")
            block.sample_rate, block.pts, block.time_base = 22050, number * 882, Fraction(1, 22050)
            for part in fitted.resample(block):
                container.mux(audio.encode(part))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    assert len(list(frames(path))) == 100
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert failure(lambda: list(frames(path))) == "truncated"
    assert failure(lambda: sound(path)) == "truncated"


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "flv"])
@pytest.mark.parametrize("delay", [0.2, 0.6])
def test_pictures_that_begin_late_keep_their_delay(tmp_path, suffix, delay):
    path = write(tmp_path / f"a.{suffix}", greys(25), channels=tone(2.0)[None], first=delay)
    found = list(frames(path))
    begun = found[0].time
    onset = np.flatnonzero(np.abs(sound(path)) > 0.2)[0] / 16000  # a coder's first block moves both
    assert begun - onset == pytest.approx(delay, abs=0.03) and onset < 0.1
    shown = [number(frame.rgb()) for _, frame in sample(iter(found), 25.0)]
    late = round(begun * 25)
    assert shown[: late + 1] == [0] * (late + 1) and shown[-1] == 24


def test_sound_without_pictures_and_pictures_without_sound(tmp_path):
    heard = write(tmp_path / "a.mkv", [], channels=tone(1.0)[None])
    seen = write(tmp_path / "b.mkv", greys(10))
    assert failure(lambda: list(frames(heard))) == "no_video"
    assert failure(lambda: sound(seen)) == "no_audio"


def test_a_film_whose_sound_is_nothing_is_silent(tmp_path):
    path = write(tmp_path / "a.mp4", greys(10), channels=np.zeros((1, 22050), np.float32))
    assert failure(lambda: sound(path)) == "silent"
    soundfile.write(tmp_path / "hum.wav", np.full(16000, 2e-5), 16000, subtype="FLOAT")
    assert failure(lambda: sound(tmp_path / "hum.wav")) == "silent"
