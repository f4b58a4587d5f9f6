"""What every encoder offers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ugcl.config.features import Modality
from ugcl.data.shards import FeatureInfo
from ugcl.features.media.clip import Clip


class Encoder(Protocol):
    """Turns a clip's media into a sequence of vectors.

    Attributes:
        name: key of `encoders` in params.yaml.
        modality: what the vectors describe.
        dim: length of one vector, layers × width.
        layers: stacked hidden states, 1 where there is only one.
        rate: vectors per second before pooling, Hz; 0 for one vector a clip. Nominal for words.
        needs_faces: whether `clip.faces` must be there.
        settings: what the vectors depend on, for the shard's metadata.
    """

    name: str
    modality: Modality
    dim: int
    layers: int
    rate: float
    needs_faces: bool
    settings: dict[str, Any]

    def encode(self, clip: Clip) -> np.ndarray:
        """The vectors of a clip, (frames, dim) float32, before pooling.

        Raises:
            MediaError: the clip cannot be encoded; its `failure` says why.
        """
        ...


def pool(features: np.ndarray, window: int) -> np.ndarray:
    """Mean over consecutive frames; the last window averages what is there.

    Args:
        features: (frames, dim).
        window: frames a window.

    Returns:
        (ceil(frames / window), dim).
    """
    if window == 1:
        return features
    starts = np.arange(0, len(features), window)
    counts = np.diff(np.append(starts, len(features)))
    return np.add.reduceat(features, starts, axis=0, dtype=np.float64) / counts[:, None]


def info(encoder: Encoder, window: int) -> FeatureInfo:
    """Shape and rate of an encoder's features after pooling."""
    rate = encoder.rate / window
    offset = (window - 1) / 2 / encoder.rate if encoder.rate else 0.0
    return FeatureInfo(encoder.name, encoder.dim, encoder.layers, rate, offset)
