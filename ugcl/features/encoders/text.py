"""Pretrained text networks on the transcript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ugcl.config.features import Text
from ugcl.features.media.clip import Clip
from ugcl.features.networks.sequences import SequenceNetwork
from ugcl.features.networks.tokenizer import Tokenizer

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class TextEncoder(SequenceNetwork):
    """Hidden states of the tokens of a transcript, or their mean, stacked layer after layer.

    State 0 is the embedding, state i the output of layer i; the last is the network's own last state. The
    tokens that the tokenizer puts around a text (<s>, </s>) are among them, as in the mean pooling of
    Sentence-BERT (Reimers and Gurevych 2019, EMNLP, section 3).

    Token states have a nominal rate, for a transcript has no times; a sentence has rate 0.

    Args:
        config: which hidden states to keep, and tokens or their mean.
        folder: config.json, tokenizer and weights of the network.
    """

    modality = "text"
    needs_faces = False

    def __init__(self, name: str, config: Text, folder: Path, device: torch.device | str = "cpu") -> None:
        from transformers import AutoModel

        self.tokenizer = Tokenizer(name, folder)
        super().__init__(name, config, device)
        model = AutoModel.from_pretrained(folder, dtype="float32", local_files_only=True)
        self.model = model.eval().to(self.device)
        facts = self.model.config
        self.keep_layers(facts.num_hidden_layers + 1, facts.hidden_size, folder)
        self.tokenizer.fit(self.model)
        self.budget = config.batch
        self.rate = config.rate if config.output == "tokens" else 0.0

    def read(self, clip: Clip) -> Iterator[list[np.ndarray]]:
        """Numbers of the transcript's tokens, (tokens,).

        Raises:
            MediaError: no_text where the clip has no transcript.
        """
        yield [self.tokenizer(clip)]

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
