"""Encoders that run a network over the sound or the words of several clips at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ugcl.features.encoder import Vectors
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.networks.network import Collect, Network

if TYPE_CHECKING:
    from torch import Tensor

    from ugcl.features.networks.reading import Part

CPU_SECONDS = 10.0  # of sound; more is not faster on a CPU, and memory grows by 30 MB per second
LONG = 120.0  # seconds of sound that are read at a time
Scale = Callable[[np.ndarray], np.ndarray]


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
    """

    TOGETHER = 64
    AHEAD = 64

    budget: int  # length that passes through the network at once, padding included, in the pieces' own unit
    equal: bool = False  # whether the network sees padding, so that only equal lengths may go together

    @abstractmethod
    def read(self, clip: Clip) -> Iterator[list[np.ndarray]]:
        """What of a clip passes through the network piece by piece, (…, length) each; of a long one part by
        part.

        Raises:
            MediaError: the clip cannot be read.
        """

    @abstractmethod
    def states(self, pieces: list[np.ndarray]) -> list[Tensor]:
        """Hidden states of each piece, (frames, layers × width) on the device."""

    def sound_budget(self, rate: float) -> int:
        """The budget of pieces of sound with so many values per second, Hz."""
        seconds = self.config.batch
        return round((min(seconds, CPU_SECONDS) if self.device.type == "cpu" else seconds) * rate)

    def finish(
        self, parts: Iterator[Part], collect: Collect
    ) -> Iterator[tuple[int, np.ndarray | MediaError]]:
        """Put clips through the network in groups, a long one part by part; see :meth:`Network.finish`."""
        group: list[Part] = []
        long: dict[int, Vectors] = {}
        clips = 0
        for part in parts:
            if isinstance(part.content, MediaError):
                long.pop(part.number, None)
                yield part.number, part.content
            elif not part.last or part.number in long:
                vectors = long.setdefault(part.number, collect())
                for _ in self._through([part], {part.number: vectors}):
                    pass
                if part.last:
                    yield part.number, long.pop(part.number).array()
            else:
                group.append(part)
            clips += part.last
            if clips == self.TOGETHER:
                yield from self._group(group, collect)
                group, clips = [], 0
        yield from self._group(group, collect)

    def _group(self, group: list[Part], collect: Collect) -> Iterator[tuple[int, np.ndarray]]:
        vectors = {part.number: collect() for part in group}
        for number in self._through(group, vectors):
            yield number, vectors.pop(number).array()

    def _through(self, group: list[Part], vectors: dict[int, Vectors]) -> Iterator[int]:
        """Put pieces through the network, like lengths together, and give numbers of clips that are done."""
        pieces = [piece for part in group for piece in part.content]
        owners = [part.number for part in group for _ in part.content]
        left = {number: [i for i, owner in enumerate(owners) if owner == number] for number in set(owners)}
        found: dict[int, np.ndarray] = {}
        for batch in by_length([piece.shape[-1] for piece in pieces], self.budget, self.equal):
            with self.running():
                states = self.states([pieces[i] for i in batch])
            found |= {i: state.float().cpu().numpy() for i, state in zip(batch, states, strict=True)}
            for number in sorted({owners[i] for i in batch}):
                own = left[number]
                while own and own[0] in found:
                    vectors[number].add(found.pop(own.pop(0)))
                if not own:
                    yield number


def windows(
    stretches: Iterator[np.ndarray], window: int, shortest: int, scale: Scale | None = None
) -> Iterator[list[np.ndarray]]:
    """Cut sound into windows.

    Args:
        stretches: (samples,) each, all but the last one of whole windows.
        window: samples of a window; the last may be shorter.
        shortest: samples that a window needs; a sound that is shorter gets zeros, a last window is left out.
        scale: what is done to a stretch first.

    Yields:
        The windows of each stretch.
    """
    for number, samples in enumerate(stretches):
        samples = samples if scale is None else scale(samples)
        if number == 0:
            samples = np.pad(samples, (0, max(0, shortest - len(samples))))
        starts = range(0, len(samples), window)
        cut = [samples[s : s + window] for s in starts if s == number == 0 or len(samples) - s >= shortest]
        if cut:
            yield cut
