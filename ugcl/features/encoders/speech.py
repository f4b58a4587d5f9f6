"""Self-supervised speech networks on the waveform."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ugcl.config.features import Speech
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.sound import RATE
from ugcl.features.networks.sequences import LONG, Scale, SequenceNetwork, windows
from ugcl.features.networks.weights import weights_hash

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class SpeechEncoder(SequenceNetwork):
    """Hidden states of wav2vec 2.0 (Baevski et al. 2020), HuBERT or WavLM, stacked layer after layer.

    State 0 is the input of the transformer, state i the output of layer i as it leaves the layer. Layers
    above the deepest state that is kept are cut off and do not run. The waveform is normalised to zero mean
    and unit variance where the weights' preprocessor_config.json says so.

    Args:
        config: which hidden states to keep, whether the deepest is normed, and the longest window.
        folder: config.json and safetensors of the network.
    """

    modality = "audio"
    needs_faces = False

    def __init__(self, name: str, config: Speech, folder: Path, device: torch.device | str = "cpu") -> None:
        from transformers import AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        if not (folder / "config.json").is_file():
            raise UgclError(f"{folder}: no config.json; encoders.{name}.weights must be a model's folder")
        super().__init__(name, config, device)
        model = AutoModel.from_pretrained(folder, dtype="float32", local_files_only=True)
        self.model = model.eval().to(self.device)
        count = self.model.config.num_hidden_layers + 1
        self.keep = list(range(count)) if config.layers == "all" else list(config.layers)
        wrong = [layer for layer in self.keep if not 0 <= layer < count]
        if wrong:
            raise UgclError(f"encoders.{name}.layers: {wrong[0]} does not exist; choose from 0..{count - 1}")
        # A first layer stays even if only its input is kept: the states are caught at the layers.
        self.model.encoder.layers = self.model.encoder.layers[: max(1, *self.keep)]
        # Networks whose layers end un-normed (wav2vec2-large-robust) have one more norm after the last layer.
        last_norm = config.final_norm and getattr(self.model.config, "do_stable_layer_norm", False)
        self.norm = self.model.encoder.layer_norm if last_norm else None
        settings = folder / "preprocessor_config.json"
        facts = json.loads(settings.read_text()) if settings.is_file() else {}
        if facts.get("sampling_rate", RATE) != RATE:
            raise UgclError(f"{settings}: sampling_rate is not {RATE}; choose a network of {RATE} Hz sound")
        self.normalise = bool(facts.get("do_normalize", True))
        facts = self.model.config
        self.equal = facts.feat_extract_norm == "group"  # over a clip's whole length, padding included
        self.strides = list(zip(facts.conv_kernel, facts.conv_stride, strict=True))
        self.shortest = 1  # samples that the convolutions need for one frame
        for kernel, stride in reversed(self.strides):
            self.shortest = (self.shortest - 1) * stride + kernel
        self.layers, self.window = len(self.keep), round(config.window * RATE)
        self.budget = self.sound_budget(RATE)
        self.dim = self.layers * self.model.config.hidden_size
        self.rate = RATE / float(np.prod(self.model.config.conv_stride))
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "keep": self.keep,
            "sha256": weights_hash(folder),
        }

    def read(self, clip: Clip) -> Iterator[list[np.ndarray]]:
        """The normalised waveform in windows, (samples,); a last one too short for a frame is left out."""
        seconds = max(1, round(LONG * RATE / self.window)) * self.window / RATE
        stretches = clip.stretches(seconds=seconds)
        first, second = next(stretches), next(stretches, None)
        if second is not None:  # a long clip is read again for its mean and variance
            rest = itertools.chain([first, second], stretches)
            yield from windows(rest, self.window, self.shortest, self._scale(clip.stretches(seconds=seconds)))
        else:
            yield from windows(iter([first]), self.window, self.shortest, self._scale([first]))

    def _scale(self, stretches: Iterable[np.ndarray]) -> Scale | None:
        """Normalisation to zero mean and unit variance over all stretches."""
        if not self.normalise:
            return None
        parts = [(len(x), x.mean(), x.var()) for x in stretches]
        count, mean, variance = (np.array(column) for column in zip(*parts, strict=True))
        if len(parts) > 1:
            total = np.average(mean, weights=count)
            mean, variance = [total], [np.average(variance + (mean - total) ** 2, weights=count)]
        return lambda samples: (samples - mean[0]) / np.sqrt(variance[0] + 1e-7)

    def states(self, pieces: list[np.ndarray]) -> list[Tensor]:
        """Hidden states of each piece, (frames, layers × width)."""
        import torch

        lengths = [len(piece) for piece in pieces]
        batch = torch.zeros(len(pieces), max(lengths))
        for row, piece in zip(batch, pieces, strict=True):
            row[: len(piece)] = torch.from_numpy(np.ascontiguousarray(piece, np.float32))
        mask = None
        if min(lengths) < max(lengths):
            mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long().to(self.device)
        output = self.model(batch.to(self.device), attention_mask=mask, output_hidden_states=True)
        states = list(output.hidden_states)
        if self.norm is not None:
            deepest = max(self.keep)
            states[deepest] = self.norm(states[deepest])
        kept = torch.cat([states[k] for k in self.keep], dim=-1)
        return [row[: self._frames(length)] for row, length in zip(kept, lengths, strict=True)]

    def _frames(self, samples: int) -> int:
        for kernel, stride in self.strides:
            samples = (samples - kernel) // stride + 1
        return samples
