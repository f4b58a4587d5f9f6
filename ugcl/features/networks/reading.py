"""Reading what networks see of clips: in this process, or ahead of it in others."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ugcl.features.media.clip import Clip, with_faces
from ugcl.features.media.failure import MediaError

Read = Callable[[Clip], Iterator[Any]]
"""Gives a clip's parts, at least one; raises MediaError where it cannot."""


@dataclass(frozen=True)
class Part:
    """Something of a clip that goes through a network."""

    number: int  # of the clip among those that are read, from 0
    content: Any  # what was read, or the failure that ended the clip
    last: bool  # whether the clip has no further part


def parts(read: Read, clips: Sequence[Clip], source: Path | None, workers: int, ahead: int) -> Iterator[Part]:
    """Read clips part by part.

    The parts of a clip come in their order; where each clip has one part, clips do as well. What comes does
    not depend on the number of processes.

    Args:
        clips: in the order of their names.
        source: see :func:`with_faces`.
        workers: processes that read; 0 = this one does.
        ahead: parts that are read in advance by all workers together.
    """
    workers = min(workers, len(clips))
    reading = _Reading(read, clips, source)
    factor = max(2, math.ceil(ahead / workers)) if workers else None
    # Without batches, parts come as they are.
    yield from DataLoader(
        reading, batch_size=None, num_workers=workers, prefetch_factor=factor, worker_init_fn=_end_with_parent
    )


class _Reading(IterableDataset):
    """The parts of the clips of one process: every n-th of them."""

    def __init__(self, read: Read, clips: Sequence[Clip], source: Path | None) -> None:
        self.read, self.clips, self.source = read, clips, source

    def __iter__(self) -> Iterator[Part]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        numbers = range(first, len(self.clips), step)
        for number, clip in zip(numbers, with_faces(self.clips[first::step], self.source), strict=True):
            yield from self._parts(number, clip)

    def _parts(self, number: int, clip: Clip) -> Iterator[Part]:
        held = None
        try:
            for content in self.read(clip):
                if held is not None:
                    yield held
                held = Part(number, content, False)
        except MediaError as error:
            held = Part(number, error, True)
        if held is not None:
            yield replace(held, last=True)


def _end_with_parent(_: int) -> None:
    """Let this process end when its parent was killed: DataLoader's own check never comes where the pipe to
    the parent is full.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
