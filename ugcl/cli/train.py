"""`ugcl train`: one run."""

from __future__ import annotations

from typing import Annotated

import typer


def train(
    benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks` in params.yaml.")],
    system: Annotated[str, typer.Argument(help="Key of `systems` in params.yaml.")],
    seed: Annotated[int, typer.Option(min=0, help="Training seed.")] = 0,
    fold: Annotated[int, typer.Option(min=1, help="Number of the fold, from 1.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and BLAS.")] = 1,
    lineage: Annotated[str, typer.Option(help="Hash of what the run depends on, for its card.")] = "",
) -> None:
    """Train one system on one fold with one seed; a killed run goes on where it stopped."""
    from ugcl.training.devices import set_threads

    set_threads(threads)
    from ugcl import config
    from ugcl.training.run import train_run

    train_run(config.load(), benchmark, system, seed, fold, lineage)
