"""`ugcl train`: runs of one system."""

from __future__ import annotations

from typing import Annotated

import typer

from ugcl.cli.terminal import Threads

Seeds = Annotated[list[int], typer.Option(min=0, help="Training seed; may be given several times.")]
Folds = Annotated[list[int], typer.Option(min=1, help="Fold number, from 1; may be given several times.")]


def train(
    benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks` in params.yaml.")],
    system: Annotated[str, typer.Argument(help="Key of `systems` in params.yaml.")],
    seed: Seeds = (0,),
    fold: Folds = (1,),
    threads: Threads = 1,
    lineage: Annotated[str, typer.Option(help="The hash the workflow planned; another one is refused.")] = "",
) -> None:
    """Train one system with every seed on every fold; what was killed goes on where it stopped."""
    from ugcl import config
    from ugcl.errors import UgclError
    from ugcl.provenance import lineage as provenance

    parameters = config.load()
    now = provenance.train(parameters, benchmark, system)
    if lineage and lineage != now:
        raise UgclError(
            f"train: code or parameters changed since the workflow planned this run (lineage {lineage},"
            f" now {now}); start snakemake again"
        )
    from ugcl.training.run import train_runs

    train_runs(parameters, benchmark, system, seed, fold, now)
