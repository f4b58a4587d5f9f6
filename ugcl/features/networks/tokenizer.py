"""The tokenizer in a model's folder, and how long a text its network can read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip

if TYPE_CHECKING:
    from torch import nn

# Any of these sets of files is a tokenizer.
VOCABULARIES = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("vocab.txt",))
FILES = ("tokenizer.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer_config.json")
FILES += ("special_tokens_map.json", "added_tokens.json")
"""Files that decide which numbers a text becomes."""


class Tokenizer:
    """Turns a transcript into the numbers of its tokens, as a network was trained to read them.

    The tokens that stand around a text (<s>, </s>) are among them. What lies beyond the longest text the
    network can read (512 tokens of RoBERTa, minutes of speech) is cut.

    Args:
        name: key of `encoders`, for messages.
        folder: config.json and tokenizer of the network.

    Attributes:
        longest: most tokens of a text.

    Raises:
        UgclError: the folder lacks one of them.
    """

    def __init__(self, name: str, folder: Path) -> None:
        from transformers import AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        if not (folder / "config.json").is_file():
            raise UgclError(f"{folder}: no config.json; encoders.{name}.weights must be a model's folder")
        # The library makes an empty tokenizer where the files are absent: every word would be unknown.
        if not any(all((folder / file).is_file() for file in files) for files in VOCABULARIES):
            raise UgclError(f"{folder}: no tokenizer; put the model's tokenizer.json there")
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.longest = int(self._tokenizer.model_max_length)

    def fit(self, network: nn.Module) -> None:
        """Cut texts where the network has no more positions."""
        positions = getattr(getattr(network, "embeddings", None), "position_embeddings", None)
        if positions is not None:
            # RoBERTa's family counts positions from behind the padding's own.
            first = 0 if positions.padding_idx is None else positions.padding_idx + 1
            self.longest = min(self.longest, positions.num_embeddings - first)

    def __call__(self, clip: Clip) -> np.ndarray:
        """Numbers of the tokens of a clip's transcript, (tokens,).

        Raises:
            MediaError: no_text where the clip has no transcript.
        """
        return np.array(self._tokenizer(clip.words(), truncation=True, max_length=self.longest)["input_ids"])


def tokenizer_hash(folder: Path) -> str:
    """SHA-256 over the files of a folder that decide the tokens, with their names."""
    digest = hashlib.sha256()
    for path in (folder / name for name in FILES):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
