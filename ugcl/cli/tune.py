"""`ugcl tune`: search a system's settings."""

from __future__ import annotations

from typing import Annotated

import typer

from ugcl.cli.terminal import Threads


def tune(
    benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks` in params.yaml.")],
    systems: Annotated[list[str], typer.Argument(help="Keys of `systems`, searched one after the other.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials that each study has at the end.")] = 30,
    keep: Annotated[
        bool, typer.Option(help="Write the best settings into params/tuned.yaml, which the benchmark uses.")
    ] = False,
    threads: Threads = 1,
) -> None:
    """Search tune.space for the best mean dev score over folds; called again, the study goes on.

    The score is the protocol's primary metric.

    Prints the best settings as systems to paste into params/systems.yaml. Test clips are never read.
    """
    import yaml

    from ugcl import config
    from ugcl.plan import paths
    from ugcl.plan.names import TITLES
    from ugcl.provenance import lineage

    parameters = config.load()
    from ugcl.training.search import tuning
    from ugcl.training.search.keep import keep as write

    plain = tuning.searched(parameters, benchmark)
    primary = TITLES[parameters.protocol(benchmark).primary]
    for system in systems:
        study = tuning.tune(parameters, benchmark, system, trials, lineage.train(plain, benchmark, system))
        done, kept = len(tuning.finished(study)), paths.study(benchmark, system)
        typer.echo(f"# dev {primary} {study.best_value:.3f}, the best of {done} trials ({kept})")
        best = tuning.found(study, system)
        if keep:
            write(benchmark, system, best)
        tree = {"systems": {f"{system}-tuned": {"extends": system} | best}}
        typer.echo(yaml.safe_dump(tree, sort_keys=False), nl=False)
