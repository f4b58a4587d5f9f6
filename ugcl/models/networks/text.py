"""A pretrained text network over token ids (BERT, RoBERTa, MiniLM and others of transformers)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ugcl.features.networks.weights import weights_folder, weights_hash
from ugcl.models.networks.trained import TrainedNetwork

if TYPE_CHECKING:
    from ugcl.config.root import Run

TOGETHER = 16
"""Texts of like length that go through the network at once on a CPU: padding costs as much as words."""


class TextNetwork(TrainedNetwork):
    """The last hidden states of texts.

    What comes out for a text does not depend on the padding nor on the other texts of the batch.
    """

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Token ids (B, T) and the valid ones (B, T), at least one of each text → states (B, T, D), 0 where
        padded."""
        # RoBERTa counts positions by the padding's own id.
        tokens = tokens.long().masked_fill(~mask, self.network.config.pad_token_id or 0)
        lengths = mask.sum(dim=1)
        order, parts = lengths.argsort(descending=True, stable=True), []
        for rows in order.split(TOGETHER if tokens.device.type == "cpu" else len(tokens)):
            longest = int(lengths[rows[0]])
            own = mask[rows, :longest]
            states = self.network(tokens[rows, :longest], attention_mask=own.long()).last_hidden_state
            states = states.masked_fill(~own[..., None], 0.0)
            parts.append(torch.nn.functional.pad(states, (0, 0, 0, mask.shape[1] - longest)))
        return torch.cat(parts)[order.argsort()]

    @property
    def width(self) -> int:
        """D, the width of the states."""
        return int(self.network.config.hidden_size)


def text_network(run: Run) -> TextNetwork:
    """The network that a run's token ids were made for.

    Raises:
        UgclError: its weights are not there, or it has other layers than the settings ask for.
    """
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    name = run.features["text"]
    folder = base_folder(name, run.encoders[name].base)
    network = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    return TextNetwork(network, run.encoder.networks["text"], weights_hash(folder), "encoder.networks.text")


def base_folder(encoder: str, weights: str) -> Path:
    """Where the weights of an encoder lie: a local folder, or as the project of the working folder says.

    Raises:
        UgclError: they are not there.
    """
    if Path(weights).is_dir():
        return Path(weights)
    from ugcl import config

    return weights_folder(config.load(), encoder, weights)
