"""A text network that is trained on what clips say, with a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from ugcl.methods.base import Method, Outputs, Statistics
from ugcl.models.dialogue.layers import dialogue_layers
from ugcl.models.dialogue.turns import Turns
from ugcl.models.heads import Classifier
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.networks.text import text_network

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos


class TextClassifier(Method):
    """Token ids → text network → mean over the tokens → (layers over the turns of the dialogue) → classifier.

    The mean pooling is that of Sentence-BERT (Reimers and Gurevych 2019, EMNLP, section 3), so that a frozen
    network gives the vectors of the encoder kind `text`.
    """

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        width, dropout, self.past = run.encoder.width, run.encoder.dropout, run.input.context == "past"
        self.network = text_network(run)
        size = self.network.width
        self.missing = nn.Parameter(0.02 * torch.randn(size))
        self.context = None
        if run.input.context != "clip":
            self.project = nn.Sequential(nn.LayerNorm(size), nn.Dropout(dropout), nn.Linear(size, width))
            self.context = dialogue_layers(run.encoder, self.past)
            size = width
        self.classifier = Classifier(size, width, len(run.protocol.classes), dropout)

    def rates(self) -> dict[str, float]:
        """See `Method.rates`."""
        return {f"network.{name}": rate for name, rate in self.network.rates().items()}

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), and `sentences` (B, D), the mean over each clip's tokens."""
        tokens, present = batch.features["text"][..., 0], batch.present["text"]  # (B, T), (B,)
        first = torch.arange(tokens.shape[1], device=tokens.device) == 0
        mask = torch.where(present[:, None], batch.masks["text"], first)
        sentences = masked_mean(self.network(tokens, mask), mask)
        sentences = torch.where(present[:, None], sentences, self.missing.to(sentences.dtype))
        x = sentences
        if self.context is not None:
            x = self.context(F.gelu(self.project(x)), Turns.of(batch, self.past), present)
        return {"logits": self.classifier(x), "sentences": sentences}
