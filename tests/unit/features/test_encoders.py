"""Every encoder gives the vectors that its published definition says, at the rate it claims."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ugcl.config.features import Hog, LogMel, Table
from ugcl.errors import UgclError
from ugcl.features.encoder import info, pool
from ugcl.features.encoders.hog import HogEncoder
from ugcl.features.encoders.logmel import LogMelEncoder
from ugcl.features.encoders.table import TableEncoder
from ugcl.features.faces import alignment, table
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError


@given(st.integers(1, 50), st.integers(1, 12), st.integers(1, 4))
def test_pooling_is_the_mean_of_each_window(frames, window, dim):
    features = np.random.default_rng(frames).normal(size=(frames, dim)).astype(np.float32)
    expected = [features[i : i + window].mean(axis=0) for i in range(0, frames, window)]
    np.testing.assert_allclose(pool(features, window), expected, rtol=1e-5, atol=1e-6)


def test_pooled_rate_and_first_centre():
    encoder = LogMelEncoder("logmel", LogMel(kind="logmel", hop=0.010))
    facts = info(encoder, 4)
    assert (facts.dim, facts.rate) == (80, pytest.approx(25.0))
    assert facts.offset == pytest.approx(np.mean([0, 0.01, 0.02, 0.03]))


class TestLogMel:
    encoder = LogMelEncoder("logmel", LogMel(kind="logmel"))

    def test_one_vector_every_hop(self, wav):
        vectors = self.encoder.encode(Clip("a", wav))
        assert vectors.shape == (101, 80)
        assert vectors.dtype == np.float32

    def test_energy_lies_in_the_band_of_the_tone(self, tmp_path):
        for frequency in (300, 1000, 3000):
            soundfile.write(
                tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * frequency * np.arange(16000) / 16000), 16000
            )
            vectors = self.encoder.encode(Clip("a", tmp_path / "a.wav"))
            mel = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
            width = (mel(8000) - mel(20)) / 81
            assert vectors[50].argmax() == pytest.approx((mel(frequency) - mel(20)) / width - 1, abs=1)

    def test_twice_the_amplitude_is_four_times_the_power(self, tmp_path, tone):
        noise = np.random.default_rng(0).normal(0, 0.05, 16000)
        soundfile.write(tmp_path / "a.wav", noise, 16000, subtype="FLOAT")
        soundfile.write(tmp_path / "b.wav", 2 * noise, 16000, subtype="FLOAT")
        a, b = (self.encoder.encode(Clip("a", tmp_path / name)) for name in ("a.wav", "b.wav"))
        np.testing.assert_allclose(b - a, np.log(4), atol=1e-3)

    def test_very_short_sound_still_has_vectors(self, tmp_path):
        soundfile.write(tmp_path / "a.wav", np.full(20, 0.1), 16000)
        assert len(self.encoder.encode(Clip("a", tmp_path / "a.wav"))) >= 1


def still_track(frames: int, landmarks: np.ndarray, visible: np.ndarray | None = None) -> table.Track:
    scores = np.where(np.ones(frames, bool) if visible is None else visible, 0.99, np.nan)
    return table.Track(
        times=np.arange(frames) / 25,
        boxes=np.tile([5.0, 5, 30, 30], (frames, 1)),
        scores=scores,
        detected=~np.isnan(scores),
        landmarks=np.tile(landmarks, (frames, 1, 1)),
    )


class TestHog:
    encoder = HogEncoder("hog", Hog(kind="hog", size=64, margin=0.1))
    landmarks = alignment.template(64, 0.1)

    def test_size(self):
        assert self.encoder.dim == 7 * 7 * 4 * 9

    def test_direction_of_edges(self):
        """Vertical stripes have horizontal gradients: orientation bins 0 and 8 hold them."""
        stripes = np.tile(np.repeat([40, 200], 4), (64, 8)).astype(np.uint8)[..., None].repeat(3, axis=2)
        for picture, bins in ((stripes, {0, 8}), (stripes.transpose(1, 0, 2).copy(), {4})):
            bins_found = self.encoder.describe(picture).reshape(-1, 9).sum(axis=0)
            assert set(np.argsort(bins_found)[-len(bins) :]) == bins

    def test_ignores_where_and_how_large_the_face_is(self):
        rng = np.random.default_rng(0)
        import cv2

        texture = cv2.GaussianBlur(rng.integers(0, 255, (64, 64, 3)).astype(np.uint8), (0, 0), 3)
        picture = np.full((300, 300, 3), 128, np.uint8)
        picture[100:228, 60:188] = cv2.resize(texture, (128, 128), interpolation=cv2.INTER_LINEAR)
        near = self.encoder.describe(
            alignment.crop(picture, (self.landmarks + 0.5) * 2 - 0.5 + [60, 100], 64, 0.1)
        )
        far = self.encoder.describe(alignment.crop(texture, self.landmarks, 64, 0.1))
        assert np.corrcoef(near, far)[0, 1] > 0.95

    def test_one_vector_a_grid_point_and_gaps_take_the_nearest(self, tmp_path, write_video):
        video = write_video(tmp_path / "a.mp4", list(range(10)), Fraction(1, 25))
        whole = self.encoder.encode(Clip("a", None, video, still_track(10, self.landmarks * 0.5)))
        assert whole.shape == (10, 1764)
        visible = np.array([0, 0, 1, 1, 0, 0, 0, 1, 1, 0], bool)
        gaps = self.encoder.encode(Clip("a", None, video, still_track(10, self.landmarks * 0.5, visible)))
        nearest = [2, 2, 2, 3, 3, 3, 7, 7, 8, 8]
        np.testing.assert_array_equal(gaps, whole[nearest])

    def test_a_clip_without_a_face_fails_by_that_name(self, tmp_path, write_video):
        video = write_video(tmp_path / "a.mp4", list(range(5)), Fraction(1, 25))
        for track in (None, table.Track.none("no_face", "a face on 0 of 5 frames")):
            with pytest.raises(MediaError) as caught:
                self.encoder.encode(Clip("a", None, video, track))
            assert caught.value.failure == "no_face"


class TestTable:
    def make(self, tmp_path, frame, **settings):
        frame.to_csv(tmp_path / "t.csv", index=False)
        return TableEncoder("au", Table(kind="table", path="t.csv", **settings), tmp_path / "t.csv")

    def test_joins_on_the_last_fields(self, tmp_path):
        frame = pd.DataFrame(
            {"a": [1.0, 2.0], "speech": [9, 9], "b": [3, 4], "name": ["01-01-05-12", "01-01-06-12"]}
        )
        encoder = self.make(tmp_path, frame, key="name", last_fields=3, drop=["speech"])
        assert (encoder.dim, encoder.rate) == (2, 0)
        np.testing.assert_array_equal(encoder.encode(Clip("03-01-06-12")), [[2.0, 4.0]])

    def test_names_with_leading_zeros_stay_text(self, tmp_path):
        encoder = self.make(tmp_path, pd.DataFrame({"clip": ["007", "7"], "a": [1.0, 2.0]}))
        np.testing.assert_array_equal(encoder.encode(Clip("007")), [[1.0]])

    def test_rows_may_be_frames(self, tmp_path):
        frame = pd.DataFrame({"clip": ["x", "x", "y"], "a": [1.0, 2.0, 3.0]})
        encoder = self.make(tmp_path, frame, rate=30.0)
        np.testing.assert_array_equal(encoder.encode(Clip("x")), [[1.0], [2.0]])
        assert info(encoder, 2).rate == 15

    def test_failures(self, tmp_path):
        encoder = self.make(tmp_path, pd.DataFrame({"clip": ["x", "y"], "a": [1.0, None]}))
        for clip, failure in (("z", "missing"), ("y", "unreadable")):
            with pytest.raises(MediaError) as caught:
                encoder.encode(Clip(clip))
            assert caught.value.failure == failure

    @pytest.mark.parametrize(
        ("frame", "settings", "text"),
        [
            ({"clip": ["x"], "a": [1.0]}, {"key": "name"}, "no column 'name'"),
            ({"clip": ["x"], "a": [1.0]}, {"drop": ["b"]}, "no column 'b'"),
            ({"clip": ["x"], "a": [1.0], "who": ["me"]}, {}, "'who' is not a number"),
            ({"clip": ["x", "x"], "a": [1.0, 2.0]}, {}, "several rows"),
        ],
    )
    def test_bad_tables_are_refused(self, tmp_path, frame, settings, text):
        with pytest.raises(UgclError, match=text):
            self.make(tmp_path, pd.DataFrame(frame), **settings)

    def test_real_action_units(self, mirror):
        path = mirror / "ravdess/au_mean_openface.csv"
        config = Table(kind="table", path=path.name, key="name", last_fields=6, drop=["speech"])
        encoder = TableEncoder("au", config, path)
        clips = [p.stem for p in (mirror / "ravdess/audio").glob("*.flac")]
        assert len(clips) == 1440
        assert all(encoder.encode(Clip(clip)).shape == (1, 35) for clip in clips)
