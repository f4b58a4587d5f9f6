"""Files that recorders, browsers and cameras really write: what can be read is read."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from tests.unit.features.made_sound import RATE, encoded, failure, noise, wav
from ugcl.data.recordings import length
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.media.sound import sound
from ugcl.features.media.video import frames

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
