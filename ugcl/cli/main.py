"""The command `ugcl`: one sub-command per stage of the workflow, and the ledger's tools."""

from __future__ import annotations

import gc
import logging
import sys
from typing import NoReturn

import typer

from ugcl import __version__
from ugcl.cli import data, evaluate, faces, features, params, provenance, report, train, tune
from ugcl.cli.systems import compare, export, methods, predict, serve, show, transfer
from ugcl.errors import UgclError
from ugcl.files import full, is_full
from ugcl.log import configure

log = logging.getLogger("ugcl")
FEWEST_NEW_OBJECTS = 200_000
"""Objects made since Python last looked for garbage that make it look again; its own number is 700."""

app = typer.Typer(
    name="ugcl",
    help="Audio-visual emotion recognition: the stages of the workflow, one by one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(name="init")(params.init)
app.add_typer(data.app, name="data")
app.add_typer(features.app, name="features")
app.command(name="train")(train.train)
app.command(name="tune")(tune.tune)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(report.app, name="report")
app.command(name="faces")(faces.faces)
app.command(name="predict")(predict.predict)
app.command(name="app")(serve.serve)
app.command(name="export")(export.export)
app.command(name="compare")(compare.compare)
app.command(name="transfer")(transfer.transfer)
app.command(name="show")(show.show)
app.command(name="methods")(methods.methods)
app.add_typer(params.app, name="params")
app.command(name="doctor")(provenance.doctor)
app.command(name="adopt")(provenance.adopt)
app.command(name="prune")(provenance.prune)
app.command(name="lineage")(provenance.lineage)
app.command(name="stage")(provenance.stage)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True)) -> None:
    """Audio-visual emotion recognition: the stages of the workflow, one by one."""


def main() -> None:
    """Run the command; a fault that the user can fix is one line and exit code 1."""
    configure()
    # Importing torch makes a million objects that stay: looking for garbage among them takes a second.
    gc.set_threshold(FEWEST_NEW_OBJECTS, 50, 100)
    try:
        app()
    except UgclError as error:
        _fail(error)
    except Exception as error:
        if not is_full(error):
            raise
        _fail(full(getattr(error, "filename", None) or "a file of the project, or of the temporary folder"))


def _fail(error: Exception) -> NoReturn:
    log.debug("traceback", exc_info=True)
    typer.echo(f"error: {error}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
