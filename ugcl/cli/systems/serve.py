"""`ugcl app`: a trained system in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ugcl.cli.terminal import Threads


def serve(
    model: Annotated[
        str,
        typer.Argument(
            help="<benchmark>/<system>, the folder of runs, or a bundle (folder, zip file, user/name on the"
            " hub); default the reference system of the first active benchmark."
        ),
    ] = "",
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 7860,
    max_mb: Annotated[float, typer.Option(min=0.1, help="Largest file, megabytes.")] = 100,
    max_seconds: Annotated[float, typer.Option(min=1, help="Longest clip, seconds.")] = 300,
    project: Annotated[
        Path | None,
        typer.Option(help="The project's folder; default the one you are in.", exists=True, file_okay=False),
    ] = None,
    threads: Threads = 1,
) -> None:
    """Open a page in the browser that predicts clips: dropped, chosen, or recorded by camera and microphone.

    It shows probabilities over time above the sound and the faces, and offers the predictions as files. The
    server answers this machine alone unless --host says otherwise, asks no other host for anything, and
    removes all files of visitors when Ctrl-C ends it. Needs the extra `app`.
    """
    from ugcl.app import serve as server

    server.check_installed()
    from ugcl.app.uploads import Limits
    from ugcl.inference.api.load import load

    loaded = load(model or _reference(project), project)
    if host not in server.LOCAL:
        typer.echo(
            f"warning: whoever reaches {host} can use this page, without a password; browsers give camera and"
            " microphone to https and to this machine only",
            err=True,
        )

    def opened(address: str) -> None:
        mark = f" [{loaded.marks}]" if loaded.marks else ""
        typer.echo(f"{loaded.name}{mark}: open {address} in a browser; Ctrl-C ends it")

    server.serve(loaded, host, port, Limits(max_mb, max_seconds), opened)
    typer.echo("ended; the files of visitors are removed")


def _reference(project: Path | None) -> str:
    """The reference system of a project's first active benchmark."""
    from ugcl import config
    from ugcl.inference.api.model import at

    with at(project):
        parameters = config.load()
    benchmark = parameters.active[0]
    return f"{benchmark}/{parameters.benchmark(benchmark).reference}"
