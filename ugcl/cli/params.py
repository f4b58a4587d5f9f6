"""`ugcl params`: check parameters, resolve them, export their schema; `ugcl init`, which starts new ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check the parameters or export their schema.", no_args_is_help=True)
SCHEMA = Path("workflow/schemas/params.schema.json")


@app.command()
def check() -> None:
    """Validate params.yaml, every benchmark's systems after merging, and the methods of your own in use."""
    from ugcl.config import load
    from ugcl.config.methods.foreign import Foreign

    config = load()
    for benchmark in config.active:
        for system in config.trained(benchmark):
            run = config.resolve(benchmark, system)
            if isinstance(run.method, Foreign):
                from ugcl.methods.build import checked

                checked(run)
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


def init(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the media, or a table with words.")],
    name: Annotated[str | None, typer.Option(help="Of corpus and benchmark; default the folder's.")] = None,
    table: Annotated[
        str, typer.Option(help="Table of clips; written into the folder unless it has transcripts.")
    ] = "clips.csv",
    speaker: Annotated[
        str | None, typer.Option(help="Regular expression on paths in it; its first group is the speaker.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Regular expression on paths in it; its first group is the label.")
    ] = None,
) -> None:
    """Start a corpus of your own: list the clips of a folder, and write parameters of a benchmark on it.

    A table that is there and has transcripts is read, not written.
    """
    from ugcl.config import read
    from ugcl.config.load import PARAMS
    from ugcl.data import tables
    from ugcl.data.initial import parameters
    from ugcl.data.initial.table import LABEL, from_table, has_words, start
    from ugcl.errors import UgclError

    root, here = folder.resolve(), Path.cwd()
    name = name or root.name
    clips, file = folder / table, Path(f"params-{name}.yaml")
    own = has_words(clips)
    for path in (file,) if own else (clips, file):
        if path.exists():
            raise UgclError(f"{path}: exists and is not replaced; remove it, or choose another name")
    found = from_table(folder, table) if own else start(folder, speaker, label)
    named = os.environ.get("UGCL_PARAMS", "")
    base = read(Path(PARAMS) if named and not Path(named).is_file() else None)
    place = root.relative_to(here) if root.is_relative_to(here) else root
    text = parameters.parameters(base, name, place.as_posix(), table, file.name, found)
    if not own:
        tables.write(found.clips, clips)
    file.write_text(text)
    counts = (found.clips != "").sum()
    words = f"; {counts['transcript']} with a transcript" if own else ""
    if found.renamed:
        words = words or f"; {found.renamed} have another name than their file"
    lines = [
        f"{clips}: {len(found.clips)} clips, {counts['audio']} with a sound file, {counts['video']} with a"
        f" video{words}",
        f"speaker: {found.speaker.text}",
        f"{LABEL}: {found.label.text}",
        f"{file}: corpus and benchmark {name!r}",
        "next: check both files, then",
        f"  export UGCL_PARAMS={file}",
        "  ugcl doctor",
        "  snakemake --cores 8 all",
    ]
    typer.echo("\n".join(lines))
