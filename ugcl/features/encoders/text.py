"""Pretrained text networks on the transcript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ugcl.config.features import Text
from ugcl.errors import UgclError
from ugcl.features.failure import MediaError
from ugcl.features.media import Clip
from ugcl.features.weights import weights_hash

# Any of these sets of files is a tokenizer.
VOCABULARIES = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("vocab.txt",))


class TextEncoder:
    """Hidden states of the tokens of a transcript, or their mean, stacked layer after layer.

    State 0 is the embedding, state i the output of layer i; the last is the network's own last state. The
    tokens that the tokenizer puts around a text (<s>, </s>) are among them, as in the mean pooling of
    Sentence-BERT (Reimers and Gurevych 2019, EMNLP, section 3). What lies beyond the longest text the network
    can read (512 tokens of RoBERTa, minutes of speech) is cut.

    Token states have a nominal rate, for a transcript has no times; a sentence has rate 0.

    Args:
        name: key of `encoders`.
        config: which hidden states to keep, and tokens or their mean.
        folder: config.json, tokenizer and weights of the network.
    """

    modality = "text"
    needs_faces = False

    def __init__(self, name: str, config: Text, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        if not (folder / "config.json").is_file():
            raise UgclError(
                f"{folder}: no config.json; encoders.{name}.weights must be a text model's folder"
            )
        # The library makes an empty tokenizer where the files are absent: every word would be unknown.
        if not any(all((folder / file).is_file() for file in files) for files in VOCABULARIES):
            raise UgclError(f"{folder}: no tokenizer; put the model's tokenizer.json there")
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModel.from_pretrained(folder, dtype="float32", local_files_only=True).eval()
        count = self.model.config.num_hidden_layers + 1
        chosen = {"all": list(range(count)), "last": [count - 1]}
        self.keep = chosen[config.layers] if isinstance(config.layers, str) else list(config.layers)
        wrong = [layer for layer in self.keep if not 0 <= layer < count]
        if wrong:
            raise UgclError(f"encoders.{name}.layers: {wrong[0]} does not exist; choose from 0..{count - 1}")
        self.name, self.config, self.layers = name, config, len(self.keep)
        self.longest = self._longest()
        self.dim = self.layers * self.model.config.hidden_size
        self.rate = config.rate if config.output == "tokens" else 0.0
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "keep": self.keep,
            "sha256": weights_hash(folder),
        }

    def encode(self, clip: Clip) -> np.ndarray:
        """Hidden states, (tokens, layers × width) or (1, layers × width) float32.

        Raises:
            MediaError: no_text where the clip has no transcript.
        """
        import torch

        words = clip.transcript.strip()
        if not words:
            raise MediaError("no_text", f"{clip.name}: the manifest has no transcript of this clip")
        batch = self.tokenizer(words, truncation=True, max_length=self.longest, return_tensors="pt")
        with torch.inference_mode():
            states = self.model(**batch, output_hidden_states=True).hidden_states
        tokens = torch.cat([states[k] for k in self.keep], dim=-1)[0]  # (tokens, layers × width)
        return (tokens.mean(dim=0, keepdim=True) if self.config.output == "sentence" else tokens).numpy()

    def _longest(self) -> int:
        """Tokens of the longest text: the tokenizer's limit, or fewer where positions are fewer."""
        positions = getattr(getattr(self.model, "embeddings", None), "position_embeddings", None)
        if positions is None:
            return int(self.tokenizer.model_max_length)
        # RoBERTa's family counts positions from behind the padding's own.
        first = 0 if positions.padding_idx is None else positions.padding_idx + 1
        return min(int(self.tokenizer.model_max_length), positions.num_embeddings - first)
