"""`ugcl train`: runs of one system."""

from __future__ import annotations

from pathlib import Path
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
    progress: Annotated[
        bool, typer.Option("--progress", help="Show a line per run while it trains.")
    ] = False,
    tensorboard: Annotated[
        Path | None, typer.Option(envvar="UGCL_TENSORBOARD", help="Write TensorBoard event files below it.")
    ] = None,
    dvclive: Annotated[
        Path | None,
        typer.Option(envvar="UGCL_DVCLIVE", help="Write DVCLive folders below it, for dvc plots."),
    ] = None,
) -> None:
    """Train one system with every seed on every fold; what was killed goes on where it stopped.

    Curves are written epoch by epoch and change no result. Jobs of Snakemake write them too where the
    environment variables are set.
    """
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
    from contextlib import ExitStack

    from ugcl.training.curves import files
    from ugcl.training.run import train_runs

    with ExitStack() as stack:
        observe = [files.tensorboard(tensorboard)] if tensorboard else []
        observe += [files.dvclive(dvclive)] if dvclive else []
        if progress:
            from ugcl.training.curves.progress import shown

            observe.append(stack.enter_context(shown(parameters.protocol(benchmark).primary)))
        train_runs(parameters, benchmark, system, seed, fold, now, observe)
