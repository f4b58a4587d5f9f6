"""Files that recorders, browsers and cameras really write: what can be read is read, at its own time."""

from __future__ import annotations

import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ugcl.config.features import LogMel
from ugcl.data.recordings import length
from ugcl.features.encoders import logmel
from ugcl.features.encoders.logmel import LogMelEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.media.interval import Interval
from ugcl.features.media.sound import sound
from ugcl.features.media.video import frames
from ugcl.features.networks.face_frames import Grid

RATE = 16000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def failure(path: Path, **wanted) -> MediaError:
    with pytest.raises(MediaError) as caught:
        sound(path, **wanted)
    return caught.value


def wav(path: Path, seconds: float = 2.0, *, riff: int = 0, data: int | None = None) -> np.ndarray:
    """A WAV of noise whose header says other sizes; `riff` is added to the true one."""
    soundfile.write(path, noise(seconds), RATE)
    content = bytearray(path.read_bytes())
    content[4:8] = struct.pack("<I", struct.unpack("<I", content[4:8])[0] + riff)
    if data is not None:
        at = content.index(b"data") + 4
        content[at : at + 4] = struct.pack("<I", data)
    path.write_bytes(content)
    return np.round(noise(seconds) * 32767) / 32768


def encoded(
    path: Path,
    samples: np.ndarray,
    codec: str,
    *,
    form: str | None = None,
    starts: tuple[tuple[float, float, float], ...] = (),
    **options: str,
) -> Path:
    """A file of one sound track; `starts` are pieces of the samples: from, to, and when they begin."""
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        size = stream.frame_size or 1024
        for first, last, begin in starts or ((0.0, len(samples) / RATE, 0.0),):
            piece = samples[round(first * RATE) : round(last * RATE)]
            fitted = av.AudioResampler(stream.format, "mono", RATE, frame_size=size)
            block = av.AudioFrame.from_ndarray(piece[None], format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = RATE, round(begin * RATE), Fraction(1, RATE)
            for part in [*fitted.resample(block), *fitted.resample(None)]:
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


# --- a reader's fault is one file's


@pytest.mark.parametrize("subtype", ["GSM610", "IMA_ADPCM", "MS_ADPCM", "ULAW", "ALAW", "PCM_24", "DOUBLE"])
def test_each_coder_of_wav_is_read(tmp_path: Path, subtype: str) -> None:
    pitch = 0.3 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    soundfile.write(tmp_path / "a.wav", pitch, 8000, subtype=subtype)
    found = sound(tmp_path / "a.wav")
    assert len(found) / RATE == pytest.approx(1.0, abs=0.05)
    assert np.argmax(np.abs(np.fft.rfft(found))) * RATE / len(found) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("codec", ["adpcm_g722", "adpcm_yamaha", "mp2", "flac"])
def test_what_libsndfile_refuses_ffmpeg_is_asked_for(tmp_path: Path, codec: str) -> None:
    path = encoded(tmp_path / "a.wav", noise(1.0), codec)
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.info(path)
    assert len(sound(path)) / RATE == pytest.approx(1.0, abs=0.1)


def test_what_ffmpeg_refuses_libsndfile_is_asked_for(tmp_path: Path, monkeypatch) -> None:
    soundfile.write(tmp_path / "a.wav", noise(1.0), RATE)
    path = (tmp_path / "a.wav").rename(tmp_path / "a.m4a")

    def broken(*_, **__):
        raise KeyError("unforeseen")

    monkeypatch.setattr(av, "open", broken)
    assert len(sound(path)) == RATE


def test_a_fault_of_any_kind_is_that_clips_failure(tmp_path: Path, monkeypatch) -> None:
    soundfile.write(tmp_path / "a.wav", noise(1.0), RATE)

    def broken(*_, **__):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(soundfile, "SoundFile", broken)
    monkeypatch.setattr(av, "open", broken)
    fault = failure(tmp_path / "a.wav")
    assert fault.failure == "unreadable" and "unforeseen" in fault.detail
    with pytest.raises(MediaError, match="unforeseen"):
        list(frames(tmp_path / "a.wav"))


def test_tags_in_another_encoding_do_not_matter(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mp3", noise(1.0), "libmp3lame", id3v2_version="0", write_id3v1="1")
    path.write_bytes(b"ID3\x03\0\0\0\0\0\x11TIT2\0\0\0\x07\0\0\0caf\xe9\xff\xfe" + path.read_bytes())
    assert len(sound(path)) / RATE == pytest.approx(1.0, abs=0.1)


# --- sizes and durations that are not true


@pytest.mark.parametrize("extra", [8, 36, 44])
@pytest.mark.parametrize("where", ["riff", "data", "both"])
def test_a_header_that_counts_itself_is_let_pass(tmp_path: Path, extra: int, where: str) -> None:
    path, size = tmp_path / "a.wav", round(2.0 * RATE) * 2
    expected = wav(path, riff=extra * (where != "data"), data=size + extra * (where != "riff"))
    np.testing.assert_allclose(sound(path), expected, atol=1e-4)
    assert length.seconds(path) == pytest.approx(2.0)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_stream_that_knew_no_size_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    expected = wav(tmp_path / "a.wav", data=size)
    np.testing.assert_allclose(sound(tmp_path / "a.wav"), expected, atol=1e-4)
    assert length.seconds(tmp_path / "a.wav") == pytest.approx(2.0)


def test_sound_behind_the_declared_end_is_read_with_a_note(tmp_path: Path) -> None:
    expected, notes = wav(tmp_path / "a.wav", data=3200), []
    found = np.concatenate(list(Clip("a", tmp_path / "a.wav").stretches(notes=notes)))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert "0.10 s" in notes[0] and "2.00 s" in notes[0]
    assert length.seconds(tmp_path / "a.wav") == pytest.approx(2.0)


def test_chunks_behind_the_data_are_not_sound(tmp_path: Path) -> None:
    expected, notes = wav(tmp_path / "a.wav"), []
    with (tmp_path / "a.wav").open("ab") as file:
        file.write(
            b"LIST" + struct.pack("<I", 40000) + bytes(range(250)) * 160 + b"id3 " + struct.pack("<I", 3)
        )
        file.write(b"abc")
    found = np.concatenate(list(Clip("a", tmp_path / "a.wav").stretches(notes=notes)))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert notes == []


def test_a_wav_that_lacks_a_second_is_truncated(tmp_path: Path) -> None:
    wav(tmp_path / "a.wav", data=3 * RATE * 2)
    assert failure(tmp_path / "a.wav").failure == "truncated"


@pytest.mark.parametrize(
    ("suffix", "codec", "form", "options"),
    [
        ("aac", "aac", "adts", {}),
        ("mp3", "libmp3lame", "mp3", {"write_xing": "0"}),
        ("wav", "libmp3lame", "wav", {}),
        ("webm", "libopus", "webm", {"live": "1"}),
        ("ts", "aac", "mpegts", {}),
    ],
)
def test_an_estimated_duration_is_not_a_promise(
    tmp_path: Path, suffix: str, codec: str, form: str, options: dict[str, str]
) -> None:
    """Five seconds of nothing take few bits, from which readers extrapolate."""
    quiet = np.concatenate([np.zeros(5 * RATE, np.float32), noise(1.5)])
    path = encoded(tmp_path / f"a.{suffix}", quiet, codec, form=form, **options)
    found = sound(path)
    assert len(found) / RATE == pytest.approx(6.5, abs=0.15)
    assert length.seconds(path) == pytest.approx(6.5, abs=0.2)
    assert np.abs(found[: 4 * RATE]).max() < 0.01 < np.abs(found[6 * RATE :]).max()


def test_stills_that_end_before_the_speech_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        film = container.add_stream("libx264", rate=25, options={"bf": "0"})
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("aac", rate=RATE, layout="mono")
        for stamp in (0, 13):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 80, np.uint8), format="rgb24")
            picture.pts, picture.time_base = stamp, Fraction(1, 25)
            container.mux(film.encode(picture))
        container.mux(film.encode(None))
        block = av.AudioFrame.from_ndarray(noise(4.0)[None], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(track.encode(block))
        container.mux(track.encode(None))
    assert [round(frame.time, 1) for frame in frames(path)] == pytest.approx([0.0, 0.5], abs=0.1)
    assert len(sound(path)) / RATE == pytest.approx(4.0, abs=0.1)


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


# --- messages


@pytest.mark.parametrize(
    ("content", "failure_word", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "missing", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "unreadable", "a web page"),
        (b"PK\x03\x04" + bytes(range(100)), "unreadable", "a zip archive"),
        (bytes(5000), "unreadable", "nothing but zeros"),
        (b"the recording of Monday was lost", "unreadable", "text, which begins 'the recording"),
    ],
)
@pytest.mark.parametrize("suffix", ["wav", "mp4", "mp3"])
def test_what_is_no_recording_is_said_to_be_what_it_is(
    tmp_path: Path, suffix: str, content: bytes, failure_word: str, words: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    fault = failure(path)
    assert fault.failure == failure_word and words in fault.detail
    with pytest.raises(MediaError, match=words):
        list(frames(path))


def test_channels_that_cancel_each_other_are_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([noise(1.0), -noise(1.0)], axis=1), RATE)
    assert "cancel each other" in failure(tmp_path / "a.wav").detail


def test_one_sample_is_no_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.5]), RATE)
    assert "1 sample (0.0625 ms)" in failure(tmp_path / "a.wav").detail


def test_a_broken_link_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to(tmp_path / "gone.wav")
    assert failure(tmp_path / "a.wav").failure == "missing"
    assert "gone.wav, which does not exist" in failure(tmp_path / "a.wav").detail


# --- memory


@pytest.mark.parametrize("rate", [16000, 44100])
def test_stretches_are_the_whole_to_the_bit(tmp_path: Path, rate: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, (7 * rate + 13, 2))
    soundfile.write(tmp_path / "a.wav", samples, rate)
    parts = list(Clip("a", tmp_path / "a.wav").stretches(seconds=2.0))
    assert [len(part) for part in parts[:3]] == [2 * RATE] * 3 and len(parts) == 4
    np.testing.assert_array_equal(np.concatenate(parts), sound(tmp_path / "a.wav"))


def test_an_hour_of_sound_needs_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    """Peak memory of a process that goes through the sound, as `ugcl predict` does."""
    program = (
        "import resource, sys; from pathlib import Path; from ugcl.features.media.activity import listen;"
        "from ugcl.features.media.clip import Clip; heard = listen(Clip('a', Path(sys.argv[1])).stretches());"
        "print(heard.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    peaks = []
    for minutes in (1, 60):
        with soundfile.SoundFile(tmp_path / "a.wav", "w", 8000, 1, "PCM_16") as file:
            for second in range(minutes * 60):
                file.write(noise(0.5, second))
        run = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "a.wav"], capture_output=True, check=True
        )
        seconds, peak = map(float, run.stdout.split())
        assert seconds == pytest.approx(60 * minutes, abs=0.01)
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 40, "an hour in float32 is 230 MB"


def test_a_long_sound_has_the_energies_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", noise(7.3), RATE)
    clip, encoder = Clip("a", tmp_path / "a.wav"), LogMelEncoder("logmel", LogMel(kind="logmel"))
    whole = encoder.encode(clip)
    for seconds in (0.5, 1.0, 3.0):
        monkeypatch.setattr(logmel, "LONGEST", seconds)
        blocks = list(encoder.blocks(clip))
        assert len(blocks) > 2
        np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-3)


@given(st.data())
def test_a_grid_in_blocks_is_the_grid_at_once(data: st.DataObject) -> None:
    """Each point without a face takes the vector of the nearest with one, the earlier of two."""
    crops = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=12))  # points of each crop
    gaps = data.draw(st.lists(st.integers(0, 5), min_size=len(crops) + 1, max_size=len(crops) + 1))
    shown = [-1] * gaps[0]
    for number, (points, gap) in enumerate(zip(crops, gaps[1:], strict=True)):
        shown += [number] * points + [-1] * gap
    known = [i for i, number in enumerate(shown) if number >= 0]
    expected = [shown[min(known, key=lambda k: (abs(k - i), k))] for i in range(len(shown))]
    grid, found, begun = Grid(), [], 0
    for size in data.draw(st.lists(st.integers(1, 3), min_size=len(crops), max_size=len(crops))):
        if begun == len(crops):
            break
        own = list(range(begun, min(begun + size, len(crops))))
        first = 0 if begun == 0 else shown.index(own[0])
        last = shown.index(own[-1] + 1) if own[-1] + 1 < len(crops) else len(shown)
        found.append(grid.add(np.array(shown[first:last]), np.array(own, float)[:, None]))
        begun += len(own)
    np.testing.assert_array_equal(np.concatenate([*found, grid.rest()])[:, 0], expected)
