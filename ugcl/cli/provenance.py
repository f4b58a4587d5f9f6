"""`ugcl doctor`, `ugcl adopt`, `ugcl prune`, and what DVC's stages run: the ledger's tools."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what is installed, which devices and corpora are there, and whether DVC's cache is safe."""
    from dataclasses import asdict

    from ugcl.config import load
    from ugcl.provenance.doctor import checks

    found = list(checks(load()))
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in found], indent=2))
    else:
        for check in found:
            state = {True: "ok", False: "FAULT", None: "-"}[check.ok]
            typer.echo(f"{state:<6} {check.name:<24} {check.text}")
    if any(check.ok is False for check in found):
        raise typer.Exit(1)


def adopt() -> None:
    """After `dvc pull`: lay out what was recorded, check that it is current, then mark it up to date."""
    from ugcl.config import load
    from ugcl.provenance import ledger

    ledger.adopt(load())
    typer.echo("adopted: `snakemake --cores 1 all` has nothing to do")


def lineage() -> None:
    """Write the lineage of what each stage makes into data/lineage, where DVC compares it."""
    from ugcl.config import load
    from ugcl.provenance.stages import write_lineages

    write_lineages(load())


def stage(name: Annotated[str, typer.Argument(help="data, features, train, evaluate or report.")]) -> None:
    """What a stage of dvc.yaml runs: `snakemake NAME`, and a recorded copy of what it made."""
    from ugcl.provenance import stages

    stages.run(name)


def prune(yes: Annotated[bool, typer.Option("--yes", help="Remove what is listed.")] = False) -> None:
    """List results that no active benchmark asks for; remove them with --yes."""
    from ugcl.config import load
    from ugcl.provenance import prune as pruning

    found = pruning.unwanted(load())
    for path in found:
        typer.echo(f"{pruning.size(path) / 1e6:10.1f} MB  {path}")
    if not found:
        typer.echo("nothing to prune")
    elif yes:
        pruning.remove(found)
        typer.echo(f"removed {len(found)}")
    else:
        typer.echo("kept; `ugcl prune --yes` removes them")
