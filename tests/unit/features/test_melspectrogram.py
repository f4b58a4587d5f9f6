"""Mel spectrograms with librosa's conventions: the published values, and the definition."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from ugcl.config.features import MelSpectrogram
from ugcl.features.encoders.sound.melspectrogram import MelspectrogramEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

ENCODER = MelspectrogramEncoder("mel", MelSpectrogram(kind="melspectrogram"))


def test_it_gives_what_librosa_gave_for_clips_of_crema_d(mirror):
    with np.load(mirror / "crema_d" / "logmel128x130_int8.npz") as archive:
        names, scale, values = archive["name"].astype(str).tolist(), float(archive["scale"]), archive["x"]
    clips = sorted((mirror / "clips" / "AudioWAV").glob("*.wav"))
    assert len(clips) == 8
    for path in clips:
        found = ENCODER.encode(Clip(path.stem, path))
        assert found.shape == (130, 128)
        # Half a step of the 8 bits, and what another resampler makes of the quietest bands.
        error = np.abs(found.T - values[names.index(path.stem)] / scale)
        assert error.max() < 0.05 and np.quantile(error, 0.999) <= 0.5 / scale + 1e-3


def test_a_tone_is_loudest_in_its_band_and_80_db_above_the_rest(tmp_path):
    """Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz, 15 bands; then 27 bands per factor of 6.4."""
    frequency, seconds = 2000.0, 1.0
    wave = 0.5 * np.sin(2 * np.pi * frequency * np.arange(22050 * seconds) / 22050)
    soundfile.write(tmp_path / "a.wav", wave, 22050, subtype="FLOAT")
    mel = lambda f: 3 * f / 200 if f < 1000 else 15 + 27 * np.log(f / 1000) / np.log(6.4)  # noqa: E731
    found = ENCODER.encode(Clip("a", tmp_path / "a.wav"))
    assert found[20].argmax() == pytest.approx(mel(frequency) / (mel(11025) / 129) - 1, abs=1)
    assert found[60:].max() == found.min(), "after the tone there is silence, cut at the depth"
    assert found.mean() == pytest.approx(0, abs=1e-5) and found.std() == pytest.approx(1, abs=1e-5)


def test_what_comes_after_its_seconds_has_no_part_in_it(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 22050)
    for name, length in (("long", 5), ("cut", 3)):
        soundfile.write(tmp_path / f"{name}.wav", noise[: length * 22050], 22050, subtype="FLOAT")
    long, cut = (ENCODER.encode(Clip(name, tmp_path / f"{name}.wav")) for name in ("long", "cut"))
    np.testing.assert_array_equal(long, cut)


def test_a_clip_whose_sound_comes_too_late_is_refused(tmp_path):
    wave = np.concatenate([np.zeros(4 * 22050), 0.1 * np.ones(22050)])
    soundfile.write(tmp_path / "a.wav", wave, 22050, subtype="FLOAT")
    with pytest.raises(MediaError, match="no sound in the first 3 s"):
        ENCODER.encode(Clip("a", tmp_path / "a.wav"))
