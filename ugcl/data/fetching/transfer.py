"""What all ways of bringing files have in common: room on the disk, work side by side, showing progress."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from ugcl.errors import UgclError

log = logging.getLogger(__name__)
EVERY = 15.0  # seconds between two log lines
LFS_POINTER = b"version https://git-lfs"


class Cancelled(Exception):
    """Another transfer failed for good, or the user stopped the run."""


def is_pointer(path: Path) -> bool:
    """Whether a file is a Git-LFS pointer: a few lines that stand for the media and are not it."""
    with path.open("rb") as stream:
        return stream.read(len(LFS_POINTER)) == LFS_POINTER


def check_space(folder: Path, needed: int) -> None:
    """Refuse to start what the disk cannot hold.

    Raises:
        UgclError: the disk of the folder has less than `needed` bytes left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UgclError(
            f"{folder}: {needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free;"
            " make room or set the corpus's root to a larger disk"
        )


def remove(path: Path) -> None:
    """Delete a file that may not be there."""
    with suppress(FileNotFoundError):
        path.unlink()


class Progress:
    """Bytes of several transfers at once: a bar with rate and time left on a terminal, else log lines.

    Args:
        total: bytes of all of it; None where unknown.
    """

    def __init__(self, title: str, total: int | None) -> None:
        self.title, self.total = title, total
        self.done = self.moved = 0
        self.cancelled = False
        self.start = self.last = time.monotonic()
        self._lock = threading.Lock()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            columns = (
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.DownloadColumn(),
                progress.TransferSpeedColumn(),
                progress.TimeRemainingColumn(),
            )
            self._bar = progress.Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self.moved and kind is None:
            seconds = time.monotonic() - self.start
            log.info("%s: %s in %.0f s", self.title, _amount(self.moved), seconds)

    def advance(self, count: int, moved: bool = True) -> None:
        """Count bytes; negative where a transfer starts over. Bytes found on the disk do not count as moved.

        Raises:
            Cancelled: the transfers are to stop.
        """
        if self.cancelled:
            raise Cancelled
        with self._lock:
            self.done += count
            self.moved += count if moved else 0
            now = time.monotonic()
            if self._bar is not None:
                self._bar.update(self._task, advance=count)
            elif now - self.last >= EVERY:
                self.last = now
                log.info("%s", self.line(now - self.start))

    def line(self, seconds: float) -> str:
        """One line of a log: how much, of how much, how fast, how long still."""
        rate = self.moved / seconds
        text = f"{self.title}: {_amount(self.done)}"
        if self.total is None:
            return f"{text}, {_amount(rate)}/s"
        text += f" of {_amount(self.total)}, {_amount(rate)}/s"
        if rate > 0:
            text += f", {max(self.total - self.done, 0) / rate / 60:.0f} min left"
        return text


def side_by_side(jobs: Iterable[Callable[[], None]], workers: int, progress: Progress) -> None:
    """Run transfers in threads. A file that cannot be fetched does not stop the others; an interrupt stops
    all.

    Raises:
        UgclError: transfers failed; the first is named, the others are counted.
    """
    faults = []
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            for future in as_completed(futures):
                fault = future.exception()
                if isinstance(fault, UgclError):
                    faults.append(fault)
                elif fault is not None:
                    raise fault
        except BaseException:
            progress.cancelled = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if faults:
        more = f" (and {len(faults) - 1} more files)" if len(faults) > 1 else ""
        raise UgclError(f"{faults[0]}{more}")


def _amount(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"
