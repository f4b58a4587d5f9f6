"""`ugcl params`: check the parameters, show them resolved, export their schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check the parameters or export their schema.", no_args_is_help=True)
SCHEMA = Path("workflow/schemas/params.schema.json")


@app.command()
def check() -> None:
    """Validate params.yaml and every benchmark's systems after merging."""
    from ugcl.config import load

    config = load()
    typer.echo(f"ok: active {', '.join(config.active)}; {len(config.systems)} systems")


@app.command()
def schema(path: Annotated[Path, typer.Argument(help="Where to write it.")] = SCHEMA) -> None:
    """Write the JSON schema of params.yaml."""
    from ugcl.config.load import schema_text

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema_text())


@app.command()
def resolve(
    benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks`.")],
    system: Annotated[str, typer.Argument(help="Key of `systems`.")],
) -> None:
    """Print a system's parameters on a benchmark, after merging."""
    import yaml

    from ugcl.config import load

    typer.echo(yaml.safe_dump(load().resolve(benchmark, system).model_dump(), sort_keys=False), nl=False)
