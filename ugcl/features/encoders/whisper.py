"""The encoder of OpenAI's Whisper (Radford et al. 2023, ICML)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ugcl.config.features import Whisper
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.networks.sequences import LONG, SequenceNetwork, windows
from ugcl.features.networks.weights import weights_hash

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class WhisperEncoder(SequenceNetwork):
    """Hidden states over the clip's own frames, 50 Hz, stacked layer after layer.

    Whisper was trained on windows padded to 30 s. Here only the clip's frames pass through the network, with
    the position embeddings cut to their number: attention then has no silence to look at, and a clip of
    3 s costs a tenth. Longer sound is encoded in windows of 30 s.

    Hidden state 0 is the output of the two convolutions plus positions; state i that of layer i; the last
    one comes after the final layer norm.

    Args:
        config: which hidden states to keep.
        folder: config.json, preprocessor_config.json and safetensors of a Whisper model or its encoder.
    """

    modality = "audio"
    needs_faces = False

    def __init__(self, name: str, config: Whisper, folder: Path, device: torch.device | str = "cpu") -> None:
        from transformers import WhisperFeatureExtractor, WhisperModel
        from transformers.models.whisper import modeling_whisper
        from transformers.utils import logging

        logging.disable_progress_bar()

        for file in ("config.json", "preprocessor_config.json"):
            if not (folder / file).is_file():
                raise UgclError(f"{folder}: no {file}; encoders.{name}.weights must be a model's folder")
        alone = "WhisperEncoder" in json.loads((folder / "config.json").read_text()).get("architectures", [])
        kind = modeling_whisper.WhisperEncoder if alone else WhisperModel
        super().__init__(name, config, device)
        model = kind.from_pretrained(folder, dtype="float32", local_files_only=True)
        self.model = (model if alone else model.encoder).eval().to(self.device)
        self.extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
        count = len(self.model.layers) + 1
        self.keep = list(range(count)) if config.layers == "all" else list(config.layers)
        wrong = [layer for layer in self.keep if not 0 <= layer < count]
        if wrong:
            raise UgclError(f"encoders.{name}.layers: {wrong[0]} does not exist; choose from 0..{count - 1}")
        self.layers = len(self.keep)
        self.dim = self.layers * self.model.config.d_model
        mel_rate = self.extractor.sampling_rate / self.extractor.hop_length
        self.budget = self.sound_budget(mel_rate)
        self.rate = mel_rate / (self.model.conv1.stride[0] * self.model.conv2.stride[0])
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "keep": self.keep,
            "sha256": weights_hash(folder),
        }

    def read(self, clip: Clip) -> Iterator[list[np.ndarray]]:
        """Mel spectra of windows of 30 s, (bands, mel frames); a last window shorter than one of the
        analysis is left out.
        """
        rate, window, shortest = self.extractor.sampling_rate, self.extractor.n_samples, self.extractor.n_fft
        stretches = clip.stretches(rate, seconds=max(1, round(LONG * rate / window)) * window / rate)
        for cut in windows(stretches, window, shortest + 1):
            # Each by itself, for its loudest frame sets its floor.
            yield [self._mel(np.pad(piece, (0, max(0, shortest - len(piece))))) for piece in cut]

    def states(self, pieces: list[np.ndarray]) -> list[Tensor]:
        """Hidden states of each piece, (frames, layers × width)."""
        import torch
        from torch.nn import functional

        lengths = torch.tensor([mel.shape[-1] for mel in pieces])
        longest, model = int(lengths.max()), self.model
        batch = np.stack([np.pad(mel, ((0, 0), (0, longest - mel.shape[-1]))) for mel in pieces])
        whole, frames = bool(lengths.min() == longest), (lengths + 1) // 2
        x = functional.gelu(model.conv1(torch.from_numpy(batch).to(self.device)))
        if not whole:  # behind its end a piece alone has zeros, as the convolutions pad
            x = x * (torch.arange(longest) < lengths[:, None])[:, None].to(self.device)
        x = functional.gelu(model.conv2(x)).transpose(1, 2)  # (pieces, frames, width)
        x = x + model.embed_positions.weight[: x.shape[1]]
        mask = None
        if not whole:
            mask = (torch.arange(x.shape[1]) < frames[:, None])[:, None, None].to(self.device)
        states = [x]
        for layer in model.layers:
            x = layer(x, mask)
            states.append(x)
        states[-1] = model.layer_norm(x)
        kept = torch.cat([states[k] for k in self.keep], dim=-1)
        return [row[:count] for row, count in zip(kept, frames.tolist(), strict=True)]

    def _mel(self, samples: np.ndarray) -> np.ndarray:
        """(bands, mel frames)."""
        features = self.extractor(
            samples,
            sampling_rate=self.extractor.sampling_rate,
            padding="longest",
            truncation=False,
            return_tensors="np",
        )
        return features["input_features"][0]
