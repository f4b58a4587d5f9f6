"""Progress of long loops: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)
Item = TypeVar("Item")
EVERY = 15.0  # seconds between two log lines


def progress(items: Iterable[Item], title: str, total: int) -> Iterator[Item]:
    """Go through a number of items and show how far it is."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        yield from track(items, title, total, console=Console(stderr=True), transient=True)
        return
    start = last = time.monotonic()
    for number, item in enumerate(items):
        now = time.monotonic()
        if now - last >= EVERY:
            log.info("%s: %d of %d, %.1f a second", title, number, total, number / (now - start))
            last = now
        yield item
