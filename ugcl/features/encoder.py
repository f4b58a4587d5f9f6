"""What every encoder offers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ugcl.config.features import Modality
from ugcl.data.shards import FeatureInfo
from ugcl.features.media.clip import Clip


class Encoder(Protocol):
    """Turns a clip's media into a sequence of vectors.

    One that can also give them block by block, for long clips, has a method `blocks(clip)`. One that gives
    whole numbers, such as token ids, has an attribute `stored`, their type; others are kept as float16.
    """

    name: str  # key of `encoders` in params.yaml
    modality: Modality  # what the vectors describe
    dim: int  # length of one vector, layers × width
    layers: int  # stacked hidden states, 1 where there is only one
    rate: float  # vectors per second before pooling, Hz; 0 for one vector per clip. Nominal for words.
    needs_faces: bool  # whether `clip.faces` must be there
    settings: dict[str, Any]  # what the vectors depend on, for the shard's metadata

    def encode(self, clip: Clip) -> np.ndarray:
        """The vectors of a clip, (frames, dim) float32, before pooling.

        Raises:
            MediaError: the clip cannot be encoded; its `failure` says why.
        """
        ...


class Vectors:
    """A clip's vectors, collected block by block in the form in which they are kept.

    Args:
        window: frames that are pooled; 1 keeps all.
        kind: float32, or the type in which they are stored.
    """

    def __init__(self, window: int = 1, kind: type[np.number] = np.float32) -> None:
        self.window, self.kind = window, kind
        self.rest: list[np.ndarray] = []  # frames of the window that is not full
        self.kept: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        """Append (frames, dim)."""
        if self.rest:
            block = np.concatenate([*self.rest, block])
        full = len(block) // self.window * self.window
        self._keep(block[:full])
        self.rest = [block[full:].copy()] if full < len(block) else []

    def array(self) -> np.ndarray:
        """All of them, (ceil(frames / window), dim); the last window averages what is there."""
        for block in self.rest:
            self._keep(block)
        self.rest, kept = [], self.kept
        if len(kept) == 1:
            return kept[0]
        joined, start = np.empty((sum(map(len, kept)), *kept[0].shape[1:]), self.kind), 0
        while kept:  # each block is let go when it is copied: a long clip is not held twice
            block = kept.pop(0)
            joined[start : start + len(block)] = block
            start += len(block)
        return joined

    def _keep(self, block: np.ndarray) -> None:
        if len(block) or not self.kept:
            with np.errstate(over="ignore"):
                self.kept.append(pool(block, self.window).astype(self.kind, copy=False))


def pool(features: np.ndarray, window: int) -> np.ndarray:
    """Mean over consecutive frames; the last window averages what is there.

    Args:
        features: (frames, dim).
        window: frames per window.

    Returns:
        (ceil(frames / window), dim).
    """
    if window == 1 or len(features) == 0:
        return features
    starts = np.arange(0, len(features), window)
    counts = np.diff(np.append(starts, len(features)))
    return np.add.reduceat(features, starts, axis=0, dtype=np.float64) / counts[:, None]


def info(encoder: Encoder, window: int) -> FeatureInfo:
    """Shape and rate of an encoder's features after pooling."""
    rate = encoder.rate / window
    offset = (window - 1) / 2 / encoder.rate if encoder.rate else 0.0
    return FeatureInfo(encoder.name, encoder.dim, encoder.layers, rate, offset)
