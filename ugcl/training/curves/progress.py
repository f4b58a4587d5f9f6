"""A line per run on the terminal: epoch, losses, dev score and the time that is left at most."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ugcl.plan import paths
from ugcl.training.curves.files import Take


@contextmanager
def shown(metric: str, console: Console | None = None) -> Iterator[Callable[[Path, int], Take]]:
    """Show runs while they are trained, one line each.

    On a terminal the lines of the log about epochs are left out, since the bars say the same; the others are
    printed above the bars. Elsewhere the log stays as it is and the bars are printed once, at the end.

    Args:
        metric: the dev score to show, the primary metric of the protocol.
        console: where to; default standard error.

    Yields:
        What is asked once per run, with its folder and the most epochs that it can have, and gives what takes
        each epoch's row.
    """
    console = console or Console(stderr=True)
    words = TextColumn("{task.fields[scores]}")
    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), words)
    bars = Progress(*columns, TimeRemainingColumn(), console=console)

    def ended() -> None:
        """Runs that were trained before may have stopped early: nothing is left of them."""
        for task in bars.tasks:
            if task.completed:
                bars.update(task.id, total=task.completed)

    def begin(run: Path, epochs: int) -> Take:
        ended()
        name = run.relative_to(paths.MODELS).as_posix()
        task = bars.add_task(name, total=epochs, scores="")

        def take(row: dict[str, float]) -> None:
            bars.update(task, completed=int(row["epoch"]), scores=words_of(row, metric))

        return take

    with bars, _quiet(console):
        yield begin
        ended()


def words_of(row: dict[str, float], metric: str) -> str:
    """Losses and dev score of an epoch, as far as it has them."""
    shown = {"loss": "loss", "dev_loss": "dev loss", f"dev_{metric}": f"dev {metric}"}
    return ", ".join(f"{words} {row[key]:.3f}" for key, words in shown.items() if key in row)


@contextmanager
def _quiet(console: Console) -> Iterator[None]:
    """Let the log go through the terminal's console, without its lines about epochs."""
    if not console.is_terminal:
        yield
        return
    epochs = logging.getLogger("ugcl.training.selection")
    handlers = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    before, streams = epochs.level, [handler.stream for handler in handlers]
    epochs.setLevel(logging.WARNING)
    for handler in handlers:
        handler.stream = sys.stderr  # while bars are shown it is rich's, which puts lines above them
    try:
        yield
    finally:
        epochs.setLevel(before)
        for handler, stream in zip(handlers, streams, strict=True):
            handler.setStream(stream)
