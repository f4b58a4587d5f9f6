"""Encoders that run a network over aligned face crops, several at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ugcl.features.encoder import Vectors
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.networks.face_frames import FaceBlock, Grid, face_blocks
from ugcl.features.networks.network import Collect, Network

if TYPE_CHECKING:
    from torch import Tensor

    from ugcl.features.networks.reading import Part

Item = TypeVar("Item")
CPU_BATCH = 4  # crops; a CPU gains nothing by more, and VGG-16 holds 13 MB of each after its first layer


class FaceNetwork(Network):
    """Cuts faces out of clips, and gives the network those of one clip together."""

    modality = "video"
    layers = 1
    needs_faces = True

    size: int  # side of the crop, pixels

    @abstractmethod
    def vectors(self, pixels: Tensor) -> Tensor:
        """The network's output for crops (crops, 3, size, size), RGB of 0..255: (crops, dim)."""

    def describe(self, crops: np.ndarray) -> Tensor:
        """The network's output for crops (crops, size, size, 3) uint8: (crops, dim) on the device."""
        import torch

        pixels = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2)
        with self.running():
            blocks = pixels.split(CPU_BATCH if self.device.type == "cpu" else len(pixels))
            return torch.cat([self.vectors(block.float()) for block in blocks])

    def read(self, clip: Clip) -> Iterator[FaceBlock]:
        """A clip's crops, as many at a time as go through the network."""
        return face_blocks(clip, self.config.fps, self.size, self.config.margin, self.config.batch)

    def finish(
        self, parts: Iterator[Part], collect: Collect
    ) -> Iterator[tuple[int, np.ndarray | MediaError]]:
        """Put blocks of crops through the network; see :meth:`Network.finish`."""
        begun: dict[int, tuple[Grid, Vectors]] = {}
        for part, output in _one_behind((part, self._output(part)) for part in parts):
            if output is None:
                begun.pop(part.number, None)
                yield part.number, part.content
                continue
            grid, vectors = begun.setdefault(part.number, (Grid(), collect()))
            vectors.add(grid.add(part.content.shown, output.float().cpu().numpy()))
            if part.last:
                vectors.add(grid.rest())
                yield part.number, begun.pop(part.number)[1].array()

    def _output(self, part: Part) -> Tensor | None:
        return None if isinstance(part.content, MediaError) else self.describe(part.content.crops)


def _one_behind(items: Iterable[Item]) -> Iterator[Item]:
    """Each item after the next one was begun: a GPU works at that while this one's output is fetched."""
    held: list[Item] = []
    for item in items:
        yield from held
        held = [item]
    yield from held
