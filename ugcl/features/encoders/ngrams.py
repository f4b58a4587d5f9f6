"""Hashed word and character n-grams of the transcript: a text encoder without weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ugcl.config.features import Ngrams
from ugcl.features.media.clip import Clip

TOKEN = r"(?u)\w+|[^\w\s]"
"""A word, or one punctuation mark: "!" and "?" carry emotion."""


class NgramsEncoder:
    """One vector per clip: signed counts of n-grams, hashed into a fixed number of columns.

    The first half of the columns has n-grams of words and punctuation marks, the second half n-grams of
    characters inside words (Weinberger et al. 2009, ICML, section 2: the sign of a hashed feature keeps
    products unbiased). Counts n become log(1 + n); each half has length 1. Letter case does not count.

    Args:
        config: number of columns, and the lengths of the n-grams.
    """

    modality = "text"
    layers = 1
    rate = 0.0
    needs_faces = False

    def __init__(self, name: str, config: Ngrams) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self.name, self.dim = name, config.dim
        options: dict[str, Any] = {"n_features": config.dim // 2, "norm": None, "alternate_sign": True}
        self.halves = [
            HashingVectorizer(token_pattern=TOKEN, ngram_range=tuple(config.words), **options),
            HashingVectorizer(analyzer="char_wb", ngram_range=tuple(config.characters), **options),
        ]
        self.settings: dict[str, Any] = config.model_dump(mode="json")

    def encode(self, clip: Clip) -> np.ndarray:
        """The clip's vector, (1, dim) float32.

        Raises:
            MediaError: no_text where the clip has no transcript.
        """
        words = [clip.words()]
        counts = np.stack([half.transform(words).toarray()[0] for half in self.halves])
        scaled = np.sign(counts) * np.log1p(np.abs(counts))
        length = np.linalg.norm(scaled, axis=1, keepdims=True)
        # Two n-grams of opposite sign in one column can leave a short text with nothing.
        return np.divide(scaled, length, out=scaled, where=length > 0).reshape(1, -1).astype(np.float32)
