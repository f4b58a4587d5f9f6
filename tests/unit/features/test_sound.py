"""Sound is one channel at one rate on the video's clock, or a named failure."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import soundfile

from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.media.sound import sound


def failure(path) -> str:
    with pytest.raises(MediaError) as caught:
        sound(path)
    return caught.value.failure


def test_samples_pass_unchanged_at_their_own_rate(wav, tone):
    samples = sound(wav)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, tone, atol=1 / 32768)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_resampling_keeps_pitch_and_length(tmp_path, rate):
    time = np.arange(rate) / rate
    soundfile.write(tmp_path / "a.flac", 0.5 * np.sin(2 * np.pi * 1000 * time), rate)
    samples = sound(tmp_path / "a.flac")
    assert len(samples) == 16000
    middle = samples[2000:-2000]
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)[2000:-2000]
    assert np.abs(middle - expected).max() < 2e-3


def test_channels_are_averaged(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", np.stack([tone, np.zeros_like(tone)], axis=1), 16000)
    np.testing.assert_allclose(sound(tmp_path / "a.wav"), tone / 2, atol=1 / 32768)


def test_sound_of_a_video_file(tmp_path, tone, write_video):
    path = write_video(tmp_path / "a.mp4", list(range(25)), Fraction(1, 25), sound=tone)
    samples = sound(path)
    assert abs(len(samples) - 16000) <= 1024  # aac works in blocks of 1024
    spectrum = np.abs(np.fft.rfft(samples[2000:14000]))
    assert np.argmax(spectrum) * 16000 / 12000 == pytest.approx(440, abs=2)


def test_a_late_stream_is_put_on_the_videos_clock(tmp_path, tone, write_video):
    early = sound(write_video(tmp_path / "a.mp4", list(range(50)), Fraction(1, 25), sound=tone))
    late = sound(
        write_video(tmp_path / "b.mp4", list(range(50)), Fraction(1, 25), sound=tone, sound_start=0.5)
    )
    loud = [int(np.flatnonzero(np.abs(x) > 0.1)[0]) for x in (early, late)]
    assert loud[1] - loud[0] == pytest.approx(8000, abs=64)


def test_own_sound_file_is_preferred_to_the_videos(tmp_path, wav, tone, write_video):
    video = write_video(tmp_path / "a.mp4", list(range(25)), Fraction(1, 25), sound=tone * 0.1)
    assert np.abs(Clip("a", wav, video).sound()).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(Clip("a", None, video).sound()).max() == pytest.approx(0.05, abs=0.02)


def test_bad_sound_is_named(tmp_path, wav, tone):
    assert failure(tmp_path / "absent.wav") == "missing"
    (tmp_path / "zero.wav").touch()
    assert failure(tmp_path / "zero.wav") == "empty"
    soundfile.write(tmp_path / "header.wav", np.zeros(0), 16000)
    assert failure(tmp_path / "header.wav") == "empty"
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    assert failure(tmp_path / "silent.wav") == "silent"
    (tmp_path / "noise.wav").write_bytes(bytes(range(256)) * 20)
    assert failure(tmp_path / "noise.wav") == "unreadable"
    nan = tone.copy()
    nan[5] = np.nan
    soundfile.write(tmp_path / "nan.wav", nan, 16000, subtype="FLOAT")
    assert failure(tmp_path / "nan.wav") == "unreadable"


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_cut_sound_is_truncated(tmp_path, kind):
    noise = np.random.default_rng(0).normal(0, 0.1, 64000)
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, noise, 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert failure(path) == "truncated"


def test_video_without_sound(tmp_path, write_video):
    assert failure(write_video(tmp_path / "a.mp4", list(range(5)), Fraction(1, 25))) == "no_audio"
    with pytest.raises(MediaError) as caught:
        Clip("a").sound()
    assert caught.value.failure == "no_audio"


def test_flv_sound_agrees_with_the_corpus_wav(mirror):
    """The flv's mp3 and the wav are the same take: they correlate at a lag below an mp3 frame or two."""
    name = "1006_IWL_HAP_XX"
    wav = sound(mirror / f"clips/AudioWAV/{name}.wav")
    flv = sound(mirror / f"clips/VideoFlash/{name}.flv")
    size = 1 << 17
    correlation = np.fft.irfft(np.fft.rfft(flv, size) * np.conj(np.fft.rfft(wav, size)), size)
    lag = int(np.argmax(correlation))
    lag = lag - size if lag > size // 2 else lag
    assert abs(lag) / 16000 < 0.1
    peak = correlation.max() / np.sqrt((flv**2).sum() * (wav**2).sum())
    assert peak > 0.9
