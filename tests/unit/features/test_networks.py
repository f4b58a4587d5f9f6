"""Pretrained networks give the hidden states that transformers' own forward pass gives."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
import soundfile

from tests.fixtures.small_networks import speech_model, vit_model, whisper_model
from ugcl import config as parameters
from ugcl.config.features import Image, Speech, Whisper
from ugcl.errors import UgclError
from ugcl.features.encoders.image import ImageEncoder
from ugcl.features.encoders.speech import SpeechEncoder
from ugcl.features.encoders.whisper import WhisperEncoder
from ugcl.features.faces import alignment, table
from ugcl.features.media.clip import Clip
from ugcl.features.networks.weights import weights_folder, weights_hash


@pytest.fixture(scope="module")
def whisper_folder(tmp_path_factory):
    return whisper_model(tmp_path_factory.mktemp("whisper"))


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

    @pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm"])
    def test_layers_above_the_kept_ones_do_not_run(self, tmp_path, wav, kind):
        """The paper's network: large-robust's layer norms, the first half of its layers."""
        import torch
        from transformers import AutoModel, Wav2Vec2FeatureExtractor

        robust = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}
        speech_model(kind, tmp_path, layers=4, **robust)
        whole = AutoModel.from_pretrained(tmp_path).eval()
        extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
        batch = extractor(Clip("a", wav).sound(), sampling_rate=16000, return_tensors="pt").input_values
        with torch.inference_mode():
            states = whole(batch, output_hidden_states=True).hidden_states
            whole.encoder.layers = whole.encoder.layers[:2]
            cut = whole(batch).last_hidden_state
        for final_norm, expected in ((False, states[2]), (True, cut)):
            config = Speech(kind="speech", weights="", layers=[0, 2], final_norm=final_norm)
            encoder = SpeechEncoder("s", config, tmp_path)
            ran = []
            for number, layer in enumerate(encoder.model.encoder.layers):
                layer.register_forward_hook(lambda *_, number=number, ran=ran: ran.append(number))
            vectors = encoder.encode(Clip("a", wav))
            assert ran == [0, 1]
            np.testing.assert_allclose(vectors, torch.cat([states[0], expected], -1)[0], atol=1e-4)
        only_input = SpeechEncoder("s", Speech(kind="speech", weights="", layers=[0]), tmp_path)
        np.testing.assert_allclose(only_input.encode(Clip("a", wav)), states[0][0], atol=1e-4)

    @pytest.mark.parametrize("normalise", [True, False])
    def test_loudness_counts_only_where_the_processor_does_not_normalise(self, tmp_path, tone, normalise):
        from transformers import Wav2Vec2FeatureExtractor

        speech_model("wav2vec2", tmp_path, feat_extract_norm="layer", conv_bias=True)
        Wav2Vec2FeatureExtractor(do_normalize=normalise).save_pretrained(tmp_path)
        encoder = SpeechEncoder("s", Speech(kind="speech", weights=""), tmp_path)
        vectors = []
        for gain in (1.0, 0.1):
            soundfile.write(tmp_path / "a.wav", gain * tone, 16000, subtype="FLOAT")
            vectors.append(encoder.encode(Clip("a", tmp_path / "a.wav")))
        assert np.allclose(*vectors, atol=1e-3) == normalise

    def test_weights_may_be_a_pytorch_bin(self, tmp_path, wav):
        """As wavlm-base-plus has them on the hub; they are read as tensors alone and hashed like others."""
        import hashlib

        import torch
        from safetensors.torch import load_file

        speech_model("wavlm", tmp_path)
        expected = SpeechEncoder("s", Speech(kind="speech", weights=""), tmp_path).encode(Clip("a", wav))
        torch.save(load_file(tmp_path / "model.safetensors"), tmp_path / "pytorch_model.bin")
        (tmp_path / "model.safetensors").unlink()
        encoder = SpeechEncoder("s", Speech(kind="speech", weights=""), tmp_path)
        np.testing.assert_array_equal(encoder.encode(Clip("a", wav)), expected)
        data = (tmp_path / "pytorch_model.bin").read_bytes()
        assert encoder.settings["sha256"] == hashlib.sha256(data).hexdigest()

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
        return vit_model(tmp_path_factory.mktemp("vit"))

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
        np.testing.assert_allclose(encoder.describe(crop[None])[0], expected, atol=1e-5)

    @pytest.mark.parametrize("kind", ["clip", "dinov2", "resnet", "efficientnet", "expressions"])
    def test_other_families_are_those_of_the_library(self, tmp_path, kind):
        """CLIP has a text tower beside it, DINOv2 positions of other sizes, convolutional nets no tokens, and
        a network that was trained on facial expressions their classifier on top."""
        import torch
        import transformers

        torch.manual_seed(0)
        small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32}
        small |= {"patch_size": 8}
        if kind == "clip":
            text = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 99}
            config = transformers.CLIPConfig(text_config=text, vision_config=small)
        elif kind == "dinov2":
            config = transformers.Dinov2Config(**{**small, "image_size": 48})
        elif kind == "resnet":
            config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
        elif kind == "efficientnet":
            config = transformers.EfficientNetConfig(
                image_size=32, width_coefficient=0.2, depth_coefficient=0.1, hidden_dim=256
            )
        else:
            config = transformers.ViTConfig(**small, intermediate_size=32)
        head = "ForImageClassification" if kind == "expressions" else ""
        model = getattr(transformers, f"AutoModel{head}").from_config(config).eval()
        model.save_pretrained(tmp_path)
        # As on the hub: CLIP and DINOv2 are cut to a square after a resize to another side.
        facts = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}
        facts |= {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.4]}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(facts))
        crop = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
        pixels = (crop / 255 - np.array([0.4, 0.5, 0.6])) / np.array([0.2, 0.3, 0.4])
        batch = torch.from_numpy(pixels.transpose(2, 0, 1)[None]).float()
        with torch.inference_mode():
            network = {"clip": "vision_model", "expressions": "vit"}.get(kind)
            found = (getattr(model, network) if network else model)(batch)
            expected = found.last_hidden_state[0, 0] if head else found.pooler_output.flatten()
        output = "first" if head else "pooled"
        encoder = ImageEncoder("i", Image(kind="image", weights="", output=output), tmp_path)
        assert (encoder.size, encoder.dim) == (32, len(expected))
        np.testing.assert_allclose(encoder.describe(crop[None])[0], expected, atol=1e-5)

    def test_one_vector_a_grid_point(self, folder, tmp_path, write_video):
        video = write_video(tmp_path / "a.mp4", list(range(6)), Fraction(1, 25))
        encoder = ImageEncoder("i", Image(kind="image", weights="", fps=12.5), folder)
        track = table.Track(
            times=np.arange(6) / 25,
            boxes=np.tile([5.0, 5, 30, 30], (6, 1)),
            scores=np.full(6, 0.99),
            detected=np.ones(6, bool),
            landmarks=np.tile(alignment.template(40, 0.0), (6, 1, 1)),
        )
        assert encoder.encode(Clip("a", None, video, track)).shape == (3, 16)


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_the_hub_is_asked_for_a_pickle_only_where_it_has_nothing_better(tmp_path, monkeypatch, request, file):
    import fnmatch

    import huggingface_hub

    asked = []

    def snapshot(name, allow_patterns):
        asked.append(name)
        for have in ("config.json", file):
            if any(fnmatch.fnmatch(have, pattern) for pattern in allow_patterns):
                (tmp_path / have).touch()
        return str(tmp_path)

    config = parameters.load(request.config.rootpath / "params.yaml")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert weights_folder(config, "e", "someone/network") == tmp_path
    assert (tmp_path / file).is_file()
    assert len(asked) == (1 if file == "model.safetensors" else 2)
