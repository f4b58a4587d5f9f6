"""Pretrained text networks on the transcript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ugcl.config.features import Text
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.networks.sequences import SequenceNetwork
from ugcl.features.networks.weights import weights_hash

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# Any of these sets of files is a tokenizer.
VOCABULARIES = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("vocab.txt",))


class TextEncoder(SequenceNetwork):
    """Hidden states of the tokens of a transcript, or their mean, stacked layer after layer.

    State 0 is the embedding, state i the output of layer i; the last is the network's own last state. The
    tokens that the tokenizer puts around a text (<s>, </s>) are among them, as in the mean pooling of
    Sentence-BERT (Reimers and Gurevych 2019, EMNLP, section 3). What lies beyond the longest text the network
    can read (512 tokens of RoBERTa, minutes of speech) is cut.

    Token states have a nominal rate, for a transcript has no times; a sentence has rate 0.

    Args:
        config: which hidden states to keep, and tokens or their mean.
        folder: config.json, tokenizer and weights of the network.
    """

    modality = "text"
    needs_faces = False

    def __init__(self, name: str, config: Text, folder: Path, device: torch.device | str = "cpu") -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        if not (folder / "config.json").is_file():
            raise UgclError(f"{folder}: no config.json; encoders.{name}.weights must be a model's folder")
        # The library makes an empty tokenizer where the files are absent: every word would be unknown.
        if not any(all((folder / file).is_file() for file in files) for files in VOCABULARIES):
            raise UgclError(f"{folder}: no tokenizer; put the model's tokenizer.json there")
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        super().__init__(name, config, device)
        model = AutoModel.from_pretrained(folder, dtype="float32", local_files_only=True)
        self.model = model.eval().to(self.device)
        count = self.model.config.num_hidden_layers + 1
        chosen = {"all": list(range(count)), "last": [count - 1]}
        self.keep = chosen[config.layers] if isinstance(config.layers, str) else list(config.layers)
        wrong = [layer for layer in self.keep if not 0 <= layer < count]
        if wrong:
            raise UgclError(f"encoders.{name}.layers: {wrong[0]} does not exist; choose from 0..{count - 1}")
        self.layers, self.longest, self.budget = len(self.keep), self._longest(), config.batch
        self.dim = self.layers * self.model.config.hidden_size
        self.rate = config.rate if config.output == "tokens" else 0.0
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "keep": self.keep,
            "sha256": weights_hash(folder),
        }

    def read(self, clip: Clip) -> Iterator[list[np.ndarray]]:
        """Numbers of the transcript's tokens, (tokens,).

        Raises:
            MediaError: no_text where the clip has no transcript.
        """
        words = clip.transcript.strip()
        if not words:
            raise MediaError("no_text", f"{clip.name}: the manifest has no transcript of this clip")
        yield [np.array(self.tokenizer(words, truncation=True, max_length=self.longest)["input_ids"])]

    def states(self, pieces: list[np.ndarray]) -> list[Tensor]:
        """Hidden states of each text, (tokens, layers × width) or (1, layers × width)."""
        import torch

        lengths = [len(piece) for piece in pieces]
        # Padding is masked, so that its number does not matter, but RoBERTa counts positions by it.
        tokens = torch.full((len(pieces), max(lengths)), self.model.config.pad_token_id or 0)
        for row, piece in zip(tokens, pieces, strict=True):
            row[: len(piece)] = torch.from_numpy(piece)
        mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
        tokens, mask = tokens.to(self.device), mask.to(self.device)
        output = self.model(tokens, attention_mask=mask, output_hidden_states=True)
        kept = torch.cat([output.hidden_states[k] for k in self.keep], dim=-1)
        found = [row[:length] for row, length in zip(kept, lengths, strict=True)]
        return [row.mean(dim=0, keepdim=True) for row in found] if self.config.output == "sentence" else found

    def _longest(self) -> int:
        """Tokens of the longest text: the tokenizer's limit, or fewer where positions are fewer."""
        positions = getattr(getattr(self.model, "embeddings", None), "position_embeddings", None)
        if positions is None:
            return int(self.tokenizer.model_max_length)
        # RoBERTa's family counts positions from behind the padding's own.
        first = 0 if positions.padding_idx is None else positions.padding_idx + 1
        return min(int(self.tokenizer.model_max_length), positions.num_embeddings - first)
