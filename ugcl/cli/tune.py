"""`ugcl tune`: search a system's settings."""

from __future__ import annotations

from typing import Annotated

import typer


def tune(
    benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks` in params.yaml.")],
    system: Annotated[str, typer.Argument(help="Key of `systems` in params.yaml.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials that the study has at the end.")] = 30,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and BLAS.")] = 1,
) -> None:
    """Search tune.space for the best mean dev UAR over folds; called again, the study goes on.

    Prints the best settings as a system to paste into params.yaml. Test clips are never read.
    """
    from ugcl import config
    from ugcl.provenance import lineage
    from ugcl.threads import set_threads

    parameters = config.load()
    now = lineage.train(parameters, benchmark, system)
    set_threads(threads)
    import yaml

    from ugcl import paths
    from ugcl.training import tuning

    study = tuning.tune(parameters, benchmark, system, trials, now)
    best = {"systems": {f"{system}-tuned": tuning.overlay(parameters, study, system)}}
    done, kept = len(tuning.finished(study)), paths.study(benchmark, system)
    typer.echo(f"# dev UAR {study.best_value:.3f}, the best of {done} trials ({kept})")
    typer.echo(yaml.safe_dump(best, sort_keys=False), nl=False)
