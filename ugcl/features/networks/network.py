"""Encoders that run a network: on a device, in batches, with other processes that read media for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ugcl.config.features import Network as NetworkConfig
from ugcl.errors import UgclError
from ugcl.features.encoder import Vectors
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

if TYPE_CHECKING:
    import torch

    from ugcl.features.networks.reading import Part

Collect = Callable[[], Vectors]


class Network(ABC):
    """What all encoders with a network have.

    Args:
        config: precision, and how much goes through the network at once.

    Attributes:
        TOGETHER: clips of a shard of which each may change the rounding of another's sums; a fixed number,
            for the same bytes at each run.
        AHEAD: parts that are read ahead of the network.
    """

    TOGETHER = 1
    AHEAD = 2

    model: torch.nn.Module  # the network, on the device

    def __init__(self, name: str, config: NetworkConfig, device: torch.device | str = "cpu") -> None:
        import torch

        self.name, self.config, self.device = name, config, torch.device(device)
        # The same features at each run, and sums of 32 bits where 32 bits are asked for.
        torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32 = True, False

    def __getstate__(self) -> dict[str, Any]:
        """What another process reads with: all but the network, which may be large or on a GPU."""
        import torch

        left_out = torch.nn.Module | torch.Tensor
        return {name: value for name, value in vars(self).items() if not isinstance(value, left_out)}

    @abstractmethod
    def read(self, clip: Clip) -> Iterator[Any]:
        """What the network sees of a clip, part by part, at least one; other processes may call it.

        Raises:
            MediaError: the clip cannot be read.
        """

    @abstractmethod
    def finish(
        self, parts: Iterator[Part], collect: Collect
    ) -> Iterator[tuple[int, np.ndarray | MediaError]]:
        """Put parts through the network.

        Args:
            parts: what was read.
            collect: makes what a clip's vectors are collected in.

        Yields:
            Number of a clip and its vectors (frames, dim), or why it has none, as clips are finished.
        """

    def encode(self, clip: Clip) -> np.ndarray:
        """The vectors of a clip, (frames, dim) float32."""
        ((_, vectors),) = self.encode_all([clip])
        if isinstance(vectors, MediaError):
            raise vectors
        return vectors

    def encode_all(
        self, clips: Sequence[Clip], faces: Path | None = None, workers: int = 0, collect: Collect = Vectors
    ) -> Iterator[tuple[Clip, np.ndarray | MediaError]]:
        """The vectors of each clip, or why there are none, in the order in which clips are finished.

        Args:
            clips: in the order of their names.
            faces: table of their face tracks; None where the clips have them, or need none.
            workers: processes that read for this one; 0 = this one reads. The vectors are the same.
            collect: makes what a clip's vectors are collected in; default all of them in float32.
        """
        from ugcl.features.networks.reading import parts

        for number, vectors in self.finish(parts(self.read, clips, faces, workers, self.AHEAD), collect):
            yield clips[number], vectors

    @contextmanager
    def running(self) -> Iterator[None]:
        """What runs in this context has no gradients and the precision that the parameters ask for.

        Raises:
            UgclError: the device's memory is full.
        """
        import torch

        types = {"32-true": None, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
        half = types[self.config.precision]
        try:
            with torch.inference_mode(), torch.autocast(self.device.type, half, enabled=half is not None):
                yield
        except torch.OutOfMemoryError:
            raise UgclError(
                f"encoders.{self.name}: out of memory on {self.device}; lower its batch"
                f" (now {self.config.batch:g}), or set its precision to bf16-mixed"
            ) from None
