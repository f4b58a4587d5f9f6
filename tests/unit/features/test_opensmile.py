"""eGeMAPS and ComParE are openSMILE's own values; without openSMILE one line says what to install."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import soundfile

from ugcl.config.features import OpenSmile
from ugcl.errors import UgclError
from ugcl.features.encoders.opensmile import OpensmileEncoder
from ugcl.features.media.clip import Clip


def make(level: str, name: str = "egemaps") -> OpensmileEncoder:
    return OpensmileEncoder("e", OpenSmile(kind="opensmile", set=name, level=level))


def test_without_the_extra_one_line_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(UgclError, match=r"pip install -e '.\[opensmile\]'") as caught:
        make("functionals")
    assert "\n" not in str(caught.value)


class TestParameters:
    @pytest.fixture(autouse=True)
    def _extra(self):
        pytest.importorskip(
            "opensmile", reason="openSMILE forbids commercial use, so only the extra opensmile installs it"
        )

    def test_functionals_are_one_vector_a_clip(self, wav):
        import opensmile

        encoder = make("functionals")
        assert (encoder.dim, encoder.rate) == (88, 0)
        smile = opensmile.Smile("eGeMAPSv02", "func")
        np.testing.assert_allclose(encoder.encode(Clip("a", wav)), smile.process_file(str(wav)), rtol=1e-4)

    def test_compare_is_stored_as_a_logarithm(self, wav):
        """The largest of its 6373 values are far beyond half precision."""
        import opensmile

        own = opensmile.Smile("ComParE_2016", "func").process_file(str(wav)).to_numpy(np.float64)
        encoder = make("functionals", "compare")
        stored = encoder.encode(Clip("a", wav)).astype(np.float16).astype(np.float64)
        assert stored.shape == (1, encoder.dim) == (1, 6373) and np.abs(own).max() > 65504
        back = np.sign(stored) * np.expm1(np.abs(stored))
        np.testing.assert_allclose(back, own, rtol=0.02, atol=1e-3)
        frames = make("descriptors", "compare")
        assert (frames.dim, frames.rate) == (65, 100)

    def test_pitch_of_a_pulse_train(self, tmp_path):
        """F0 is in semitones from 27.5 Hz: 220 Hz are three octaves above."""
        pulses = np.zeros(16000, np.float32)
        pulses[np.round(np.arange(0, 16000, 16000 / 220)).astype(int).clip(max=15999)] = 1
        sound = np.convolve(pulses, 0.99 ** np.arange(400))[:16000] * 0.3
        soundfile.write(tmp_path / "a.wav", sound, 16000)
        encoder = make("descriptors")
        assert (encoder.dim, encoder.rate) == (25, 100)
        vectors = encoder.encode(Clip("a", tmp_path / "a.wav"))
        pitch = vectors[:, encoder.settings["features"].index("F0semitoneFrom27.5Hz_sma3nz")]
        assert len(vectors) == pytest.approx(100, abs=6)  # whole windows of 60 ms alone
        assert np.median(pitch) == pytest.approx(36, abs=0.2)

    def test_very_short_sound_still_has_vectors(self, tmp_path):
        soundfile.write(tmp_path / "a.wav", np.full(20, 0.1), 16000)
        for name in ("egemaps", "compare"):
            for level in ("functionals", "descriptors"):
                vectors = make(level, name).encode(Clip("a", tmp_path / "a.wav"))
                assert len(vectors) >= 1
                assert np.isfinite(vectors.astype(np.float16)).all()
