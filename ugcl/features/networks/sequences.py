"""Encoders that run a network over the sound or the words of several clips at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.networks.network import Network

if TYPE_CHECKING:
    from torch import Tensor

    from ugcl.features.networks.reading import Part

CPU_SECONDS = (
    10.0  # of sound; a CPU gains nothing by more, and a large network's memory grows by 30 MB a second
)


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


class SequenceNetwork(Network):
    """Reads clips whole, and gives the network pieces of like length together.

    What comes out for a clip does not depend on the others but for the rounding of sums.

    Attributes:
        budget: length that passes through the network at once, padding included, in the pieces' own unit.
        equal: whether the network sees padding, so that only equal lengths may go together.
    """

    TOGETHER = 64
    AHEAD = 64

    budget: int
    equal: bool = False

    @abstractmethod
    def pieces(self, clip: Clip) -> list[np.ndarray]:
        """What of a clip passes through the network piece by piece, (…, length) each.

        Raises:
            MediaError: the clip cannot be read.
        """

    @abstractmethod
    def states(self, pieces: list[np.ndarray]) -> list[Tensor]:
        """Hidden states of each piece, (frames, layers × width) on the device."""

    def sound_budget(self, rate: float) -> int:
        """The budget of pieces of sound with so many values a second, Hz."""
        seconds = self.config.batch
        return round((min(seconds, CPU_SECONDS) if self.device.type == "cpu" else seconds) * rate)

    def read(self, clip: Clip) -> Iterator[list[np.ndarray]]:
        """All pieces of a clip as one part."""
        yield self.pieces(clip)

    def finish(self, parts: Iterator[Part]) -> Iterator[tuple[int, np.ndarray | MediaError]]:
        """Put clips through the network in groups; see :meth:`Network.finish`."""
        while group := list(islice(parts, self.TOGETHER)):
            yield from self._finish(group)

    def _finish(self, group: list[Part]) -> Iterator[tuple[int, np.ndarray | MediaError]]:
        pieces: list[np.ndarray] = []
        owners: list[int] = []
        for part in group:
            if isinstance(part.content, MediaError):
                yield part.number, part.content
                continue
            pieces += part.content
            owners += [part.number] * len(part.content)
        found: dict[int, np.ndarray] = {}
        for batch in by_length([piece.shape[-1] for piece in pieces], self.budget, self.equal):
            with self.running():
                states = self.states([pieces[i] for i in batch])
            found |= {i: state.float().cpu().numpy() for i, state in zip(batch, states, strict=True)}
            for number in sorted({owners[i] for i in batch}):
                own = [i for i, owner in enumerate(owners) if owner == number]
                if all(i in found for i in own):
                    yield number, np.concatenate([found.pop(i) for i in own])
