"""`ugcl evaluate`: predictions, scores and summary tables."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from ugcl.cli.terminal import Threads

log = logging.getLogger(__name__)

app = typer.Typer(no_args_is_help=True, help="Score trained systems from their predictions.")

Benchmark = Annotated[str, typer.Argument(help="Key of `benchmarks` in params.yaml.")]
System = Annotated[str, typer.Argument(help="One of the benchmark's systems.")]


@app.command()
def predict(benchmark: Benchmark, system: System, threads: Threads = 1) -> None:
    """Predict the test clips of all seeds and folds of a system."""
    from ugcl import config
    from ugcl.evaluation.networks.predict import predict as write

    write(config.load(), benchmark, system)


@app.command()
def score(benchmark: Benchmark) -> None:
    """Write the systems' metrics with intervals, their confusion and per-class tables."""
    from ugcl import config
    from ugcl.evaluation.tables.score import score as write
    from ugcl.provenance import lineage

    parameters = config.load()
    systems = parameters.benchmark(benchmark).systems
    write(parameters, benchmark, {name: lineage.score(parameters, benchmark, name) for name in systems})


@app.command()
def perturb(benchmark: Benchmark, threads: Threads = 1) -> None:
    """Encode a benchmark's test clips with noise in their sound, for `robustness`."""
    from ugcl import config
    from ugcl.evaluation.networks.perturb import perturb as write

    write(config.load(), benchmark)


@app.command()
def robustness(benchmark: Benchmark, threads: Threads = 1) -> None:
    """Score systems on test clips with noise, lost frames, bad synchrony or a missing modality."""
    from ugcl import config
    from ugcl.evaluation.networks.robustness import robustness as write

    write(config.load(), benchmark)


@app.command()
def tokens(benchmark: Benchmark, threads: Threads = 1) -> None:
    """Look into the reference system: tokens, retrieval, hard negatives, a map, attention over time."""
    from ugcl import config
    from ugcl.evaluation.networks.tokens import token_tables as write

    write(config.load(), benchmark)


@app.command()
def cost(benchmark: Benchmark, threads: Threads = 1) -> None:
    """Measure the systems' size, work and speed on this device."""
    from ugcl import config
    from ugcl.evaluation.networks.cost import cost as write

    write(config.load(), benchmark)


@app.command()
def transfer(benchmark: Benchmark, threads: Threads = 1) -> None:
    """Score systems of other benchmarks on this one's test clips, as `transfer` names them."""
    from ugcl import config
    from ugcl.evaluation.transfer.tables import write

    write(config.load(), benchmark)


@app.command()
def tables(benchmark: Benchmark) -> None:
    """Write a benchmark's tables into results/tables/<benchmark>."""
    from ugcl import config
    from ugcl.evaluation.tables.benchmark import write
    from ugcl.provenance import kept, lineage

    parameters = config.load()
    made_from = lineage.tables(parameters, benchmark)  # of the code that is loaded now
    write(parameters, benchmark)
    kept.record(benchmark, made_from)


@app.command()
def summary() -> None:
    """Write summary.csv and metrics.json: the active benchmarks, and others whose tables are current."""
    from ugcl import config
    from ugcl.evaluation.tables.summary import summarise
    from ugcl.provenance import kept

    parameters = config.load()
    for name, reason in kept.left_out(parameters).items():
        log.warning("summary.csv: rows of %s left out: %s", name, reason)
    summarise(parameters, kept.included(parameters))


@app.command()
def references(benchmark: Benchmark) -> None:
    """Print what chance, majority, raters and script score on a benchmark's folds; nothing is trained."""
    from ugcl import config
    from ugcl.evaluation.tables.references import of_benchmark

    rows = of_benchmark(config.load(), benchmark)
    rows = rows[rows["metric"].isin(["uar", "war", "macro_f1", "weighted_f1"])]
    table = rows.pivot_table(index=["system", "fold"], columns="metric", values="value", sort=False)
    typer.echo(table.to_string(float_format="%.3f"))
