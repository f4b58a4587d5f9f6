"""Encoders that run a network over the sound of several clips at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from ugcl.features.failure import MediaError
from ugcl.features.media import Clip
from ugcl.features.sound import RATE


def by_length(lengths: Sequence[int], budget: int, equal: bool = False) -> list[list[int]]:
    """Put like lengths together, the longest first.

    Args:
        lengths: of the pieces.
        budget: what a batch may hold, padding included; a longer piece is a batch alone.
        equal: whether a batch may hold equal lengths alone.

    Returns:
        Batches of indices; each index is in one of them.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batches:
            longest, full = lengths[batches[-1][0]], len(batches[-1]) + 1
            if longest * full <= budget and (not equal or longest == lengths[index]):
                batches[-1].append(index)
                continue
        batches.append([index])
    return batches


class SoundNetwork(ABC):
    """Reads and cuts the sound of clips, and gives the network pieces of like length together.

    What comes out for a clip does not depend on the others but for the rounding of sums.

    Attributes:
        budget: samples that pass through the network at once, padding included.
        sampling: rate of the sound that the network was trained on, Hz.
        equal: whether the network sees padding, so that only equal lengths may go together.
    """

    TOGETHER = 64
    """Clips of a shard that are sorted by length together; a fixed number, for the same bytes at each run."""

    budget: int
    sampling: int = RATE
    equal: bool = False

    @abstractmethod
    def pieces(self, samples: np.ndarray) -> list[np.ndarray]:
        """What of a clip's sound, (samples,), passes through the network piece by piece."""

    @abstractmethod
    def states(self, pieces: list[np.ndarray]) -> list[np.ndarray]:
        """Hidden states of each piece, (frames, layers × width) float32."""

    def encode(self, clip: Clip) -> np.ndarray:
        """Hidden states, (frames, layers × width) float32."""
        ((_, vectors),) = self.encode_all([clip])
        if isinstance(vectors, MediaError):
            raise vectors
        return vectors

    def encode_all(self, clips: Sequence[Clip]) -> Iterator[tuple[Clip, np.ndarray | MediaError]]:
        """Hidden states of each clip, or why there are none; in the order in which clips are finished."""
        import torch

        pieces: list[np.ndarray] = []
        owners: list[int] = []
        for number, clip in enumerate(clips):
            try:
                cut = self.pieces(clip.sound(self.sampling))
            except MediaError as error:
                yield clip, error
                continue
            pieces += cut
            owners += [number] * len(cut)
        found: dict[int, np.ndarray] = {}
        for batch in by_length([len(piece) for piece in pieces], self.budget, self.equal):
            with torch.inference_mode():
                found |= zip(batch, self.states([pieces[i] for i in batch]), strict=True)
            for number in sorted({owners[i] for i in batch}):
                own = [i for i, owner in enumerate(owners) if owner == number]
                if all(i in found for i in own):
                    yield clips[number], np.concatenate([found.pop(i) for i in own])
