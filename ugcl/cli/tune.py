"""`ugcl tune`: search a system's settings."""

from __future__ import annotations

from typing import Annotated

import typer

from ugcl.cli.terminal import Threads


def tune(
    benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks` in params.yaml.")],
    system: Annotated[str, typer.Argument(help="Key of `systems` in params.yaml.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials that the study has at the end.")] = 30,
    threads: Threads = 1,
) -> None:
    """Search tune.space for the best mean dev UAR over folds; called again, the study goes on.

    Prints the best settings as a system to paste into params.yaml. Test clips are never read.
    """
    import yaml

    from ugcl import config
    from ugcl.plan import paths
    from ugcl.provenance import lineage

    parameters = config.load()
    now = lineage.train(parameters, benchmark, system)
    from ugcl.training.search import tuning

    study = tuning.tune(parameters, benchmark, system, trials, now)
    best = {"systems": {f"{system}-tuned": tuning.overlay(parameters, study, system)}}
    done, kept = len(tuning.finished(study)), paths.study(benchmark, system)
    typer.echo(f"# dev UAR {study.best_value:.3f}, the best of {done} trials ({kept})")
    typer.echo(yaml.safe_dump(best, sort_keys=False), nl=False)
