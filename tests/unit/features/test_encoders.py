"""Every encoder gives the vectors that its published definition says, at the rate it claims."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ugcl.config.features import Hog, Image, LogMel, Speech, Table, Whisper
from ugcl.errors import UgclError
from ugcl.features.encoder import info, pool
from ugcl.features.encoders.hog import HogEncoder
from ugcl.features.encoders.logmel import LogMelEncoder
from ugcl.features.encoders.table import TableEncoder
from ugcl.features.encoders.whisper import WhisperEncoder
from ugcl.features.face_image import ImageEncoder
from ugcl.features.faces import alignment, table
from ugcl.features.failure import MediaError
from ugcl.features.media import Clip
from ugcl.features.speech import SpeechEncoder
from ugcl.features.weights import weights_hash


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
            ({"clip": ["x"], "a": [1.0], "who": ["me"]}, {}, "'who' is no number"),
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


@pytest.fixture(scope="module")
def whisper_folder(tmp_path_factory):
    """A small random Whisper encoder of the real architecture."""
    import torch
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder as Network

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("whisper")
    config = WhisperConfig(
        d_model=16, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=32, num_mel_bins=80
    )
    config.architectures = ["WhisperEncoder"]
    Network(config).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    return folder


class TestWhisper:
    def make(self, folder, layers="all"):
        return WhisperEncoder("w", Whisper(kind="whisper", weights="", layers=layers), folder)

    def test_shape_and_rate(self, whisper_folder, wav):
        encoder = self.make(whisper_folder)
        assert (encoder.layers, encoder.dim, encoder.rate) == (3, 48, 50)
        assert encoder.encode(Clip("a", wav)).shape == (50, 48)

    def test_a_full_window_equals_the_library(self, whisper_folder, tmp_path):
        """Over 30 s, where nothing is cut, every hidden state is that of transformers' own forward pass."""
        import torch

        encoder = self.make(whisper_folder)
        samples = np.random.default_rng(0).normal(0, 0.1, 480_000).astype(np.float32)
        soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
        mel = encoder.extractor(samples, sampling_rate=16000, return_tensors="pt")["input_features"]
        with torch.inference_mode():
            expected = encoder.model(mel, output_hidden_states=True)
        vectors = encoder.encode(Clip("a", tmp_path / "a.wav"))
        assert len(expected.hidden_states) == 3
        for layer, state in enumerate(expected.hidden_states):
            np.testing.assert_allclose(vectors[:, 16 * layer : 16 * layer + 16], state[0], atol=2e-5)

    def test_chosen_layers_are_columns_of_all(self, whisper_folder, wav):
        every = self.make(whisper_folder).encode(Clip("a", wav))
        some = self.make(whisper_folder, [2, 0]).encode(Clip("a", wav))
        np.testing.assert_allclose(some, np.hstack([every[:, 32:48], every[:, :16]]), atol=1e-6)

    def test_long_sound_is_not_cut(self, whisper_folder, tmp_path):
        soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).normal(0, 0.1, 35 * 16000), 16000)
        assert len(self.make(whisper_folder).encode(Clip("a", tmp_path / "a.flac"))) == 35 * 50

    def test_a_whole_whisper_model_serves_too(self, whisper_folder, tmp_path, wav):
        import torch
        from transformers import WhisperConfig, WhisperModel

        encoder = self.make(whisper_folder)
        config = WhisperConfig.from_pretrained(
            whisper_folder, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32, vocab_size=60000
        )
        config.architectures = ["WhisperModel"]
        whole = WhisperModel(config)
        with torch.no_grad():
            whole.encoder.load_state_dict(encoder.model.state_dict())
        whole.save_pretrained(tmp_path)
        encoder.extractor.save_pretrained(tmp_path)
        np.testing.assert_allclose(
            self.make(tmp_path).encode(Clip("a", wav)), encoder.encode(Clip("a", wav)), atol=1e-6
        )

    def test_faults_are_told(self, whisper_folder, tmp_path):
        with pytest.raises(UgclError, match=r"config\.json"):
            self.make(tmp_path)
        with pytest.raises(UgclError, match=r"choose from 0\.\.2"):
            self.make(whisper_folder, [3])

    def test_hash_follows_the_weights(self, whisper_folder, tmp_path):
        import hashlib

        data = (whisper_folder / "model.safetensors").read_bytes()
        assert weights_hash(whisper_folder) == hashlib.sha256(data).hexdigest()
        with pytest.raises(UgclError, match="safetensors"):
            weights_hash(tmp_path)


def speech_model(kind: str, folder) -> None:
    """A tiny random wav2vec 2.0, HuBERT or WavLM."""
    import torch
    from transformers import AutoModel, HubertConfig, Wav2Vec2Config, WavLMConfig

    torch.manual_seed(0)
    config = {"wav2vec2": Wav2Vec2Config, "hubert": HubertConfig, "wavlm": WavLMConfig}[kind](
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    AutoModel.from_config(config).save_pretrained(folder)


class TestSpeech:
    @pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm"])
    def test_states_are_those_of_the_library(self, tmp_path, tone, wav, kind):
        import torch
        from transformers import AutoModel, Wav2Vec2FeatureExtractor

        speech_model(kind, tmp_path)
        encoder = SpeechEncoder("s", Speech(kind="speech", weights="", layers=[0, 2]), tmp_path)
        vectors = encoder.encode(Clip("a", wav))
        assert (encoder.rate, encoder.layers, encoder.dim) == (50, 2, 32)
        assert vectors.shape == (49, 32)
        extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
        batch = extractor(Clip("a", wav).sound(), sampling_rate=16000, return_tensors="pt").input_values
        model = AutoModel.from_pretrained(tmp_path).eval()
        with torch.inference_mode():
            states = model(batch, output_hidden_states=True).hidden_states
        np.testing.assert_allclose(vectors, torch.cat([states[0], states[2]], -1)[0], atol=1e-4)

    def test_any_length_of_sound(self, tmp_path):
        speech_model("wav2vec2", tmp_path)
        encoder = SpeechEncoder("s", Speech(kind="speech", weights="", window=1.0), tmp_path)
        assert encoder.shortest == 400  # 25 ms, Baevski et al. 2020, section 2
        for samples, frames in ((30, 1), (400, 1), (16000, 49), (16100, 49), (40000, 49 + 49 + 24)):
            soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, samples), 16000)
            assert len(encoder.encode(Clip("a", tmp_path / "a.wav"))) == frames


class TestImage:
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory):
        import torch
        from transformers import ViTConfig, ViTImageProcessor, ViTModel

        torch.manual_seed(0)
        folder = tmp_path_factory.mktemp("vit")
        config = ViTConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32,
            patch_size=8,
        )  # fmt: skip
        ViTModel(config).save_pretrained(folder)
        settings = {
            "size": {"height": 32, "width": 32},
            "image_mean": [0.4, 0.5, 0.6],
            "image_std": [0.2] * 3,
        }
        ViTImageProcessor(**settings).save_pretrained(folder)
        return folder

    @pytest.mark.parametrize("output", ["first", "mean", "pooled"])
    def test_vectors_are_those_of_the_library(self, folder, output):
        import torch
        from transformers import ViTModel

        encoder = ImageEncoder("i", Image(kind="image", weights="", output=output), folder)
        assert (encoder.size, encoder.dim, encoder.needs_faces) == (32, 16, True)
        crop = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
        pixels = (
            torch.from_numpy(crop).permute(2, 0, 1)[None] / 255 - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)
        ) / 0.2
        with torch.inference_mode():
            result = ViTModel.from_pretrained(folder).eval()(pixels)
        state = result.last_hidden_state[0]
        expected = {"first": state[0], "mean": state.mean(0), "pooled": result.pooler_output[0]}[output]
        np.testing.assert_allclose(encoder.describe(crop), expected, atol=1e-5)

    def test_one_vector_a_grid_point(self, folder, tmp_path, write_video):
        video = write_video(tmp_path / "a.mp4", list(range(6)), Fraction(1, 25))
        encoder = ImageEncoder("i", Image(kind="image", weights="", fps=12.5), folder)
        track = still_track(6, alignment.template(40, 0.0))
        assert encoder.encode(Clip("a", None, video, track)).shape == (3, 16)
