"""The transcript as token ids, for a network that a method trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ugcl.config.features import Tokens
from ugcl.features.media.clip import Clip
from ugcl.features.networks.tokenizer import Tokenizer, tokenizer_hash


class TokensEncoder:
    """Numbers of a transcript's tokens, (tokens, 1) int32; they have no clock, for a transcript has no times.

    Args:
        config: most tokens of a text.
        folder: config.json and tokenizer of the network; its weights are not read.

    Raises:
        UgclError: a file is missing.
    """

    modality = "text"
    needs_faces = False
    dim, layers, rate = 1, 1, 0.0
    stored = np.int32

    def __init__(self, name: str, config: Tokens, folder: Path) -> None:
        import torch
        from transformers import AutoConfig, AutoModel

        self.name, self.tokenizer = name, Tokenizer(name, folder)
        with torch.device("meta"):  # its shape alone says how many positions it has
            network = AutoModel.from_config(AutoConfig.from_pretrained(folder, local_files_only=True))
        self.tokenizer.fit(network)
        if config.longest is not None:
            self.tokenizer.longest = min(self.tokenizer.longest, config.longest)
        facts = {"tokenizer": tokenizer_hash(folder), "cut": self.tokenizer.longest}
        self.settings: dict[str, Any] = config.model_dump(mode="json") | facts

    def encode(self, clip: Clip) -> np.ndarray:
        """The clip's tokens, (tokens, 1) int32.

        Raises:
            MediaError: no_text where the clip has no transcript.
        """
        return self.tokenizer(clip).astype(np.int32)[:, None]
